import type { JsonObject } from '../../capillary/json.ts';
import type { Operation } from './opened-request.ts';
import { type Identity, identityKey } from './record-identity.ts';

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

/** A record before the store has numbered it. */
export type NewLanded = Omit<LandedRecord, 'seq' | 'duplicates'>;

/** Everything that landed. The newest `max` records are kept whole; the counts are exact whatever was let go. */
export interface LandedStore {
  add(record: NewLanded): LandedRecord;
  /** Oldest first. */
  list(filter?: LandedFilter): LandedRecord[];
  counts(): Readonly<Record<LandedKind, LandedCounts>>;
  clear(): void;
}

/** A record with its entity as text, which takes a fraction of the memory. */
type Kept = Omit<LandedRecord, 'entity'> & { readonly json: string };

function keep({ entity, ...record }: LandedRecord): Kept {
  return { ...record, json: JSON.stringify(entity) };
}

function show({ json, ...record }: Kept): LandedRecord {
  return {
    ...record,
    entity: JSON.parse(json) as JsonObject,
  };
}

type Tally = { -readonly [Key in keyof LandedCounts]: number };

function emptyTally(): Tally {
  return { landed: 0, distinctIds: 0, duplicates: 0, dropped: 0 };
}
function emptyCounts(): Record<LandedKind, Tally> {
  return {
    event: emptyTally(),
    profile: emptyTally(),
    raw: emptyTally(),
  };
}

function isWanted(record: Kept, filter: LandedFilter): boolean {
  return (
    (filter.id === undefined || record.id === filter.id) &&
    (filter.datasetId === undefined || record.datasetId === filter.datasetId) &&
    (filter.kind === undefined || record.kind === filter.kind) &&
    (filter.dropped === undefined || record.dropped.length > 0 === filter.dropped)
  );
}

export function createLandedStore(max: number): LandedStore {
  // A ring: record `seq` sits at (seq - 1) % max, so that letting go of the oldest costs nothing.
  let ring: Kept[] = [];
  let seq = 0;
  let counts = emptyCounts();
  const copies = new Map<string, number>();

  const countCopies = (record: NewLanded): number => {
    if (record.id === undefined) return 0;
    const key = identityKey({ namespace: record.datasetId ?? record.flowId, id: record.id });
    const before = copies.get(key) ?? 0;
    copies.set(key, before + 1);
    return before;
  };

  const tally = (record: LandedRecord): void => {
    const count = counts[record.kind];
    count.landed += 1;
    if (record.duplicates === 0) count.distinctIds += 1;
    else count.duplicates += 1;
    if (record.dropped.length > 0) count.dropped += 1;
  };

  return {
    add: (given) => {
      seq += 1;
      const record = { ...given, seq, duplicates: countCopies(given) };
      ring[(seq - 1) % max] = keep(record);
      tally(record);
      return record;
    },
    list: (filter = {}) => {
      const found: LandedRecord[] = [];
      const limit = filter.limit ?? Infinity;
      let next = Math.max(filter.since ?? 0, seq - max) + 1;
      for (; next <= seq && found.length < limit; next += 1) {
        const record = ring[(next - 1) % max];
        if (record && isWanted(record, filter)) found.push(show(record));
      }
      return found;
    },
    counts: () => structuredClone(counts),
    clear: () => {
      ring = [];
      seq = 0;
      counts = emptyCounts();
      copies.clear();
    },
  };
}
