import type { Database } from './database.ts';
import { KeyedPositions } from './keyed-positions.ts';

/*
 * An index in the order of hashes would write a page anywhere for each event, and beside a long backlog read it first. So its newest entries are
 * in memory only, and are merged into its table in the order of the keys, many of them on one page. What is in memory is no more than the
 * events behind the last merged position say by themselves, so a crash loses nothing: see indexes.ts.
 *
 * Two generations are in memory: `newest`, which takes entries, and once it is full the one before it, `merging`, part after part. An entry
 * that goes before it was merged, as that of an event which is delivered at once, never was in the table.
 */

/** Entries that a generation takes. With a million in the table six or seven go on one page; in memory it is 2 MB. */
export const GENERATION = 32_768;
/** Rows that one statement inserts. */
const ROWS = 32;

/** The generation that is on its way into the table. */
interface Merging {
  readonly positions: KeyedPositions;
  /** In rising order. */
  readonly keys: Float64Array;
  /** How many of the keys are in the table. */
  readonly done: number;
  /** The last position that any of its events can have. */
  readonly last: number;
}

export interface BufferedIndexOptions {
  /** Of `(key, seq)`. */
  readonly table: string;
  /** The last position there was when the file was opened. */
  readonly last: number;
  readonly generation: number;
}

/** Calls on the table of an index. */
function textsOf(table: string) {
  return {
    any: `SELECT 1 FROM ${table} LIMIT 1`,
    has: `SELECT 1 FROM ${table} WHERE key = ? LIMIT 1`,
    first: `SELECT min(seq) AS seq FROM ${table} WHERE key = ?`,
    all: `SELECT seq FROM ${table} WHERE key = ? ORDER BY seq`,
    insert: `INSERT OR IGNORE INTO ${table} (key, seq) VALUES (?, ?)`,
    delete: `DELETE FROM ${table} WHERE key = ? AND seq = ?`,
  };
}

/** An event and the key by which it is found. */
export interface Entry {
  readonly key: number;
  readonly seq: number;
}

/** Finds positions of events by a key. What a transaction changes in memory is undone when it is rolled back. */
export class BufferedIndex {
  readonly #db: Database;
  readonly #table: string;
  readonly #sql: ReturnType<typeof textsOf>;
  readonly #generation: number;
  /** Entries moved at a time, after half as many have come: so a generation is through long before the next is full. */
  readonly #part: number;
  /** Events up to here can have their entry in memory and in the table. */
  readonly #opened: number;
  /** False while the table is known to be empty, as that of queues is while delivery keeps up: it need not be asked then. */
  #isTableUsed: boolean;
  #newest = new KeyedPositions();
  #merging: Merging | undefined;
  /** Entries since the newest generation began, and since the last part was merged. */
  #taken = 0;
  #sincePart = 0;
  #last: number;
  /** Of the transaction in hand: the last position before it, what it added to the newest generation, and what it took from which. */
  #lastBefore: number;
  #added: Entry[] = [];
  #dropped: (Entry & { readonly from: KeyedPositions })[] = [];

  constructor(db: Database, { table, last, generation }: BufferedIndexOptions) {
    this.#db = db;
    this.#table = table;
    this.#sql = textsOf(table);
    this.#generation = generation;
    this.#part = Math.max(2, generation >> 7);
    this.#opened = last;
    this.#last = last;
    this.#lastBefore = last;
    this.#isTableUsed = this.#isAnyMerged();
  }

