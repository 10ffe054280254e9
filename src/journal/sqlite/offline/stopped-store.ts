import { chmodSync, existsSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { type EventFilter, StoreError } from '../../journal.ts';
import { assertNotEmptied, assertSoundWal, DAMAGE_ADVICE, isBusy, isDamage } from '../engine/damage.ts';
import { fsyncPath, INTAKE_LOG_FILES } from '../engine/intake-log.ts';
import { MIGRATIONS } from '../engine/migrations.ts';
import { HAS_BODY } from '../engine/sweep-schema.ts';
import { createPayloadCipher, parseKey } from '../../payload-cipher.ts';
import { ALL_POSITIONS, toSql } from '../engine/filter-sql.ts';
import { DATABASE_FILE, isWithoutStore, noStoreProblem, shellWord } from '../engine/store-folder.ts';
import { describeShortfall, readMarker } from '../engine/store-marker.ts';
import { logPositionOf, readIntakeLog } from './intake-log-state.ts';

// What the cli needs to know of the engine's files and memory.
export { CACHE_KIB } from '../engine/database.ts';
export {
  brokenLink,
  DATABASE_FILE,
  folderProblem,
  foreignEntry,
  nearestExisting,
  shellWord,
} from '../engine/store-folder.ts';

/** Whether the path is a file, such as a backup, and not the folder of a store. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/**
 * The database file in a folder, or the file itself if a backup is given.
 * @throws StoreError if there is none
 */
export function databaseFileOf(path: string): string {
  if (isFile(path)) return path;
  const file = join(path, DATABASE_FILE);
  if (!existsSync(file)) throw missingStore(resolve(path));
  return file;
}

/** Names the logs that lie in the folder, because salvage reads them. */
function missingStore(path: string): StoreError {
  const logs = [`${DATABASE_FILE}-wal`, ...INTAKE_LOG_FILES].filter((name) => existsSync(join(path, name)));
  const advice =
    logs.length === 0
      ? ''
      : `, but its logs are there (${logs.join(', ')}): put relay.db back, or copy what they have to a new store ` +
        `with \`capillary-relay store salvage --path ${shellWord(path)} --to FOLDER\``;
  return new StoreError(`there is no store in ${path}: ${DATABASE_FILE} is missing${advice}`);
}

/** A store that should be in a folder and is not. */
export interface LostStore {
  /** Whether a relay refuses to start; else it creates a new store and logs the loss. */
  readonly refused: boolean;
  readonly reason: string;
  readonly fix: string;
}

/** Undefined if there is a store, or if nothing says that there was one. */
export function lostStore(folder: string, expect: 'any' | 'existing'): LostStore | undefined {
  if (!isWithoutStore(folder)) return undefined;
  if (expect === 'existing') return { refused: true, ...noStoreProblem(folder) };
  try {
    assertNotEmptied(join(folder, DATABASE_FILE));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return { refused: true, reason: error.message, fix: error.fix ?? DAMAGE_ADVICE };
  }
  const reason = describeShortfall(readMarker(folder), 0);
  return reason === undefined
    ? undefined
    : {
        refused: false,
        reason,
        fix: 'bring relay.db back, or restore a copy made with `capillary-relay store backup`',
      };
}

/** Whether the path is a folder with a store, or a backup. */
export function hasStore(path: string): boolean {
  return isFile(path) || existsSync(join(path, DATABASE_FILE));
}

function toStoreError(path: string, error: unknown): unknown {
  if (isBusy(error))
    return new StoreError(`a relay is running on the store in ${resolve(path)}: stop it first`, {
      cause: error,
    });
  if (!isDamage(error)) return error;
  const reason = error instanceof Error ? error.message : '';
  const salvage = `\`capillary-relay store salvage --path ${shellWord(resolve(path))} --to FOLDER\``;
  const message = isFile(path)
    ? `the file ${path} is damaged (${reason}), which says nothing about the store that it was copied from: make a new backup of that with \`capillary-relay store backup\`; if it is gone, copy what is readable with ${salvage}`
    : `the store in ${resolve(path)} is damaged (${reason}): copy what is readable to a new store with ${salvage}, or restore a copy made with \`capillary-relay store backup\``;
  return new StoreError(message, { cause: error });
}

/** True for the error that is thrown if a relay is running on the store. */
export function isInUse(error: unknown): boolean {
  return error instanceof StoreError && isBusy(error.cause);
}

/**
 * How to open the file. Nothing writes to a backup, so it is read as it lies: without a lock and
 * without the side files that SQLite would create for a reader, even on a read-only volume.
 */
function openable(path: string, file: string): string | URL {
  if (!isFile(path) || existsSync(`${file}-wal`)) return file;
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  return url;
}

/** A store that is open for reading. No relay can start on it before `close`. */
interface OpenStore {
  readonly db: DatabaseSync;
  /** Idempotent. */
  readonly close: () => void;
}

/** @throws the error of SQLite */
function openForReading(path: string): OpenStore {
  const file = databaseFileOf(path);
  // SQLite creates these empty files for readers, and a read-only connection does not delete them.
  const created = [`${file}-shm`, `${file}-wal`].filter((side) => !existsSync(side));
  // SQLite would delete the log.
  assertNotEmptied(file);
  const db = new DatabaseSync(openable(path, file), { readOnly: true, timeout: 0 });
  let isOpen = true;
  const close = (isLocked = false): void => {
    if (!isOpen) return;
    isOpen = false;
    // Deleted only while the store is locked here: the files of a running relay contain its events.
    if (!isLocked) for (const side of created) rmSync(side, { force: true });
    db.close();
  };
  try {
    db.exec('BEGIN');
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch (error) {
    close(isBusy(error));
    throw error;
  }
  return { db, close: () => close() };
}

/**
 * Opens the store of a stopped relay, or a backup, for reading. No relay can start on a store while
 * `use` runs.
 * @throws StoreError if there is none, a relay is running on it, or it is too damaged for `use`
 */
export function withStoppedStore<T>(path: string, use: (db: DatabaseSync) => T): T {
  let store: OpenStore | undefined;
  try {
    store = openForReading(path);
    return use(store.db);
  } catch (error) {
    throw toStoreError(path, error);
  } finally {
    store?.close();
  }
}

function assertFormat(path: string, db: DatabaseSync): void {
  const format = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (format !== MIGRATIONS.length)
    throw new StoreError(
      `the store in ${path} has format ${format}, but this version needs ${MIGRATIONS.length}: ` +
        'start the relay on it once, or use the version that wrote it',
    );
}

/**
 * Opens the store of a stopped relay for reading.
 * @throws StoreError also if it has another format, or accepted events are not in the database file
 */
export function openStoppedStore(path: string): OpenStore {
  let store: OpenStore | undefined;
  try {
    store = openForReading(path);
    assertFormat(path, store.db);
    assertInOneFile(path, store.db);
    return store;
  } catch (error) {
    store?.close();
    throw toStoreError(path, error);
  }
}

/** An event as received. */
export interface StoredBody {
  readonly receipt: string;
  readonly source: string;
  readonly identity: string;
  readonly orgId: number;
  /** Epoch ms. */
  readonly receivedAt: number;
  /** Absent once retention or erasure has removed it, or if it cannot be read. */
  readonly body?: Buffer;
}

interface StoredBodyRow {
  readonly receipt: string;
  readonly source: string;
  readonly identity: Uint8Array | null;
  readonly org_id: number;
  readonly received_at: number;
  readonly body: Uint8Array | null;
}

/**
 * Reads the newest events that match the filter, oldest first, from the store of a stopped relay.
 * @throws StoreError if there is no store, it has another format, it is damaged, or a relay is
 *   running on it (`isInUse`)
 */
export function readStoppedBodies(
  path: string,
  encryptionKeys: readonly string[],
  filter: EventFilter,
  limit: number,
): readonly StoredBody[] {
  const cipher = createPayloadCipher(encryptionKeys.map(parseKey));
  const { from, condition, values } = toSql(filter, ALL_POSITIONS);
  const rows = withStoppedStore(path, (db) => {
    assertFormat(path, db);
    return db
      .prepare(
        `SELECT receipt, source, identity, org_id, received_at,
           (SELECT body FROM bodies WHERE bodies.seq = events.seq AND ${HAS_BODY}) AS body
         FROM ${from} WHERE state <> 'malformed' AND ${condition} ORDER BY seq DESC LIMIT ?`,
      )
      .all(...values, limit) as unknown as readonly StoredBodyRow[];
  });
  return rows.toReversed().map((row) => {
    const body = row.body === null ? 'missing' : cipher.decrypt(row.body);
    return {
      receipt: row.receipt,
      source: row.source,
      identity: row.identity === null ? '' : Buffer.from(row.identity).toString('hex'),
      orgId: row.org_id,
      receivedAt: row.received_at,
      ...(typeof body === 'string' ? {} : { body }),
    };
  });
}

/** @throws StoreError if accepted events are not in the database file */
function assertInOneFile(path: string, db: DatabaseSync): void {
  assertSoundWal(databaseFileOf(path));
  const { waiting, missing } = readIntakeLog(path, logPositionOf(db));
  if (waiting.length + missing > 0)
    throw new StoreError(
      `${waiting.length + missing} accepted records are only in the intake log, because the relay was not stopped properly: ` +
        'start it and stop it, or copy the whole folder',
    );
}

/** The copy needs no intake log. */
function closeLogOf(file: string): void {
  const copy = new DatabaseSync(file);
  try {
    if (logPositionOf(copy) !== undefined) copy.exec('UPDATE intake_log SET is_closed = 1');
  } finally {
    copy.close();
  }
}

/**
 * Copies the store of a stopped relay to one new file without free pages, and makes it durable.
 * Named relay.db in an empty folder, the copy is a complete store.
 * @throws StoreError if the file exists or its folder does not, a relay is running, or the store is
 *   damaged
 */
export function backupStore(path: string, file: string): { readonly bytes: number } {
  if (existsSync(file)) throw new StoreError(`${file} already exists; a backup never overwrites a file`);
  const folder = dirname(file);
  if (!existsSync(folder)) throw new StoreError(`the folder ${folder} does not exist: create it first`);
  const mask = process.umask(0o077);
  try {
    withStoppedStore(path, (db) => {
      assertInOneFile(path, db);
      db.exec('COMMIT');
      db.prepare('VACUUM INTO ?').run(file);
    });
    closeLogOf(file);
  } finally {
    process.umask(mask);
  }
  chmodSync(file, 0o600);
  fsyncPath(file);
  fsyncPath(folder);
  return { bytes: statSync(file).size };
}
