import type { JsonObject } from '../capillary/json.ts';
import type { Identity } from './identity.ts';
import type { Operation } from './operations.ts';

export type LandedKind = 'event' | 'profile' | 'raw';

/** One message that the simulated inlet took: what the data lake would show, and what became of it. */
export interface LandedRecord {
  /** Position in landing order, from 1. */
  readonly seq: number;
  /** Epoch ms. */
  readonly at: number;
  readonly kind: LandedKind;
  readonly inletId: string;
  readonly datasetId?: string;
  readonly flowId: string;
  readonly sandbox?: string;
  /** `_id`; of a raw payload also its `eventId`. */
  readonly id?: string;
  readonly eventType?: string;
  /** The primary identity. */
  readonly identity?: Identity;
  readonly entity: JsonObject;
  /** Of a raw payload with `header.operations`: what it does to the profile. A merge is listed here though Adobe's lake does not get it. */
  readonly operation?: Operation;
  /** How many records with this id had landed in this dataset before. */
  readonly duplicates: number;
  /** Why Adobe drops it without a word to the sender; empty for a good record. */
  readonly dropped: readonly string[];
  readonly requestId: string;
  /** Place in its batch, from 0. */
  readonly position: number;
}

/** Which records to show. */
export interface LandedFilter {
  readonly id?: string;
  readonly datasetId?: string;
  readonly kind?: LandedKind;
  readonly dropped?: boolean;
  /** Only records after this `seq`. */
  readonly since?: number;
  readonly limit?: number;
}

/** Exact counts of one kind of record since the start or the last reset. */
export interface LandedCounts {
  readonly landed: number;
  /** Different (dataset, id) pairs, plus records without an id. */
  readonly distinctIds: number;
  readonly duplicates: number;
  readonly dropped: number;
}
