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
import { DatabaseSync } from 'node:sqlite';

/** What a SQLite file begins with, and how much of its first page is the header. */
const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');
const HEADER_BYTES = 100;
const PAGE_BYTES = 4_096;
/** Where the header says how many pages there are; big-endian. */
const PAGES_AT = 28;

/** Gives the copy the header of a sound store, when its own is not one. The tables are found by what follows it. */
function mendHeader(copy: number, header: Buffer, sound: string): void {
  if (header.subarray(0, MAGIC.length).equals(MAGIC)) return;
  const from = openSync(sound, 'r');
  readSync(from, header, 0, HEADER_BYTES, 0);
  closeSync(from);
  header.writeUInt32BE(0, PAGES_AT);
  writeSync(copy, header, 0, HEADER_BYTES, 0);
}

/** Makes the copy as long as its header says: what was cut off is unreadable pages then, and the rest can be read. */
function mendLength(copy: number, header: Buffer, bytes: number): void {
  const whole = Math.max(
    header.readUInt32BE(PAGES_AT) * PAGE_BYTES,
    Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES,
  );
  if (bytes < whole) ftruncateSync(copy, whole);
}

/**
 * Opens a copy of a damaged database so that what is left of it can be read. The original is only copied. `sound` is any sound store of the
 * same format.
 */
export function openMendedCopy(original: string, copy: string, sound: string): DatabaseSync {
  copyFileSync(original, copy, constants.COPYFILE_FICLONE);
  if (existsSync(`${original}-wal`)) copyFileSync(`${original}-wal`, `${copy}-wal`);
  for (const side of ['', '-wal']) if (existsSync(copy + side)) chmodSync(copy + side, 0o600);
  const handle = openSync(copy, 'r+');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(handle, header, 0, HEADER_BYTES, 0);
    mendHeader(handle, header, sound);
    mendLength(handle, header, statSync(copy).size);
  } finally {
    closeSync(handle);
  }
  const db = new DatabaseSync(copy, { timeout: 0 });
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  return db;
}
