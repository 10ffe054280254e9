import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { scanWal } from '../engine/wal-frames.ts';

/** The first bytes of every SQLite file, and the size of its header. */
const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');
const HEADER_BYTES = 100;
const PAGE_BYTES = 4_096;
/** Offset of the number of pages in the header; big-endian. */
const PAGE_COUNT_OFFSET = 28;

/**
 * Replaces a damaged header with that of a sound store. The schema follows it and is not replaced.
 */
function repairHeader(copy: number, header: Buffer, sound: string): void {
  if (header.subarray(0, MAGIC.length).equals(MAGIC)) return;
  const from = openSync(sound, 'r');
  readSync(from, header, 0, HEADER_BYTES, 0);
  closeSync(from);
  header.writeUInt32BE(0, PAGE_COUNT_OFFSET);
  writeSync(copy, header, 0, HEADER_BYTES, 0);
}

/**
 * Extends a truncated copy to the length in its header: the missing pages are then unreadable, but
 * the others can be read.
 */
function repairLength(copy: number, header: Buffer, bytes: number): void {
  const fullLength = Math.max(
    header.readUInt32BE(PAGE_COUNT_OFFSET) * PAGE_BYTES,
    Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES,
  );
  if (bytes < fullLength) ftruncateSync(copy, fullLength);
}

/** What a write-ahead log held for a copy. */
export interface AppliedWal {
  /** Pages that were written to the copy. */
  readonly applied: number;
  /** Pages up to the last commit that are damaged; the copy has an older state of them. */
  readonly damaged: number;
}

/**
 * Writes to the copy whatever the write-ahead log still holds up to its last sound commit, also
 * what follows a damaged frame, which SQLite would not read.
 */
function applyWal(original: string, copy: number): AppliedWal {
  let frames = 0;
  let lastCommit = 0;
  scanWal(original, ({ isCommit, isValid }) => {
    frames += 1;
    if (isCommit && isValid) lastCommit = frames;
  });
  let at = 0;
  let applied = 0;
  scanWal(original, ({ page, isValid }, content) => {
    at += 1;
    if (at > lastCommit || !isValid || page === 0) return;
    writeSync(copy, content, 0, PAGE_BYTES, (page - 1) * PAGE_BYTES);
    applied += 1;
  });
  return { applied, damaged: lastCommit - applied };
}

/** A copy of a damaged database, open for reading. */
export interface RepairedCopy {
  readonly db: DatabaseSync;
  readonly wal: AppliedWal;
}

/**
 * Opens a copy of a damaged database so that its undamaged parts can be read. The original is not
 * changed, and may be missing if its write-ahead log exists. `sound` is the file of any sound store
 * with the same format.
 */
export function openRepairedCopy(original: string, copy: string, sound: string): RepairedCopy {
  if (existsSync(original)) copyFileSync(original, copy, constants.COPYFILE_FICLONE);
  closeSync(openSync(copy, 'a', 0o600));
  chmodSync(copy, 0o600);
  const handle = openSync(copy, 'r+');
  let wal: AppliedWal;
  try {
    wal = applyWal(original, handle);
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(handle, header, 0, HEADER_BYTES, 0);
    repairHeader(handle, header, sound);
    repairLength(handle, header, statSync(copy).size);
  } finally {
    closeSync(handle);
  }
  const db = new DatabaseSync(copy, { timeout: 0 });
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  return { db, wal };
}

/*
 * Rows are read in ranges of keys. If a range cannot be read, each of its keys is read separately,
 * so that a damaged page loses only the rows on that page.
 */
const KEYS_PER_READ = 512;
/** Upper bound, to limit the keys that are tried if the last key cannot be read. */
const MAX_ROWS_PER_PAGE = 200;

/** The result for one table. */
export interface CopiedTable {
  readonly table: string;
  readonly copied: number;
  /** Keys that could not be read: lost rows, and keys without a row. */
  readonly unreadable: number;
}

export type Row = Record<string, SQLInputValue>;

