import type { Database } from './database.ts';
import { KeyedPositions } from './index-keys.ts';

/*
 * An index ordered by hash would write a random page for each event and, with a long backlog, read
 * it first. So the newest entries are held in memory and merged into the table in key order, where
 * many of them share a page. Everything in memory can be derived from the events after the last
 * merged position, so a crash loses nothing: see indexes.ts.
 *
 * There are two generations in memory: `newest` receives entries; once it is full it becomes
 * `merging`, which is written to the table part by part. An entry that is deleted before it was
 * merged, such as that of an event delivered immediately, never reaches the table.
 */

/**
 * Entries of a generation: 2 MB in memory. With a million entries in the table, six or seven new
 * ones share a page.
 */
export const DEFAULT_GENERATION_SIZE = 32_768;
const ROWS_PER_INSERT = 32;

/** The generation that is being written to the table. */
interface Merging {
  readonly positions: KeyedPositions;
  /** In ascending order. */
  readonly keys: Float64Array;
  /** How many of the keys are already in the table. */
  readonly done: number;
  /** The last position that the generation covers. */
  readonly last: number;
}

export interface BufferedIndexOptions {
  /** A table of `(key, seq)`. */
  readonly table: string;
  /** The last position when the file was opened. */
  readonly last: number;
  readonly generationSize: number;
}

function statementsFor(table: string) {
  return {
    any: `SELECT 1 FROM ${table} LIMIT 1`,
    has: `SELECT 1 FROM ${table} WHERE key = ? LIMIT 1`,
    first: `SELECT min(seq) AS seq FROM ${table} WHERE key = ?`,
    all: `SELECT seq FROM ${table} WHERE key = ? ORDER BY seq`,
    insert: `INSERT OR IGNORE INTO ${table} (key, seq) VALUES (?, ?)`,
    delete: `DELETE FROM ${table} WHERE key = ? AND seq = ?`,
  };
}

/** An event and its key. */
export interface Entry {
  readonly key: number;
  readonly seq: number;
}

/** Finds positions of events by key. Changes in memory are undone by a rollback. */
export class BufferedIndex {
  readonly #db: Database;
  readonly #table: string;
  readonly #sql: ReturnType<typeof statementsFor>;
  readonly #generationSize: number;
  /**
   * Entries merged at a time, after half as many were added: a generation is completely merged long
   * before the next one is full.
   */
  readonly #partSize: number;
  /** Events up to this position may have their entry both in memory and in the table. */
  readonly #lastAtOpen: number;
  /**
   * False while the table is known to be empty and need not be queried, as is usual for the table
   * `queues` while delivery keeps up.
   */
  #isTableUsed: boolean;
  #newest = new KeyedPositions();
  #merging: Merging | undefined;
  /** Entries added since the newest generation began, and since the last part was merged. */
  #addedToGeneration = 0;
  #addedSinceMerge = 0;
  #last: number;
  /** To undo the current transaction: the last position before it, and the changes to memory. */
  #lastBefore: number;
  #added: Entry[] = [];
  #deleted: (Entry & { readonly from: KeyedPositions })[] = [];

