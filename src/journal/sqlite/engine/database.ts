import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { hitFailpoint } from '../../../telemetry/failpoints.ts';
import { StoreError } from '../../journal.ts';
import {
  assertNotEmptied,
  assertSound,
  checkWal,
  DAMAGE_ADVICE,
  isBusy,
  isDamage,
  primaryCode,
} from './damage.ts';
import { MIGRATIONS } from './migrations.ts';
import { hasTornEnd, type WalDamage } from './wal-frames.ts';
import { createFolder, DATABASE_FILE, folderProblem } from './store-folder.ts';

/**
 * SQLite's page cache. A larger one is not faster: the operating system caches the file too, and
 * can reclaim that memory.
 */
export const CACHE_KIB = 8_192;

/** The open file with its prepared statements. */
export interface Database {
  readonly raw: DatabaseSync;
  /** The prepared statement of this text, cached. Not for generated texts: there are too many. */
  sql(text: string): StatementSync;
  one(text: string, ...values: SQLInputValue[]): unknown;
  /** The values of one row, in the order of the columns: half the cost of an object. */
  values(text: string, ...values: SQLInputValue[]): readonly SQLOutputValue[] | undefined;
  all(text: string, ...values: SQLInputValue[]): unknown[];
  /** Returns the number of changed rows. */
  run(text: string, ...values: SQLInputValue[]): number;
  /** Runs `work` in a transaction, which is rolled back if it throws. */
  transaction(work: () => void): void;
  /** Runs `work` as one step of an open transaction; it is undone if it throws. */
  step(work: () => void): void;
  close(): void;
  /** What SQLite did not read of the write-ahead log when the file was opened. */
  readonly walDamage: WalDamage | undefined;
  /** Whether that log ended in an incomplete transaction. */
  readonly isWalTorn: boolean;
}

/** Errors in a statement or a value: SQLite's ERROR, TOOBIG, CONSTRAINT, MISMATCH, RANGE. */
const CALLER_ERRORS: readonly number[] = [1, 18, 19, 20, 25];

/**
 * True if the file could not be read or written (full, I/O, damaged), false if the call was wrong.
 */
export function isStorageFailure(error: unknown): boolean {
  const code = primaryCode(error);
  return code !== undefined && !CALLER_ERRORS.includes(code);
}

/*
 * The first transaction takes the exclusive lock, which lasts until the file is closed or the
 * process ends, so two relays cannot both claim the same events. auto_vacuum must be set before
 * anything is written, locking_mode before the write-ahead log is opened.
 */
