import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { StoreError } from '../journal.ts';
import { MOST_PAGES } from './checkpoints.ts';
import { isDamage, primaryCode, WAY_OUT } from './damage.ts';
import { migrate } from './migrate.ts';
import { expectNotEmptied, expectSound } from './soundness.ts';

const BUSY = 5;
/** What SQLite keeps of the file in memory. More is no faster: the system keeps the file in memory too, where it can take it back. */
export const CACHE_KIB = 8_192;
/** Name of the database in the folder of `store.path`. */
export const DATABASE_FILE = 'relay.db';

/** The open file with its prepared statements. */
export interface Database {
  readonly raw: DatabaseSync;
  /** The statement of this text, prepared once. Not for texts made of a filter: there are too many of them. */
  sql(text: string): StatementSync;
  one(text: string, ...values: SQLInputValue[]): unknown;
  /** The same as `one`, for a row of many columns: a plain object of them is made faster here than SQLite's binding makes one. */
  wide(text: string, value: SQLInputValue): unknown;
  all(text: string, ...values: SQLInputValue[]): unknown[];
  /** Answers the number of rows changed. */
  run(text: string, ...values: SQLInputValue[]): number;
  /** Carries out the work in a transaction: all of it, or nothing when it throws. */
  transaction(work: () => void): void;
  close(): void;
}

/** Errors of a statement or a value: SQLite's ERROR, TOOBIG, CONSTRAINT, MISMATCH, RANGE. */
const FAULTS_OF_CALL: readonly number[] = [1, 18, 19, 20, 25];

/** True when the file could not be read or written (full, I/O, damaged), false when the fault is in what was asked. */
export function isStorageFailure(error: unknown): boolean {
  const code = primaryCode(error);
  return code !== undefined && !FAULTS_OF_CALL.includes(code);
}

/*
 * The exclusive lock is taken by the first transaction and held until the file is closed or the process ends, so two relays cannot both
 * hand out the same events. auto_vacuum must come before anything is written, locking_mode before the write-ahead log is opened.
 */
function configure(db: DatabaseSync, maxPages: number | undefined): void {
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  db.exec('PRAGMA auto_vacuum = INCREMENTAL');
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = FULL');
  db.exec('PRAGMA foreign_keys = ON');
  db.exec('PRAGMA temp_store = MEMORY');
  // Overwrites what is deleted where that needs no write of its own; erasure asks for more.
  db.exec('PRAGMA secure_delete = FAST');
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
  // For what writes without the worker, a migration or a salvage: the worker moves the log between the batches, see checkpoints.ts.
  db.exec(`PRAGMA wal_autocheckpoint = ${MOST_PAGES * 4}`);
  db.exec(`PRAGMA journal_size_limit = ${MOST_PAGES * 4_096 * 4}`);
  if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${maxPages}`);
  db.exec('BEGIN EXCLUSIVE; COMMIT');
}

function explain(path: string, error: unknown): StoreError {
  if (primaryCode(error) === BUSY) {
    return new StoreError(`another relay is using ${path}; stop it or give this one its own store.path`, {
      cause: error,
    });
  }
  const why = error instanceof Error ? error.message : String(error);
  const cure = isDamage(error) ? `; the file is damaged: ${WAY_OUT}` : '';
  return new StoreError(`the store in ${path} cannot be opened: ${why}${cure}`, { cause: error });
}

/**
 * Makes the file, or what an earlier version or a copy left, one that only the relay's user can read. SQLite gives the files beside it
 * the same mode. A file of another user stays as it is: the volume decides there.
 */
function keepPrivate(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
  for (const one of [file, `${file}-wal`, `${file}-shm`]) {
    try {
      if (existsSync(one)) chmodSync(one, 0o600);
    } catch {
      // Not ours to change.
    }
  }
}

function wideReader(raw: DatabaseSync, text: string): (value: SQLInputValue) => unknown {
  const statement = raw.prepare(text);
  const names = statement.columns().map(({ name }) => name);
  statement.setReturnArrays(true);
  return (value) => {
    const values = statement.get(value) as unknown as SQLOutputValue[] | undefined;
    if (values === undefined) return undefined;
    const row: Record<string, SQLOutputValue | undefined> = {};
    for (let at = 0; at < names.length; at += 1) row[names[at] as string] = values[at];
    return row;
  };
}

function wrap(raw: DatabaseSync): Database {
  const statements = new Map<string, StatementSync>();
  const sql = (text: string): StatementSync => {
    const known = statements.get(text);
    if (known !== undefined) return known;
    const prepared = raw.prepare(text);
    statements.set(text, prepared);
    return prepared;
  };
  const wideRows = new Map<string, (value: SQLInputValue) => unknown>();
  return {
    raw,
    sql,
    wide: (text, value) => {
      const read = wideRows.get(text) ?? wideReader(raw, text);
      wideRows.set(text, read);
      return read(value);
    },
    one: (text, ...values) => sql(text).get(...values),
    all: (text, ...values) => sql(text).all(...values),
    run: (text, ...values) => Number(sql(text).run(...values).changes),
    transaction: (work) => {
      raw.exec('BEGIN');
      try {
        work();
        raw.exec('COMMIT');
      } catch (error) {
        if (raw.isTransaction) raw.exec('ROLLBACK');
        throw error;
      }
    },
    close: () => raw.close(),
  };
}

/**
 * Opens or makes the database in a folder and takes it for this process alone.
 * @throws StoreError when the folder cannot be used, another relay has it, the file is damaged, or it is not one this relay knows.
 */
export function openDatabase(path: string, maxPages?: number): Database {
  let raw: DatabaseSync | undefined;
  try {
    // For the relay's user alone: the file holds personal data.
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const file = join(path, DATABASE_FILE);
    expectNotEmptied(file);
    keepPrivate(file);
    raw = new DatabaseSync(file, { timeout: 0 });
    configure(raw, maxPages);
    expectSound(raw, file);
    migrate(raw);
    return wrap(raw);
  } catch (error) {
    raw?.close();
    throw explain(path, error);
  }
}
