import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

const PAGE_BYTES = 4_096;
const HEADER_BYTES = 100;
/** Offsets in the header: first free page, number of free pages, largest root page. */
const NO_LISTS = [32, 36, 52] as const;
/** Type of an empty leaf of a table, with its content at the end of the page. */
const EMPTY_LEAF = Buffer.of(0x0d, 0, 0, 0, 0, PAGE_BYTES >> 8, 0, 0);
/** First bytes of a page that can be the root of a table or an index. */
const ROOT_TYPES: readonly number[] = [0x02, 0x05, 0x0a, 0x0d];

interface SchemaRow {
  readonly type: string;
  readonly name: string;
  readonly tbl_name: string;
  readonly rootpage: number;
  readonly sql: string | null;
}

/** Begins an empty schema, without lists of free pages, which are not needed for reading. */
function clearSchema(handle: number): void {
  const page = Buffer.alloc(PAGE_BYTES);
  readSync(handle, page, 0, HEADER_BYTES, 0);
  for (const offset of NO_LISTS) page.writeUInt32BE(0, offset);
  EMPTY_LEAF.copy(page, HEADER_BYTES);
  writeSync(handle, page, 0, PAGE_BYTES, 0);
}

function isRoot(handle: number, page: number): boolean {
  const type = Buffer.alloc(1);
  readSync(handle, type, 0, 1, (page - 1) * PAGE_BYTES);
  return ROOT_TYPES.includes(type[0] ?? 0);
}

/**
 * Writes the schema of a sound store into a copy whose own is damaged. The place of each table in
 * the file follows from the steps that created the schema, so stores of one format have the same
 * places unless they were restored from a backup; what does not fit there is rejected row by row.
 * The header of the copy must be sound.
 */
export function replaceSchema(copy: string, sound: DatabaseSync): DatabaseSync {
  const rows = sound
    .prepare('SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema')
    .all() as unknown as readonly SchemaRow[];
  const handle = openSync(copy, 'r+');
  clearSchema(handle);
  const usable = rows.filter(({ rootpage }) => rootpage === 0 || isRoot(handle, rootpage));
  closeSync(handle);
  const db = new DatabaseSync(copy, { timeout: 0, defensive: false });
  db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA writable_schema = ON');
  const insert = db.prepare('INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)');
  for (const row of usable) insert.run(row.type, row.name, row.tbl_name, row.rootpage, row.sql);
  db.exec('PRAGMA writable_schema = RESET');
  return db;
}
