import { existsSync, fstat, read } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { type BackupResult, RefusedError, StoreError } from '../../journal.ts';
import type { Channel } from './channel.ts';

/*
 * A copy of the store while it is in use. First everything is copied from the write-ahead log into
 * the file; then, until the copy is done, changes go to the write-ahead log only, so the file
 * stands still while it is read. SQLite's own backup does not work beside an open transaction.
 */

/** Bytes that are read and written at once. */
const CHUNK_BYTES = 1_048_576;
/** Bytes after which the copy is synced, so that no sync of the store waits for all of it. */
const SYNC_BYTES = 32 * CHUNK_BYTES;
/** Free space that is left for the write-ahead log, which grows meanwhile. */
const LOG_RESERVE_BYTES = 256 * 1_048_576;
/** Ending of a file that is not complete. */
const PART = '.part';

const readAt = promisify(read);
const statOf = promisify(fstat);

/** Why a file cannot be created; undefined if it can. */
function refusalOf(file: string): string | undefined {
  if (existsSync(file)) return `${file} already exists; a backup never overwrites a file`;
  if (!existsSync(dirname(file))) return `the folder ${dirname(file)} does not exist: create it first`;
  return undefined;
}

async function assertRoom(folder: string, bytes: number, reserve: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const missing = bytes + reserve - bavail * bsize;
  if (missing > 0)
    throw new RefusedError(
      `the copy of ${bytes} bytes would leave too little free space in ${folder}: ${missing} bytes are missing`,
    );
}

/** Makes the copy a store of its own, in one file: it needs no intake log. */
function completeCopy(file: string): void {
  const copy = new DatabaseSync(file);
  try {
    copy.exec('PRAGMA synchronous = OFF');
    copy.exec('UPDATE intake_log SET is_closed = 1');
    copy.exec('PRAGMA journal_mode = DELETE');
  } finally {
    copy.close();
  }
}

/** Waits until a file or a folder is on the disk. */
async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export interface OnlineBackupParts {
  readonly channel: Pick<Channel, 'call'>;
  /** Bytes that must stay free on the volume. */
  readonly minFree: () => number;
  /** False once the journal is closing. */
  readonly isOpen: () => boolean;
}

export function createOnlineBackup({ channel, minFree, isOpen }: OnlineBackupParts) {
  let isRunning = false;

  /**
   * `source` is a handle of the storage thread: to close one of its own would end the lock that
   * SQLite has on the file for the whole process.
   */
  const copyAll = async (source: number, target: FileHandle, bytes: number): Promise<void> => {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let at = 0; at < bytes; ) {
      if (!isOpen()) throw new StoreError('the store is closing; the backup was not completed');
      const { bytesRead } = await readAt(source, chunk, 0, Math.min(CHUNK_BYTES, bytes - at), at);
      if (bytesRead === 0) throw new StoreError('the file of the store became shorter while it was copied');
      await target.write(chunk, 0, bytesRead, at);
      at += bytesRead;
      if (at % SYNC_BYTES === 0) await target.datasync();
    }
  };

  const copyTo = async (part: string): Promise<number> => {
    const target = await open(part, 'wx', 0o600);
    try {
      const { handle } = await channel.call('holdFile', undefined);
      const { size } = await statOf(handle);
      await assertRoom(dirname(part), size, minFree() + LOG_RESERVE_BYTES);
      await copyAll(handle, target, size);
      return size;
    } finally {
      try {
        await channel.call('releaseFile', undefined);
      } finally {
        await target.close();
      }
    }
  };

  const backup = async (file: string): Promise<BackupResult> => {
    const part = file + PART;
    try {
      const bytes = await copyTo(part);
      completeCopy(part);
      await syncPath(part);
      await rename(part, file);
      await syncPath(dirname(file));
      return { file, bytes };
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  };

  /** See Maintenance.backup. */
  return async (name: string): Promise<BackupResult> => {
    const file = resolve(name);
    const refusal = isRunning ? 'another backup is being made' : refusalOf(file);
    if (refusal !== undefined) throw new RefusedError(refusal);
    isRunning = true;
    return backup(file).finally(() => {
      isRunning = false;
    });
  };
}

/** Names of backups that are still to be sent; hidden, so that they are no foreign files. */
const TEMPORARY = /^\.backup-.*\.db(?:\.part)?(?:-journal|-wal|-shm)?$/u;

/** Removes what a relay that was killed while it made a backup has left in the folder. */
export async function removeTemporaryBackups(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (TEMPORARY.test(name)) await rm(join(folder, name), { force: true });
  }
}
