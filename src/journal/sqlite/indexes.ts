import {
  BufferedIndex,
  type Entry,
  GENERATION,
  insertMany,
  mergedUpTo,
  setMerged,
} from './buffered-index.ts';
import type { Database } from './database.ts';
import { identityKey, queueKey } from './index-keys.ts';

/** The buffered indexes of a store. */
export interface Indexes {
  /** Every event by its identity. */
  readonly identities: BufferedIndex;
  /** What is pending, by the queue of its lane in which it waits. */
  readonly queues: BufferedIndex;
}

type Read = (db: Database, above: number, upTo: number) => Entry[];

const identitiesBetween: Read = (db, above, upTo) =>
  (
    db.all(
      'SELECT seq, identity FROM events NOT INDEXED WHERE seq > ? AND seq <= ? AND identity IS NOT NULL ORDER BY seq',
      above,
      upTo,
    ) as { seq: number; identity: Uint8Array }[]
  ).map(({ seq, identity }) => ({ key: identityKey(identity), seq }));

const queuedBetween: Read = (db, above, upTo) =>
  (
    db.all(
      `SELECT seq, destination, lane, replay FROM events NOT INDEXED
       WHERE seq > ? AND seq <= ? AND state = 'pending' AND lane IS NOT NULL ORDER BY seq`,
      above,
      upTo,
    ) as { seq: number; destination: string; lane: string; replay: number }[]
  ).map(({ seq, destination, lane, replay }) => ({ key: queueKey(destination, lane, replay), seq }));

/** The entries that the events from one position to another must have, by the table of the index. */
const ENTRIES = { identities: identitiesBetween, queues: queuedBetween } as const satisfies Record<
  keyof Indexes,
  Read
>;

/** Names of the tables; all that is in them is said by the events. */
export const INDEX_TABLES: readonly string[] = [...Object.keys(ENTRIES), 'merged'];

/** Generations that may be behind the last merged position after a crash: one full, one on its way, and room for positions without an entry. */
const MOST_BEHIND = 4;

/** Fills the table where it knows little or nothing: after a migration or a salvage. A million events take some seconds. */
function catchUp(db: Database, table: keyof Indexes, last: number, generation: number): number {
  let merged = mergedUpTo(db, table);
  while (last - merged > generation * MOST_BEHIND) {
    const upTo = merged + generation * MOST_BEHIND;
    const entries = ENTRIES[table](db, merged, upTo).toSorted((a, b) => a.key - b.key);
    db.transaction(() => {
      insertMany(db, table, entries);
      setMerged(db, table, upTo);
    });
    merged = upTo;
  }
  return merged;
}

function openIndex(db: Database, table: keyof Indexes, last: number, generation: number): BufferedIndex {
  const merged = catchUp(db, table, last, generation);
  const index = new BufferedIndex(db, { table, last, generation });
  for (let above = merged; above < last; above += generation) {
    const entries = ENTRIES[table](db, above, Math.min(above + generation, last));
    for (const { key, seq } of entries) index.load(key, seq);
  }
  return index;
}

/** Opens the indexes of a store. What was in memory only when the relay ended is read from the events again. */
export function openIndexes(db: Database, generation = GENERATION): Indexes {
  const { last } = db.one('SELECT coalesce(max(seq), 0) AS last FROM events') as { last: number };
  return {
    identities: openIndex(db, 'identities', last, generation),
    queues: openIndex(db, 'queues', last, generation),
  };
}

/**
 * Merges what is due of the indexes into their tables. Never throws: what cannot be written stays in memory and is tried again, and that the
 * file cannot be written to shows at the next commit.
 */
export function mergeDue({ identities, queues }: Indexes): void {
  try {
    for (const index of [identities, queues]) if (index.isDue) index.merge();
  } catch {
    // Tried again when more has come.
  }
}