interface CopyContext {
  readonly from: DatabaseSync;
  readonly to: DatabaseSync;
  /** Whether the values of a row are possible, or clearly damaged. */
  readonly isPlausible: (table: string, row: Row) => boolean;
}

/** Undefined if damage prevents reading. */
export function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function columnsOf(db: DatabaseSync, table: string): string[] {
  return db
    .prepare('SELECT name FROM pragma_table_info(?)')
    .all(table)
    .map((row) => String(row['name']));
}

function inserter({ from, to }: CopyContext, table: string): (row: Row) => boolean {
  const existing = new Set(tryRead(() => columnsOf(from, table)) ?? []);
  const columns = columnsOf(to, table).filter((column) => existing.has(column));
  const insert = to.prepare(
    `INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  return (row) => Number(insert.run(...columns.map((column) => row[column] ?? null)).changes) > 0;
}

/** The tables whose key is the position of an event. */
const OF_EVENTS: ReadonlySet<string> = new Set([
  'bodies',
  'attempts',
  'notes',
  'differing_copies',
  'entities',
  'refreshes',
  'doubts',
  'watched',
]);

/** The last key ever assigned in a table; undefined for a table without such a record. */
function lastAssigned(db: DatabaseSync, table: string): number | undefined {
  const owner = OF_EVENTS.has(table) ? 'events' : table;
  const row = tryRead(() => db.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').get(owner));
  return row === undefined ? undefined : Number(row['seq']);
}

/** First and last key of a table, or bounds for them if they cannot be read. */
function keyBounds(db: DatabaseSync, table: string, key: string): { min: number; max: number } {
  const extreme = (fn: 'min' | 'max'): number | undefined =>
    tryRead(() => Number(db.prepare(`SELECT ${fn}(${key}) AS at FROM ${table} NOT INDEXED`).get()?.['at']));
  const pages = tryRead(() => Number(db.prepare('PRAGMA page_count').get()?.['page_count'])) ?? 0;
  return {
    min: extreme('min') ?? 1,
    max: extreme('max') ?? lastAssigned(db, table) ?? pages * MAX_ROWS_PER_PAGE,
  };
}

/** Copies the readable rows of a table by rowid or by another integer key. */
export function copyTable(context: CopyContext, table: string, key: string): CopiedTable {
  const insert = inserter(context, table);
  const read = context.from.prepare(
    `SELECT * FROM ${table} NOT INDEXED WHERE ${key} BETWEEN ? AND ? ORDER BY ${key}`,
  );
  let copied = 0;
  let unreadable = 0;
  const copyRange = (from: number, to: number): boolean => {
    const rows = tryRead(() => read.all(from, to) as Row[]);
    if (rows === undefined) return false;
    for (const row of rows) {
      const isCopied = context.isPlausible(table, row) && tryRead(() => insert(row)) === true;
      if (isCopied) copied += 1;
      else unreadable += 1;
    }
    return true;
  };
  const { min, max } = keyBounds(context.from, table, key);
  context.to.exec('BEGIN');
  for (let at = min; at <= max; at += KEYS_PER_READ) {
    if (copyRange(at, at + KEYS_PER_READ - 1)) continue;
    for (let each = at; each < at + KEYS_PER_READ && each <= max; each += 1)
      if (!copyRange(each, each)) unreadable += 1;
  }
  context.to.exec('COMMIT');
  return { table, copied, unreadable };
}

/** Copies the rows of a table in its own order, up to the first that cannot be read. */
export function copyWholeTable(context: CopyContext, table: string): CopiedTable {
  const insert = inserter(context, table);
  let copied = 0;
  let unreadable = 0;
  context.to.exec('BEGIN');
  const isComplete = tryRead(() => {
    for (const row of context.from.prepare(`SELECT * FROM ${table}`).iterate() as Iterable<Row>) {
      if (tryRead(() => insert(row)) === true) copied += 1;
      else unreadable += 1;
    }
    return true;
  });
  context.to.exec('COMMIT');
  return { table, copied, unreadable: isComplete === true ? unreadable : unreadable + 1 };
}
