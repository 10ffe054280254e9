import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../journal.ts';
import { INTAKE_LOG_FILES } from './intake-log.ts';
import { FILE_HEADER_BYTES } from './intake-records.ts';
import { damagedWal, type WalDamage } from './wal-frames.ts';

/** SQLite's BUSY: another process has locked the file. */
const BUSY_CODE = 5;
/** SQLite's CORRUPT and NOTADB. */
const DAMAGE_CODES: readonly number[] = [11, 26];

/** The primary result code of an SQLite error; undefined for any other error. */
export function primaryCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined;
}

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === BUSY_CODE;
}

/** True if the file's content is damaged, which retrying does not fix. */
export function isDamage(error: unknown): boolean {
  const code = primaryCode(error);
  return code !== undefined && DAMAGE_CODES.includes(code);
}

/** What an operator can do about a damaged file while no relay uses it, as after a failed start. */
export const DAMAGE_ADVICE =
  'run `capillary-relay store verify` to find out what is damaged and ' +
  '`capillary-relay store salvage --to FOLDER` to copy everything readable to a new store; ' +
  'or restore a copy made with `capillary-relay store backup`';

/**
 * Up to this size the whole file is checked at each start, which takes at most half a second.
 * Larger files are checked completely by `store verify` only.
 */
const MAX_FULL_CHECK_BYTES = 256 * 1_024 * 1_024;
/** Small tables that every start and most calls read. */
const ESSENTIAL_TABLES = ['counts', 'backlog', 'pauses'] as const;

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function hasRecords(folder: string): boolean {
  return INTAKE_LOG_FILES.some((name) => sizeOf(join(folder, name)) > FILE_HEADER_BYTES);
}

/**
 * SQLite would silently create a new database and lose every event.
 * @throws StoreError if the file is empty or missing but one of its logs exists
 */
export function assertNotEmptied(file: string): void {
  if (sizeOf(file) > 0) return;
  const log = sizeOf(`${file}-wal`) > 0 ? 'write-ahead' : 'intake';
  if (log === 'write-ahead' || hasRecords(dirname(file)))
    throw new StoreError(`${resolve(file)} is empty or missing, but its ${log} log exists`, {
      fix: DAMAGE_ADVICE,
    });
}

/** @throws StoreError if SQLite would not read all of the write-ahead log */
export function assertSoundWal(file: string): void {
  const damage = damagedWal(file);
  if (damage !== undefined) throw new StoreError(describeWalDamage(damage), { fix: DAMAGE_ADVICE });
}

/**
 * SQLite silently ignores everything behind the damage. Accepted events among that are in the
 * intake log too, unless an earlier version wrote the store.
 * @returns what is damaged
 * @throws StoreError if the write-ahead log is damaged and there is no intake log
 */
export function checkWal(file: string): WalDamage | undefined {
  const hasIntakeLog = INTAKE_LOG_FILES.every((name) => existsSync(join(dirname(file), name)));
  if (hasIntakeLog) return damagedWal(file);
  assertSoundWal(file);
  return undefined;
}

function transactions(count: number): string {
  return count === 1 ? '1 transaction' : `${count} transactions`;
}

export function describeWalDamage({ isHeaderDamaged, ...damage }: WalDamage): string {
  const where = isHeaderDamaged ? 'at its beginning' : `after ${transactions(damage.commitsBefore)}`;
  return (
    `the write-ahead log relay.db-wal is damaged ${where}: SQLite ignores what ` +
    `follows (${transactions(damage.commitsAfter)}, sound pages: ${damage.framesAfter})`
  );
}

/** What a start and verify say of a write-ahead log that ends so (wal-frames.ts). */
export const TORN_WAL =
  'the write-ahead log relay.db-wal ends in an incomplete transaction: ' +
  'no accepted event is missing, and delivery since the last commit is repeated';

/**
 * A quick check for damage before the file is used. Damage that it misses shows when the damaged
 * page is read.
 * @throws StoreError that describes the damage and what to do; SQLite's own error for unreadable
 *   pages
 */
export function assertSound(db: DatabaseSync, file: string): void {
  const checks =
    sizeOf(file) <= MAX_FULL_CHECK_BYTES
      ? ['quick_check(1)']
      : ESSENTIAL_TABLES.map((table) => `quick_check('${table}')`);
  for (const check of checks) {
    const [found] = db.prepare(`PRAGMA ${check}`).all();
    const result = String(Object.values(found ?? {})[0]);
    // The first of several lines is a heading.
    const finding = result.split('\n').find((line) => !line.startsWith('***'));
    if (result !== 'ok') throw new StoreError(`the file is damaged (${finding})`, { fix: DAMAGE_ADVICE });
  }
}