  constructor(db: Database, { table, last, generationSize }: BufferedIndexOptions) {
    this.#db = db;
    this.#table = table;
    this.#sql = statementsFor(table);
    this.#generationSize = generationSize;
    this.#partSize = Math.max(2, generationSize >> 7);
    this.#lastAtOpen = last;
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
    const inMemory = lowest(this.#merging?.positions.first(key), this.#newest.first(key));
    if (!this.#isTableUsed) return inMemory;
    const { seq } = this.#db.one(this.#sql.first, key) as { seq: number | null };
    return lowest(seq ?? undefined, inMemory);
  }

  /** The positions of a key; may contain duplicates. */
  positionsOf(key: number): readonly number[] {
    const merged = (this.#isTableUsed ? this.#db.all(this.#sql.all, key) : []) as { seq: number }[];
    const before = this.#merging?.positions.positionsOf(key) ?? [];
    return [...merged.map(({ seq }) => seq), ...before, ...this.#newest.positionsOf(key)];
  }

  /** Adds the entry of an event that has just received its position. */
  insert(key: number, seq: number): void {
    this.skip(seq);
    this.#newest.add(key, seq);
    this.#added.push({ key, seq });
  }

  /** Records that an event that has just received its position has no entry. */
  skip(seq: number): void {
    this.#last = seq;
    this.#addedToGeneration += 1;
    this.#addedSinceMerge += 1;
  }

  /** Adds the entry of an existing event while the store is being opened. */
  load(key: number, seq: number): void {
    this.#newest.add(key, seq);
    this.#addedToGeneration += 1;
  }

  /**
   * Writes the entry of an older event to the table immediately: memory may only hold what can be
   * derived from the events after the last merged position.
   */
  insertExisting(key: number, seq: number): void {
    this.#isTableUsed = true;
    this.#db.run(this.#sql.insert, key, seq);
  }

  delete(key: number, seq: number): void {
    const from = [this.#newest, this.#merging?.positions].find((positions) => positions?.delete(key, seq));
    if (from !== undefined) this.#deleted.push({ from, key, seq });
    const isInMemoryOnly = from !== undefined && seq > this.#lastAtOpen && !this.#isMerged(from, key);
    if (!isInMemoryOnly && this.#isTableUsed) this.#db.run(this.#sql.delete, key, seq);
  }

  /** Whether the next part of the older generation should be merged. */
  get isMergeDue(): boolean {
    return this.#merging !== undefined && this.#addedSinceMerge * 2 >= this.#partSize;
  }

  /**
   * Merges the next part, in an open transaction. A failure changes nothing, and the next call
   * after more entries were added tries again.
   */
  mergePart(): void {
    const merging = this.#merging;
    if (merging === undefined) return;
    this.#addedSinceMerge = 0;
    const { positions, keys } = merging;
    const done = Math.min(keys.length, merging.done + this.#partSize);
    const entries: Entry[] = [];
    for (const key of keys.subarray(merging.done, done))
      for (const seq of positions.positionsOf(key)) entries.push({ key, seq });
    const isComplete = done === keys.length;
    this.#db.step(() => {
      insertMany(this.#db, this.#table, entries);
      if (isComplete) setMerged(this.#db, this.#table, merging.last);
    });
    this.#isTableUsed ||= entries.length > 0;
    this.#merging = isComplete ? undefined : { ...merging, done };
    // Merged entries may be deleted already. Not checked in commit(), which must not fail.
    if (isComplete) this.#isTableUsed = this.#isAnyMerged();
  }

  commit(): void {
    this.#forgetChanges();
    if (this.#addedToGeneration < this.#generationSize || this.#merging !== undefined) return;
    this.#merging = { positions: this.#newest, keys: this.#newest.keys(), done: 0, last: this.#last };
    this.#newest = new KeyedPositions();
    this.#addedToGeneration = 0;
  }

  rollback(): void {
    for (const { from, key, seq } of this.#deleted) from.add(key, seq);
    for (const { key, seq } of this.#added) this.#newest.delete(key, seq);
    // The positions of the transaction will be assigned again.
    this.#last = this.#lastBefore;
    this.#forgetChanges();
  }

  #forgetChanges(): void {
    this.#lastBefore = this.#last;
    this.#added = [];
    this.#deleted = [];
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

function lowest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}

/** Inserts entries into the table of an index; fastest in key order. */
export function insertMany(db: Database, table: string, entries: readonly Entry[]): void {
  const inFullRows = entries.length - (entries.length % ROWS_PER_INSERT);
  const { insert } = statementsFor(table);
  const insertRows = `${insert}${', (?, ?)'.repeat(ROWS_PER_INSERT - 1)}`;
  for (let at = 0; at < inFullRows; at += ROWS_PER_INSERT)
    db.run(insertRows, ...entries.slice(at, at + ROWS_PER_INSERT).flatMap(({ key, seq }) => [key, seq]));
  for (const { key, seq } of entries.slice(inFullRows)) db.run(insert, key, seq);
}

/** Records that the table has the entries of all events up to this position. */
export function setMerged(db: Database, table: string, seq: number): void {
  db.run(
    'INSERT INTO merged (name, seq) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq',
    table,
    seq,
  );
}

/** The position up to which the table has the entries of all events. */
export function mergedUpTo(db: Database, table: string): number {
  return (db.one('SELECT seq FROM merged WHERE name = ?', table) as { seq: number } | undefined)?.seq ?? 0;
}
