import { closeSync, fdatasync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { hitFailpoint } from '../../../telemetry/failpoints.ts';
import { syncData } from './intake-log.ts';
import { openWalFile } from './wal-file.ts';

/*
 * The tables follow the intake log. All batches of a few seconds share one transaction, so that a
 * page that each of them changes is written once. SQLite itself never syncs: what is to be on the
 * disk when is decided here.
 *
 * 1. A commit writes the changed pages to the write-ahead log. A crash of the process loses nothing
 *    that is committed.
 * 2. Its sync follows in the background. A crash of the machine loses nothing that is synced.
 * 3. A checkpoint copies a synced write-ahead log into the file, whose sync follows in the
 *    background. Until that is done nothing is committed, because a commit may overwrite the
 *    write-ahead log from its start.
 * 4. What is in the synced file is removed from the intake log, and the header of the write-ahead
 *    log is erased (wal-file.ts).
 *
 * So the intake log covers what a crash, or damage to the write-ahead log, takes from the tables.
 */

/** Longest time between two commits: so much delivery is repeated after a crash of the process. */
const COMMIT_INTERVAL_MS = 2_000;
/** Changed bytes, estimated, after which a commit does not wait: they are in memory until then. */
const MAX_CHANGED_BYTES = 12 * 1_024 * 1_024;
/**
 * Pages in the write-ahead log that are worth a checkpoint: the more, the more often a page was
 * written that is copied once. A small store has a small log.
 */
const CHECKPOINT_PAGES = { least: 512, most: 6_144, shareOfFile: 0.25 } as const;
const PAGE_BYTES = 4_096;
/** Longest time between two checkpoints while there is anything to copy. */
const CHECKPOINT_INTERVAL_MS = 30_000;

export interface TableCommits {
  /** Begins a transaction unless one is open. */
  begin(): void;
  /** Adds to the estimate of what the open transaction has changed. */
  noteChange(bytes: number): void;
  /**
   * Commits if it is time to, and copies the write-ahead log into the file if that is due.
   * @throws the error of SQLite; then nothing of the transaction is committed
   */
  runIfDue(): void;
  /** Commits, and waits until it is on the disk. @throws as `runIfDue` */
  commitDurably(): void;
  /** Commits durably; unless the file is held, copies all into it. @throws as `runIfDue` */
  checkpoint(): void;
  /**
   * From the next durable commit on, which copies everything into the file, the file is not written
   * until `release`. @returns a handle of the file, which nobody else may close
   */
  hold(): number;
  release(): void;
  /**
   * Bytes that the volume still has to give for what is accepted already: a change is written to
   * the write-ahead log, and copied into the file. Estimated.
   */
  readonly owedBytes: number;
  /** False if SQLite has rolled the transaction back because of an error. */
  isIntact(): boolean;
  /** Whether the open transaction had changes when it was last begun or continued. */
  readonly hasEarlierChanges: boolean;
  /** Forgets a transaction that SQLite has rolled back. */
  forget(): void;
  close(): void;
}

export interface CommitHooks {
  /** Before each commit: writes what is part of the transaction, in it. */
  readonly beforeCommit: () => void;
  /** Number of the last record of the intake log whose effect is committed. */
  readonly position: () => number;
  /** Everything up to this record is in the synced file. */
  readonly onDurable: (position: number) => void;
  /** A commit or checkpoint in the background has failed; it is tried again. */
  readonly onError: (error: Error) => void;
  /**
   * A sync has failed, so the thread must end, and with it the process: the system may have dropped
   * what it could not write, and would report the next sync as a success. The next start recovers.
   */
  readonly onSyncFailed: (error: Error) => void;
}

interface LogState {
  /** Pages in the write-ahead log. */
  readonly log: number;
  /** Pages of it that are already in the file. */
  readonly checkpointed: number;
}

export function createTableCommits(raw: DatabaseSync, hooks: CommitHooks): TableCommits {
  const file = raw.location() ?? '';
  const readState = raw.prepare('PRAGMA wal_checkpoint(NOOP)');
  const readPages = raw.prepare('PRAGMA page_count');
  const readChanges = raw.prepare('SELECT total_changes() AS changes');
  const copyAll = raw.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  const fileHandle = openSync(file, 'r');
  const wal = openWalFile(file);
  let began: number | undefined;
  /** Rows changed by the connection when the transaction began. */
  let changesBefore = 0;
  let hasEarlierChanges = false;
  let changedBytes = 0;
  let lastCheckpoint = performance.now();
  /** Pages of the write-ahead log that are not in the file, as of the last commit. */
  let uncopiedPages = 0;
  let enoughPages: number = CHECKPOINT_PAGES.least;
  /** Whether the file has copied pages that are not synced: the position that they contain. */
  let copiedUpTo: number | undefined;
  let committedUpTo = hooks.position();
  let isSyncing = false;
  let isClosed = false;
  let syncFailure: Error | undefined;
  /** Whether the file is to stand still, and does. */
  let held: 'no' | 'soon' | 'yes' = 'no';

  const failSync = (error: Error): void => {
    syncFailure ??= error;
    hooks.onSyncFailed(error);
  };

  const syncNow = (handle: number): void => {
    try {
      syncData(handle);
    } catch (error) {
      failSync(error as Error);
      throw error;
    }
  };

  const finishCopy = (): void => {
    if (copiedUpTo === undefined) return;
    hooks.onDurable(copiedUpTo);
    copiedUpTo = undefined;
    wal.noteSpent();
  };

  const syncFileNow = (): void => {
    if (copiedUpTo === undefined) return;
    syncNow(fileHandle);
    finishCopy();
  };

  const syncWalNow = (): void => {
    const { handle, isDirty } = wal;
    wal.noteSync();
    // A sync in the background may not have finished.
    if ((isDirty || isSyncing) && handle !== undefined) syncNow(handle);
  };

  const syncInBackground = (handle: number, done: () => void): void => {
    isSyncing = true;
    fdatasync(handle, (error) => {
      isSyncing = false;
      if (isClosed) return;
      if (error !== null) return failSync(error);
      hitFailpoint('journal-synced', handle);
      done();
    });
  };

  const commit = (): void => {
    if (syncFailure !== undefined) throw syncFailure;
    if (began === undefined) return;
    // A commit may overwrite the write-ahead log, whose pages must be on the disk until then.
    syncFileNow();
    wal.eraseNow();
    hooks.beforeCommit();
    raw.exec('COMMIT');
    wal.noteCommit();
    committedUpTo = hooks.position();
    began = undefined;
    changedBytes = 0;
    // Not possible while a transaction is open.
    const { log, checkpointed } = readState.get() as unknown as LogState;
    uncopiedPages = log - checkpointed;
    enoughPages = pagesWorthCopying();
  };

  const pagesWorthCopying = (): number => {
    const { least, most, shareOfFile } = CHECKPOINT_PAGES;
    const pages = Number(readPages.get()?.['page_count'] ?? 0);
    return Math.min(most, Math.max(least, Math.floor(pages * shareOfFile)));
  };

  const isCheckpointDue = (): boolean =>
    held !== 'yes' &&
    (uncopiedPages >= enoughPages ||
      (uncopiedPages > 0 && performance.now() - lastCheckpoint >= CHECKPOINT_INTERVAL_MS));

  /** The write-ahead log must be synced, and no transaction open. */
  const copy = (): void => {
    const { log, checkpointed } = copyAll.get() as unknown as LogState;
    lastCheckpoint = performance.now();
    uncopiedPages = log - checkpointed;
    if (uncopiedPages === 0) copiedUpTo = committedUpTo;
  };

  const copyNow = (): void => {
    syncFileNow();
    copy();
    syncFileNow();
  };

  const isIntact = (): boolean => began === undefined || raw.isTransaction;

  /** After a sync of the write-ahead log: there is little more to commit, unless it was undone. */
  const copyIfDue = (): void => {
    if (isSyncing || copiedUpTo !== undefined || !isIntact() || !isCheckpointDue()) return;
    commit();
    syncWalNow();
    copy();
    syncInBackground(fileHandle, () => {
      finishCopy();
      const { handle } = wal;
      if (wal.erase() && handle !== undefined) syncInBackground(handle, () => wal.noteErased());
    });
  };

  const syncWal = (): void => {
    const { handle } = wal;
    if (handle === undefined) return;
    wal.noteSync();
    syncInBackground(handle, () => {
      try {
        copyIfDue();
      } catch (error) {
        hooks.onError(error as Error);
      }
    });
  };

  return {
    begin() {
      const { changes } = readChanges.get() as unknown as { changes: number };
      if (began === undefined) {
        raw.exec('BEGIN');
        began = performance.now();
        changesBefore = changes;
      }
      hasEarlierChanges = changes !== changesBefore;
    },
    noteChange(bytes) {
      changedBytes += bytes;
    },
    runIfDue() {
      const age = began === undefined ? 0 : performance.now() - began;
      const isDue = age >= COMMIT_INTERVAL_MS || changedBytes >= MAX_CHANGED_BYTES;
      // While the file is being synced, a commit would have to wait for it.
      if (isDue && (copiedUpTo === undefined || changedBytes >= 2 * MAX_CHANGED_BYTES)) commit();
      if (isSyncing) return;
      if (wal.isDirty) syncWal();
      else copyIfDue();
    },
    commitDurably() {
      commit();
      syncWalNow();
      if (held !== 'soon') return;
      copyNow();
      held = 'yes';
    },
    checkpoint() {
      commit();
      syncWalNow();
      if (held === 'yes') return;
      copyNow();
      wal.eraseNow();
    },
    hold() {
      if (held === 'no') held = 'soon';
      return fileHandle;
    },
    release() {
      held = 'no';
    },
    get owedBytes() {
      return 2 * changedBytes + uncopiedPages * PAGE_BYTES;
    },
    get hasEarlierChanges() {
      return hasEarlierChanges;
    },
    isIntact,
    forget() {
      began = undefined;
      changedBytes = 0;
    },
    close() {
      isClosed = true;
      // Closing a handle of the file ends SQLite's lock on it, so this must come last.
      closeSync(fileHandle);
      wal.close();
    },
  };
}