  has(key: number): boolean {
    if (this.#newest.has(key) || this.#merging?.positions.has(key) === true) return true;
    return this.#isTableUsed && this.#db.one(this.#sql.has, key) !== undefined;
  }

  /** The lowest position of a key. */
  first(key: number): number | undefined {
    const inMemory = lower(this.#merging?.positions.first(key), this.#newest.first(key));
    if (!this.#isTableUsed) return inMemory;
    const { seq } = this.#db.one(this.#sql.first, key) as { seq: number | null };
    return lower(seq ?? undefined, inMemory);
  }

  /** The positions of a key, some of them perhaps twice. */
  of(key: number): readonly number[] {
    const merged = (this.#isTableUsed ? this.#db.all(this.#sql.all, key) : []) as { seq: number }[];
    const before = this.#merging?.positions.of(key) ?? [];
    return [...merged.map(({ seq }) => seq), ...before, ...this.#newest.of(key)];
  }

  /** Takes the entry of an event that has just been given its position. */
  insert(key: number, seq: number): void {
    this.pass(seq);
    this.#newest.add(key, seq);
    this.#added.push({ key, seq });
  }

  /** Takes note of an event that has just been given its position and has no entry. */
  pass(seq: number): void {
    this.#last = seq;
    this.#taken += 1;
    this.#sincePart += 1;
  }

  /** Takes an entry that the file already speaks of, when it is opened. */
  load(key: number, seq: number): void {
    this.#newest.add(key, seq);
    this.#taken += 1;
  }

  /** Puts the entry of an older event into the table at once: what is in memory must be what the events behind the last merged position say. */
  insertOlder(key: number, seq: number): void {
    this.#isTableUsed = true;
    this.#db.run(this.#sql.insert, key, seq);
  }

  delete(key: number, seq: number): void {
    const from = [this.#newest, this.#merging?.positions].find((positions) => positions?.drop(key, seq));
    if (from !== undefined) this.#dropped.push({ from, key, seq });
    const isInMemoryOnly = from !== undefined && seq > this.#opened && !this.#isMerged(from, key);
    if (!isInMemoryOnly && this.#isTableUsed) this.#db.run(this.#sql.delete, key, seq);
  }

  /** Whether a part of the older generation waits to be merged. */
  get isDue(): boolean {
    return this.#merging !== undefined && this.#sincePart * 2 >= this.#part;
  }

  /** Merges the next part in a transaction of its own. When it fails nothing has changed, and it is tried again when more has come. */
  merge(): void {
    const merging = this.#merging;
    if (merging === undefined) return;
    this.#sincePart = 0;
    const { positions, keys } = merging;
    const done = Math.min(keys.length, merging.done + this.#part);
    const entries: Entry[] = [];
    for (const key of keys.subarray(merging.done, done))
      for (const seq of positions.of(key)) entries.push({ key, seq });
    const isThrough = done === keys.length;
    this.#db.transaction(() => {
      insertMany(this.#db, this.#table, entries);
      if (isThrough) setMerged(this.#db, this.#table, merging.last);
    });
    this.#isTableUsed ||= entries.length > 0;
    this.#merging = isThrough ? undefined : { ...merging, done };
    // What was merged can be gone again. Asked here and not at a commit, which must not fail once it is on the disk.
    if (isThrough) this.#isTableUsed = this.#isAnyMerged();
  }

  commit(): void {
    this.#settle();
    if (this.#taken < this.#generation || this.#merging !== undefined) return;
    this.#merging = { positions: this.#newest, keys: this.#newest.keys(), done: 0, last: this.#last };
    this.#newest = new KeyedPositions();
    this.#taken = 0;
  }

  rollback(): void {
    for (const { from, key, seq } of this.#dropped) from.add(key, seq);
    for (const { key, seq } of this.#added) this.#newest.drop(key, seq);
    // Its positions are given again.
    this.#last = this.#lastBefore;
    this.#settle();
  }

  #settle(): void {
    this.#lastBefore = this.#last;
    this.#added = [];
    this.#dropped = [];
  }

  #isAnyMerged(): boolean {
    return this.#db.one(this.#sql.any) !== undefined;
  }

  #isMerged(positions: KeyedPositions, key: number): boolean {
    const merging = this.#merging;
    if (merging === undefined || merging.positions !== positions) return false;
    return merging.done > 0 && key <= (merging.keys[merging.done - 1] ?? 0);
  }
}

function lower(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || (other !== undefined && other < one) ? other : one;
}

/** Inserts entries into the table of an index; in the order of keys it is quickest. */
export function insertMany(db: Database, table: string, entries: readonly Entry[]): void {
  const whole = entries.length - (entries.length % ROWS);
  const { insert } = textsOf(table);
  const insertRows = `${insert}${', (?, ?)'.repeat(ROWS - 1)}`;
  for (let at = 0; at < whole; at += ROWS)
    db.run(insertRows, ...entries.slice(at, at + ROWS).flatMap(({ key, seq }) => [key, seq]));
  for (const { key, seq } of entries.slice(whole)) db.run(insert, key, seq);
}

/** Writes down that every event up to this position has its entry in the table, if it needs one. */
export function setMerged(db: Database, table: string, seq: number): void {
  db.run(
    'INSERT INTO merged (name, seq) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq',
    table,
    seq,
  );
}

/** The position up to which every event has its entry in the table. */
export function mergedUpTo(db: Database, table: string): number {
  return (db.one('SELECT seq FROM merged WHERE name = ?', table) as { seq: number } | undefined)?.seq ?? 0;
}
