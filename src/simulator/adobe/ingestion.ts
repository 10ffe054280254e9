import { randomBytes, randomUUID } from 'node:crypto';
import { violationCode } from './field-violations.ts';
import type { LandedRecord, LandedStore } from './landed-store.ts';
import { createProfileStore, type ProfileStore } from './platform/profile-store.ts';
import type { Sandbox, TwinBatch } from './platform/sandbox.ts';
import type { FateCounts, RecordFate, RecordVerdict } from './record-fate.ts';

/** A record that an inlet accepted, and what will become of it. */
export interface PendingRecord {
  readonly record: LandedRecord;
  readonly verdict: RecordVerdict;
}

/** The part of AEP behind the inlets that the platform API made. */
export interface Ingestion {
  /** Takes the records of one request; their fate shows after the validation delay. */
  accept(sandbox: Sandbox, records: readonly PendingRecord[]): void;
  profiles(sandbox: Sandbox): ProfileStore;
  counts(): FateCounts;
  /** Forgets everything, also what is pending. */
  clear(sandboxes: readonly Sandbox[]): void;
  /** Ends the timers. */
  close(): void;
}

interface IngestionParts {
  readonly landed: LandedStore;
  readonly validationDelayMs: number;
  /** People to keep in each sandbox; of batches and runs a twentieth as many. */
  readonly maxPeople: number;
  readonly now: () => number;
  /** Called for each record that reaches Profile. */
  readonly inProfile: (record: LandedRecord) => void;
  /** Called for each batch, failed ones too. */
  readonly batchEnded: (sandbox: Sandbox, batch: TwinBatch) => void;
  /** Called when the fate of records has shown. */
  readonly changed: () => void;
}

const PEOPLE_PER_BATCH = 20;

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Batches have ids of 26 characters that begin with their time. */
function batchId(now: number): string {
  const time = Array.from({ length: 10 }, (_, place) => CROCKFORD[Math.floor(now / 32 ** (9 - place)) % 32]);
  const random = [...randomBytes(16)].map((byte) => CROCKFORD[byte % 32]);
  return [...time, ...random].join('');
}

/** The errors of a batch: each code and text once, with the positions of its records. */
function errorsOf(records: readonly PendingRecord[]): TwinBatch['errors'] {
  const rows = new Map<string, { code: string; description: string; rows: string[] }>();
  for (const [position, { verdict }] of records.entries()) {
    for (const violation of verdict.violations) {
      const code = violationCode(violation);
      const description = `${violation.pointer}: ${violation.message}`;
      const known = rows.get(code + description) ?? { code, description, rows: [] };
      known.rows.push(String(position));
      rows.set(code + description, known);
    }
  }
  return [...rows.values()];
}

function sizeOf(records: readonly PendingRecord[]): number {
  return records.reduce((sum, { record }) => sum + JSON.stringify(record.entity).length, 0);
}

type MutableCounts = { -readonly [Key in keyof FateCounts]: number };

function zeroCounts(): MutableCounts {
  return { pending: 0, inLake: 0, inProfile: 0, failed: 0, lost: 0 };
}

/**
 * Validation, data lake and Profile (docs/platforms/adobe.md#silent-drops). The records of a
 * request become a batch of each dataset, and those that fail a failed batch of it.
 */
