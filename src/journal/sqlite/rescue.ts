import type { DatabaseSync, SQLInputValue } from 'node:sqlite';

/*
 * Copies rows out of a damaged database. A range of keys is read at once; where that fails each key of it is looked up by itself, so
 * that a damaged page costs the rows that are on it and no others.
 */
const RANGE = 512;
/** Rows of a page are not more than this; bounds the keys that are tried where their end cannot be read. */
const ROWS_PER_PAGE = 200;

/** What became of one table. */
export interface RescuedTable {
  readonly table: string;
  readonly copied: number;
  /** Keys at which reading failed: rows that are lost, and places where none was. */
  readonly unreadable: number;
}

export type Row = Record<string, SQLInputValue>;

interface Parts {
  readonly from: DatabaseSync;
  readonly to: DatabaseSync;
  /** Whether a row can be what it says it is; by table. */
  readonly sane: (table: string, row: Row) => boolean;
}

/** Undefined where the damage is in the way. */
export function attempt<T>(read: () => T): T | undefined {
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

function inserter({ from, to }: Parts, table: string): (row: Row) => boolean {
  const there = new Set(attempt(() => columnsOf(from, table)) ?? []);
  const columns = columnsOf(to, table).filter((column) => there.has(column));
  const insert = to.prepare(
    `INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  return (row) => Number(insert.run(...columns.map((column) => row[column] ?? null)).changes) > 0;
}

/** The last position that was ever given in the table whose positions this one has; undefined for one without. */
function lastGiven(db: DatabaseSync, table: string): number | undefined {
  const of = ['bodies', 'attempts', 'notes'].includes(table) ? 'events' : table;
  const row = attempt(() => db.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').get(of));
  return row === undefined ? undefined : Number(row['seq']);
}

/** First and last key, or bounds of them where they cannot be read. */
function boundsOf(db: DatabaseSync, table: string, key: string): { min: number; max: number } {
  const edge = (what: 'min' | 'max'): number | undefined =>
    attempt(() => Number(db.prepare(`SELECT ${what}(${key}) AS at FROM ${table} NOT INDEXED`).get()?.['at']));
  const pages = attempt(() => Number(db.prepare('PRAGMA page_count').get()?.['page_count'])) ?? 0;
  return { min: edge('min') ?? 1, max: edge('max') ?? lastGiven(db, table) ?? pages * ROWS_PER_PAGE };
}

/** Copies what can be read of a table, by its rowid or another whole number. */
export function rescueTable(parts: Parts, table: string, key: string): RescuedTable {
  const insert = inserter(parts, table);
  const read = parts.from.prepare(
    `SELECT * FROM ${table} NOT INDEXED WHERE ${key} BETWEEN ? AND ? ORDER BY ${key}`,
  );
  let copied = 0;
  let unreadable = 0;
  const take = (from: number, to: number): boolean => {
    const rows = attempt(() => read.all(from, to) as Row[]);
    if (rows === undefined) return false;
    for (const row of rows) {
      const isKept = parts.sane(table, row) && attempt(() => insert(row)) === true;
      if (isKept) copied += 1;
      else unreadable += 1;
    }
    return true;
  };
  const { min, max } = boundsOf(parts.from, table, key);
  parts.to.exec('BEGIN');
  for (let at = min; at <= max; at += RANGE) {
    if (take(at, at + RANGE - 1)) continue;
    for (let one = at; one < at + RANGE && one <= max; one += 1) if (!take(one, one)) unreadable += 1;
  }
  parts.to.exec('COMMIT');
  return { table, copied, unreadable };
}

/** Copies a small table as a whole, or nothing of it. */
export function rescueWhole(parts: Parts, table: string): RescuedTable {
  const insert = inserter(parts, table);
  const rows = attempt(() => parts.from.prepare(`SELECT * FROM ${table}`).all() as Row[]);
  const copied = (rows ?? []).filter((row) => attempt(() => insert(row)) === true).length;
  return { table, copied, unreadable: rows === undefined ? 1 : rows.length - copied };
}
