import { closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { syncData } from './intake-log.ts';

/** In place of the header of a write-ahead log, of which SQLite then reads nothing. */
const NO_HEADER = Buffer.alloc(32);

/**
 * SQLite's write-ahead log as a file: what of it is synced, and whether its header must go.
 *
 * Once everything in the log is in the synced file, its header is erased, because the next commit
 * overwrites the log from its start. A disk can keep a later page of that and lose the first ones:
 * behind the old header SQLite would then read the first of the old transactions, and put their
 * pages over newer ones.
 */
export interface WalFile {
  /** A handle of the file; undefined before SQLite has created it. */
  readonly handle: number | undefined;
  /** Whether it has commits that are not synced. */
  readonly isDirty: boolean;
  /** A commit has been written. */
  noteCommit(): void;
  /** A sync of everything until now has begun. */
  noteSync(): void;
  /** Everything in it is in the synced file. */
  noteSpent(): void;
  /** Erases the header if it must go, and waits until that is on the disk. */
  eraseNow(): void;
  /** Erases the header if it must go. @returns whether a sync must follow, and then `noteErased` */
  erase(): boolean;
  noteErased(): void;
  close(): void;
}

/** @param database path of the database file */
export function openWalFile(database: string): WalFile {
  const path = `${database}-wal`;
  let handle: number | undefined;
  // A killed process may have left commits that are not synced.
  let isDirty = true;
  let header: 'needed' | 'spent' | 'erased' = 'needed';

  const open = (): number | undefined => {
    if (handle === undefined && existsSync(path)) handle = openSync(path, 'r+');
    return handle;
  };

  const erase = (): boolean => {
    const opened = open();
    if (header !== 'spent' || opened === undefined) return false;
    writeSync(opened, NO_HEADER, 0, NO_HEADER.length, 0);
    return true;
  };

  return {
    get handle() {
      return open();
    },
    get isDirty() {
      return isDirty;
    },
    noteCommit() {
      isDirty = true;
      header = 'needed';
    },
    noteSync() {
      isDirty = false;
    },
    noteSpent() {
      header = 'spent';
    },
    eraseNow() {
      if (!erase()) return;
      syncData(open() as number);
      header = 'erased';
    },
    erase,
    noteErased() {
      // A commit that came first has erased it again, and has written a new one.
      if (header === 'spent') header = 'erased';
    },
    close() {
      if (handle !== undefined) closeSync(handle);
    },
  };
}