export function createIngestion(parts: IngestionParts): Ingestion {
  let counts = zeroCounts();
  let stores = new WeakMap<Sandbox, ProfileStore>();
  const timers = new Set<NodeJS.Timeout>();
  const maxBatches = Math.ceil(parts.maxPeople / PEOPLE_PER_BATCH);

  const push = <T>(list: T[], item: T): void => {
    list.push(item);
    if (list.length > maxBatches) list.shift();
  };

  const profiles = (sandbox: Sandbox): ProfileStore => {
    const known = stores.get(sandbox) ?? createProfileStore(parts.maxPeople);
    stores.set(sandbox, known);
    return known;
  };

  const show = ({ record, verdict }: PendingRecord, batch: string | undefined, sandbox: Sandbox): void => {
    const { state, inLake, inProfile } = verdict;
    const fate: RecordFate = { state, inLake, inProfile, ...(batch === undefined ? {} : { batchId: batch }) };
    parts.landed.settle(record.seq, fate);
    counts.pending -= 1;
    if (state === 'lost') counts.lost += 1;
    if (state === 'failed') counts.failed += 1;
    if (inLake) counts.inLake += 1;
    if (!inProfile) return;
    counts.inProfile += 1;
    const stored = { ...record, ...verdict.stored, fate };
    profiles(sandbox).add(stored, verdict.linksIdentities);
    parts.inProfile(stored);
  };

  /** Records of one dataset and flow that fail or succeed together. */
  const addBatch = (sandbox: Sandbox, records: readonly PendingRecord[], startedAt: number): TwinBatch => {
    const [first] = records as [PendingRecord];
    const now = parts.now();
    const batch: TwinBatch = {
      id: batchId(now),
      datasetId: first.record.datasetId ?? '',
      flowId: first.record.flowId,
      status: first.verdict.state === 'failed' ? 'failed' : 'success',
      createdAt: startedAt,
      completedAt: now,
      records: records.map(({ record, verdict }) => ({ seq: record.seq, violations: verdict.violations })),
      bytes: sizeOf(records),
      errors: errorsOf(records),
    };
    push(sandbox.batches, batch);
    for (const record of records) show(record, batch.id, sandbox);
    parts.batchEnded(sandbox, batch);
    return batch;
  };

  /** The run of a flow that ingests the records of one request. */
  const run = (
    sandbox: Sandbox,
    flowId: string,
    records: readonly PendingRecord[],
    startedAt: number,
  ): void => {
    const stored = records.filter(({ verdict }) => verdict.inLake || verdict.state === 'failed');
    const groups = Map.groupBy(stored, ({ record, verdict }) => `${verdict.state} ${record.datasetId}`);
    const batches = [...groups.values()].map((group) => addBatch(sandbox, group, startedAt));
    for (const record of records) if (!stored.includes(record)) show(record, undefined, sandbox);
    const failed = records.filter(({ verdict }) => verdict.state === 'failed').length;
    push(sandbox.runs, {
      id: randomUUID(),
      flowId,
      startedAt,
      completedAt: parts.now(),
      inputRecords: records.length,
      outputRecords: records.length - failed,
      failedRecords: failed,
      bytes: batches.reduce((sum, { bytes }) => sum + bytes, 0),
      batchIds: batches.map(({ id }) => id),
      errors: batches.flatMap(({ errors }) => errors),
    });
  };

  const ingest = (sandbox: Sandbox, records: readonly PendingRecord[], startedAt: number): void => {
    const known = records.filter(({ verdict }) => verdict.state !== 'lost');
    for (const record of records) if (!known.includes(record)) show(record, undefined, sandbox);
    for (const [flowId, group] of Map.groupBy(known, ({ record }) => record.flowId)) {
      run(sandbox, flowId, group, startedAt);
    }
    parts.changed();
  };

  const stopTimers = (): void => {
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
  };

  return {
    accept: (sandbox, records) => {
      if (records.length === 0) return;
      counts.pending += records.length;
      const startedAt = parts.now();
      const timer = setTimeout(() => {
        timers.delete(timer);
        ingest(sandbox, records, startedAt);
      }, parts.validationDelayMs);
      timers.add(timer);
    },
    profiles,
    counts: () => ({ ...counts }),
    clear: (sandboxes) => {
      stopTimers();
      for (const sandbox of sandboxes) {
        sandbox.batches.length = 0;
        sandbox.runs.length = 0;
      }
      stores = new WeakMap();
      counts = zeroCounts();
    },
    close: stopTimers,
  };
}
