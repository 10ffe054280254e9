import type { JsonObject } from '../../capillary/json.ts';
import type { Operation } from './upsert-operations.ts';
import type { RecordFate } from './record-fate.ts';
import { type Identity, identityKey } from './record-identity.ts';

export type LandedKind = 'event' | 'profile' | 'raw';

/** One message that the simulated inlet accepted, as the data lake shows it. */
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
  /** `_id`, or `eventId` of a raw payload. */
  readonly id?: string;
  readonly eventType?: string;
  /** The primary identity. */
  readonly identity?: Identity;
  readonly entity: JsonObject;
  /**
   * What a raw payload with `header.operations` does to the profile. Adobe's data lake never
   * receives a merge; it is listed anyway.
   */
  readonly operation?: Operation;
  /** Earlier records with this id in this dataset. */
  readonly duplicates: number;
  /** Why Adobe drops it without notifying the sender; empty for a valid record. */
  readonly dropped: readonly string[];
  /** Only of an inlet that the platform API made. */
  readonly fate?: RecordFate;
  readonly requestId: string;
  /** Position in its batch, from 0. */
  readonly position: number;
}

export interface LandedFilter {
  readonly id?: string;
  readonly datasetId?: string;
  readonly kind?: LandedKind;
  readonly dropped?: boolean;
  readonly fate?: RecordFate['state'];
  /** Only what is in the data lake. */
  readonly inLake?: boolean;
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

/** A record before the store assigns its number. */
export type NewLanded = Omit<LandedRecord, 'seq' | 'duplicates'>;

/** Everything that landed. Only the newest records are kept, but the counts are exact. */
export interface LandedStore {
  add(record: NewLanded): LandedRecord;
  /** The fate of a record has shown. */
  settle(seq: number, fate: RecordFate): void;
  /** Undefined if it is not kept any more. */
  get(seq: number): LandedRecord | undefined;
  /** Oldest first. */
  list(filter?: LandedFilter): LandedRecord[];
  counts(): Readonly<Record<LandedKind, LandedCounts>>;
  clear(): void;
}

/** A record with its entity as JSON text, which needs a fraction of the memory. */
type StoredRecord = Omit<LandedRecord, 'entity'> & { readonly json: string };

function pack({ entity, ...record }: LandedRecord): StoredRecord {
  return { ...record, json: JSON.stringify(entity) };
}

function unpack({ json, ...record }: StoredRecord): LandedRecord {
  return {
    ...record,
    entity: JSON.parse(json) as JsonObject,
  };
}

type MutableCounts = { -readonly [Key in keyof LandedCounts]: number };

function zeroCounts(): MutableCounts {
  return { landed: 0, distinctIds: 0, duplicates: 0, dropped: 0 };
}
function zeroCountsByKind(): Record<LandedKind, MutableCounts> {
  return {
    event: zeroCounts(),
    profile: zeroCounts(),
    raw: zeroCounts(),
  };
}

/** What an inlet without a platform accepts is in the lake at once, unless Adobe would drop it. */
function isInLake({ fate, dropped, operation }: StoredRecord): boolean {
  return fate?.inLake ?? (dropped.length === 0 && operation !== 'merge' && operation !== 'delete');
}

function matchesFilter(record: StoredRecord, filter: LandedFilter): boolean {
  return (
    (filter.id === undefined || record.id === filter.id) &&
    (filter.datasetId === undefined || record.datasetId === filter.datasetId) &&
    (filter.kind === undefined || record.kind === filter.kind) &&
    (filter.dropped === undefined || record.dropped.length > 0 === filter.dropped) &&
    (filter.fate === undefined || record.fate?.state === filter.fate) &&
    (filter.inLake === undefined || isInLake(record) === filter.inLake)
  );
}

/** @param max number of records to keep */
export function createLandedStore(max: number): LandedStore {
  // A ring buffer: record `seq` is at (seq - 1) % max, so replacing the oldest record is cheap.
  let ring: StoredRecord[] = [];
  let seq = 0;
  let counts = zeroCountsByKind();
  const copies = new Map<string, number>();

  const countCopies = (record: NewLanded): number => {
    if (record.id === undefined) return 0;
    const key = identityKey({ namespace: record.datasetId ?? record.flowId, id: record.id });
    const before = copies.get(key) ?? 0;
    copies.set(key, before + 1);
    return before;
  };

  const count = (record: LandedRecord): void => {
    const kindCounts = counts[record.kind];
    kindCounts.landed += 1;
    if (record.duplicates === 0) kindCounts.distinctIds += 1;
    else kindCounts.duplicates += 1;
    if (record.dropped.length > 0) kindCounts.dropped += 1;
  };

  const stored = (number: number): StoredRecord | undefined => {
    const record = ring[(number - 1) % max];
    return record?.seq === number ? record : undefined;
  };

  return {
    add: (given) => {
      seq += 1;
      const record = { ...given, seq, duplicates: countCopies(given) };
      ring[(seq - 1) % max] = pack(record);
      count(record);
      return record;
    },
    settle: (number, fate) => {
      const record = stored(number);
      if (record) ring[(number - 1) % max] = { ...record, fate };
    },
    get: (number) => {
      const record = stored(number);
      return record && unpack(record);
    },
    list: (filter = {}) => {
      const found: LandedRecord[] = [];
      const limit = filter.limit ?? Infinity;
      let next = Math.max(filter.since ?? 0, seq - max) + 1;
      for (; next <= seq && found.length < limit; next += 1) {
        const record = ring[(next - 1) % max];
        if (record && matchesFilter(record, filter)) found.push(unpack(record));
      }
      return found;
    },
    counts: () => structuredClone(counts),
    clear: () => {
      ring = [];
      seq = 0;
      counts = zeroCountsByKind();
      copies.clear();
    },
  };
}
