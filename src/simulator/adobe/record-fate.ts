import type { JsonObject } from '../../capillary/json.ts';
import type { Violation } from './field-violations.ts';
import type { Identity } from './record-identity.ts';
import type { Operation } from './upsert-operations.ts';

/**
 * What has become of a record that an inlet of the platform API accepted, which Adobe does not tell
 * its sender: `ingested`, in a `failed` batch, or `lost` without a trace.
 */
export interface RecordFate {
  readonly state: 'pending' | 'ingested' | 'failed' | 'lost';
  /** An upsert reaches Profile only. */
  readonly inLake: boolean;
  readonly inProfile: boolean;
  /** The batch of the dataset that has the record, also one that failed. */
  readonly batchId?: string;
}

export const PENDING: RecordFate = { state: 'pending', inLake: false, inProfile: false };

/** What will become of a record, decided when it arrives. */
export interface RecordVerdict extends RecordFate {
  readonly state: 'ingested' | 'failed' | 'lost';
  /** Why it is not in the lake, or not in Profile although its dataset is enabled for it. */
  readonly dropped: readonly string[];
  /** What a failed batch says about it. */
  readonly violations: readonly Violation[];
  /** Of the flow, if the message names none. */
  readonly datasetId?: string;
  /** False of an upsert that creates no identities. */
  readonly linksIdentities?: boolean;
  /** What Profile gets: of a raw payload what its mapping set makes of it. */
  readonly stored?: StoredRecord;
}

export interface StoredRecord {
  readonly kind: 'event' | 'profile';
  readonly entity: JsonObject;
  /** Absent if only the payload names the person. */
  readonly identity?: Identity;
  /** Instead of the one that was requested. */
  readonly operation?: Operation;
}

/** Exact counts since the start or the last reset. */
export interface FateCounts {
  readonly pending: number;
  readonly inLake: number;
  readonly inProfile: number;
  readonly failed: number;
  readonly lost: number;
}
