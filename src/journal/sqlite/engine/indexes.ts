import {
  BufferedIndex,
  DEFAULT_GENERATION_SIZE,
  type Entry,
  insertMany,
  mergedUpTo,
  setMerged,
} from './buffered-index.ts';
import type { Database } from './database.ts';
import { queueKey } from '../../queue-key.ts';
import { identityKey } from './index-keys.ts';

/** The buffered indexes of a store. */
export interface Indexes {
  /** All events by identity. */
  readonly identities: BufferedIndex;
  /** Pending events by queue. */
  readonly queues: BufferedIndex;
}

type ReadEntries = (db: Database, above: number, upTo: number) => Entry[];

const identitiesBetween: ReadEntries = (db, above, upTo) =>
  (
    db.all(
      `SELECT seq, identity FROM events NOT INDEXED
       WHERE seq > ? AND seq <= ? AND identity IS NOT NULL ORDER BY seq`,
      above,
      upTo,
    ) as { seq: number; identity: Uint8Array }[]
  ).map(({ seq, identity }) => ({ key: identityKey(identity), seq }));

const queuedBetween: ReadEntries = (db, above, upTo) =>
  (
    db.all(
      `SELECT seq, destination, lane, replay FROM events NOT INDEXED
       WHERE seq > ? AND seq <= ? AND state = 'pending' AND lane IS NOT NULL ORDER BY seq`,
      above,
      upTo,
    ) as { seq: number; destination: string; lane: string; replay: number }[]
  ).map(({ seq, destination, lane, replay }) => ({ key: queueKey(destination, lane, replay), seq }));

/** By index: derives its entries from the events in a range of positions. */
const ENTRY_READERS = { identities: identitiesBetween, queues: queuedBetween } as const satisfies Record<
  keyof Indexes,
  ReadEntries
>;

/** Names of the tables, whose complete content can be derived from the events. */
export const INDEX_TABLES: readonly string[] = [...Object.keys(ENTRY_READERS), 'merged'];

/**
 * Generations that may follow the last merged position after a crash: one full, one being merged,
 * and room for positions without an entry.
 */
const MAX_GENERATIONS_BEHIND = 4;

/**
 * Fills a table that is empty after a migration or a salvage. A million events take some seconds.
 */
function catchUp(db: Database, table: keyof Indexes, last: number, generationSize: number): number {
  let merged = mergedUpTo(db, table);
  while (last - merged > generationSize * MAX_GENERATIONS_BEHIND) {
    const upTo = merged + generationSize * MAX_GENERATIONS_BEHIND;
    const entries = ENTRY_READERS[table](db, merged, upTo).toSorted((a, b) => a.key - b.key);
    db.transaction(() => {
      insertMany(db, table, entries);
      setMerged(db, table, upTo);
    });
    merged = upTo;
  }
  return merged;
}

function openIndex(db: Database, table: keyof Indexes, last: number, generationSize: number): BufferedIndex {
  const merged = catchUp(db, table, last, generationSize);
  const index = new BufferedIndex(db, { table, last, generationSize });
  for (let above = merged; above < last; above += generationSize) {
    const entries = ENTRY_READERS[table](db, above, Math.min(above + generationSize, last));
    for (const { key, seq } of entries) index.load(key, seq);
  }
  return index;
}

/**
 * Opens the indexes of a store. Entries that were only in memory are derived from the events again.
 */
export function openIndexes(db: Database, generationSize = DEFAULT_GENERATION_SIZE): Indexes {
  const { last } = db.one('SELECT coalesce(max(seq), 0) AS last FROM events') as { last: number };
  return {
    identities: openIndex(db, 'identities', last, generationSize),
    queues: openIndex(db, 'queues', last, generationSize),
  };
}

/**
 * Merges the parts that are due. Never throws: entries that cannot be written stay in memory, and
 * the next commit reports that the file is not writable.
 */
export function mergeDueParts(indexes: Indexes, tables: { begin(): void }): void {
  const due = [indexes.identities, indexes.queues].filter(({ isMergeDue }) => isMergeDue);
  if (due.length === 0) return;
  try {
    tables.begin();
    for (const index of due) index.mergePart();
  } catch {
    // Retried after more entries were added.
  }
}