function configure(db: DatabaseSync, maxPages: number | undefined): void {
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  db.exec('PRAGMA auto_vacuum = INCREMENTAL');
  db.exec('PRAGMA journal_mode = WAL');
  // What is synced when is decided in table-commits.ts.
  db.exec('PRAGMA synchronous = OFF');
  // Changed pages stay in memory until the commit, so that each is written once.
  db.exec('PRAGMA cache_spill = OFF');
  db.exec('PRAGMA foreign_keys = ON');
  db.exec('PRAGMA temp_store = MEMORY');
  // Overwrites deleted content where that needs no extra write; erasure switches it to ON.
  db.exec('PRAGMA secure_delete = FAST');
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
  // See table-commits.ts. A log that was larger once gives its space back.
  db.exec('PRAGMA wal_autocheckpoint = 0');
  db.exec('PRAGMA journal_size_limit = 16777216');
  if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${maxPages}`);
  db.exec('BEGIN EXCLUSIVE; COMMIT');
}

/** SQLite's codes that mean the same as a code of the system: READONLY, IOERR, FULL, CANTOPEN. */
const SYSTEM_CODES: Readonly<Record<number, string>> = { 8: 'EROFS', 10: 'EIO', 13: 'ENOSPC', 14: 'EIO' };

/** Code of the system for a failure of the folder or the disk; undefined for other errors. */
function systemCode(error: unknown): string | undefined {
  const code = primaryCode(error);
  if (code !== undefined) return SYSTEM_CODES[code];
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** The error for whatever prevents the opening of a store, with what fixes it. */
export function openingError(path: string, cause: unknown): StoreError {
  if (isBusy(cause))
    return new StoreError(`another relay is using ${resolve(path)}`, {
      cause,
      fix: 'stop it, or give this one its own store.path',
    });
  const code = systemCode(cause);
  const { reason, fix } =
    code === undefined
      ? {
          reason: cause instanceof Error ? cause.message : String(cause),
          fix: isDamage(cause) ? DAMAGE_ADVICE : cause instanceof StoreError ? cause.fix : undefined,
        }
      : folderProblem(path, code);
  return new StoreError(`the store in ${resolve(path)} cannot be opened: ${reason}`, { cause, fix });
}

/**
 * Creates the file, or changes the mode of an existing one, so that only the relay's user can read
 * it. SQLite gives its other files the same mode. A file of another user is left unchanged.
 */
function restrictFileModes(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    try {
      if (existsSync(path)) chmodSync(path, 0o600);
    } catch {
      // The file belongs to another user.
    }
  }
}

function withStatementCache(raw: DatabaseSync): Omit<Database, 'walDamage' | 'isWalTorn'> {
  const statements = new Map<string, StatementSync>();
  const sql = (text: string): StatementSync => {
    const known = statements.get(text);
    if (known !== undefined) return known;
    const prepared = raw.prepare(text);
    statements.set(text, prepared);
    return prepared;
  };
  const arrays = new Map<string, StatementSync>();
  const arraySql = (text: string): StatementSync => {
    const known = arrays.get(text);
    if (known !== undefined) return known;
    const prepared = raw.prepare(text);
    prepared.setReturnArrays(true);
    arrays.set(text, prepared);
    return prepared;
  };
  return {
    raw,
    sql,
    values: (text, ...values) =>
      arraySql(text).get(...values) as unknown as readonly SQLOutputValue[] | undefined,
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
    step: (work) => {
      raw.exec('SAVEPOINT step');
      try {
        work();
        raw.exec('RELEASE step');
      } catch (error) {
        if (raw.isTransaction) raw.exec('ROLLBACK TO step; RELEASE step');
        throw error;
      }
    },
    close: () => raw.close(),
  };
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
}

/**
 * Migrates the database to the latest format; each step is one transaction.
 * @throws StoreError if the database has a newer format than these steps; Error if a step fails
 */
export function migrate(db: DatabaseSync, steps: readonly string[] = MIGRATIONS): void {
  const version = versionOf(db);
  if (version > steps.length) {
    throw new StoreError(
      `it was written by a newer relay (format ${version}; this one knows up to ${steps.length})`,
      { fix: 'run that version again, or give this one its own store.path' },
    );
  }
  for (const [index, step] of steps.entries()) {
    if (index < version) continue;
    db.exec('BEGIN IMMEDIATE');
    try {
      db.exec(step);
      hitFailpoint('journal-migrating');
      db.exec(`PRAGMA user_version = ${index + 1}`);
      db.exec('COMMIT');
      hitFailpoint('journal-migrating');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}

/**
 * Opens or creates the database in a folder and locks it for this process.
 * @throws StoreError if the folder cannot be used, another relay has locked it, the file is
 *   damaged, or its format is unknown
 */
export function openDatabase(path: string, maxPages?: number): Database {
  let raw: DatabaseSync | undefined;
  try {
    createFolder(path);
    const file = join(path, DATABASE_FILE);
    assertNotEmptied(file);
    const walDamage = checkWal(file);
    const isWalTorn = walDamage === undefined && hasTornEnd(file);
    restrictFileModes(file);
    raw = new DatabaseSync(file, { timeout: 0 });
    configure(raw, maxPages);
    assertSound(raw, file);
    migrate(raw);
    return { ...withStatementCache(raw), walDamage, isWalTorn };
  } catch (error) {
    raw?.close();
    throw openingError(path, error);
  }
}
