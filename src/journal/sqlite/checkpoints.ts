import type { DatabaseSync } from 'node:sqlite';

/** Pages in the write-ahead log before they are moved into the file whatever else is to do: 8 MB, so that a page written often is moved once. */
export const MOST_PAGES = 2_048;
/** Pages that are worth moving when the last time is some while ago: about 2 ms, which whoever calls meanwhile waits. */
const FEW_PAGES = 128;
/** ms between two times, unless the log is full. */
const INTERVAL = 100;

export interface Checkpoints {
  /** Moves the log into the file if it is time. Never throws: a file that cannot be written shows at the next commit. */
  run(): void;
}

interface LogState {
  /** Pages in the log. */
  readonly log: number;
  /** Of these, in the file already. */
  readonly checkpointed: number;
}

/**
 * Moves what was committed from the write-ahead log into the file, little by little and after the batch was answered. SQLite does it by itself
 * within the commit that fills the log, and whoever is in that batch or behind it waits for 2,048 pages: 20 ms, which at a peak is the worst
 * hundredth of all answers.
 */
export function createCheckpoints(raw: DatabaseSync): Checkpoints {
  const look = raw.prepare('PRAGMA wal_checkpoint(NOOP)');
  const move = raw.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  let last = performance.now();
  return {
    run() {
      const { log, checkpointed } = look.get() as unknown as LogState;
      const pages = log - checkpointed;
      if (pages < FEW_PAGES || (pages < MOST_PAGES && performance.now() - last < INTERVAL)) return;
      try {
        move.get();
      } catch {
        // The log stays as it is, and is moved another time.
      }
      last = performance.now();
    },
  };
}
