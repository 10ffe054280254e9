import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../journal.ts';
import { isDamage, primaryCode, WAY_OUT } from './damage.ts';
import { DATABASE_FILE } from './database.ts';

const BUSY = 5;

/** The database of a folder. @throws StoreError when there is none */
export function fileOf(path: string): string {
  const file = join(path, DATABASE_FILE);
  if (!existsSync(file)) throw new StoreError(`there is no store in ${path}: ${DATABASE_FILE} is missing`);
  return file;
}

function explain(path: string, error: unknown): unknown {
  if (primaryCode(error) === BUSY)
    return new StoreError(`a relay is running on the store in ${path}, which is its alone: stop it first`, {
      cause: error,
    });
  if (!isDamage(error)) return error;
  const why = error instanceof Error ? error.message : '';
  return new StoreError(`the store in ${path} is damaged (${why}): ${WAY_OUT}`, { cause: error });
}

/** True for what is thrown when a relay is running on the store. */
export function isInUse(error: unknown): boolean {
  return error instanceof StoreError && primaryCode(error.cause) === BUSY;
}

/**
 * Gives the store of a relay that does not run to `use`, for reading. No relay can start on it meanwhile.
 * @throws StoreError when there is none, a relay is running on it, or it is too damaged for what `use` does
 */
export function withStoppedStore<T>(path: string, use: (db: DatabaseSync) => T): T {
  const file = fileOf(path);
  // SQLite makes these for readers, empty, and one that may only read does not take them away.
  const made = [`${file}-shm`, `${file}-wal`].filter((side) => !existsSync(side));
  let db: DatabaseSync | undefined;
  let isBusy = false;
  try {
    db = new DatabaseSync(file, { readOnly: true, timeout: 0 });
    db.exec('BEGIN');
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return use(db);
  } catch (error) {
    isBusy = primaryCode(error) === BUSY;
    throw explain(path, error);
  } finally {
    // Those of a relay that has started meanwhile hold its events, so they go while the store is held, or not at all.
    if (!isBusy) for (const side of made) rmSync(side, { force: true });
    db?.close();
  }
}
