import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { WAY_OUT } from './damage.ts';

/** Bytes of a file that is looked through as a whole at each start: half a second at most. A larger one is when `store verify` is asked. */
const WHOLE = 256 * 1_024 * 1_024;
/** Small tables that every call needs. */
const VITAL = ['counts', 'backlog', 'pauses'] as const;

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Refuses a file that is gone while its log is there. SQLite would begin a new database, and forget every event.
 * @throws Error that says so
 */
export function expectNotEmptied(file: string): void {
  if (sizeOf(file) === 0 && sizeOf(`${file}-wal`) > 0)
    throw new Error(`relay.db is empty or gone while its write-ahead log is there; ${WAY_OUT}`);
}

/**
 * A quick look for damage before the file is used. What it does not see shows when a damaged page is read.
 * @throws Error that says what was found and the way out; SQLite's own for what it cannot read
 */
export function expectSound(db: DatabaseSync, file: string): void {
  const checks = sizeOf(file) <= WHOLE ? ['quick_check(1)'] : VITAL.map((table) => `quick_check('${table}')`);
  for (const check of checks) {
    const [found] = db.prepare(`PRAGMA ${check}`).all();
    const words = String(Object.values(found ?? {})[0]);
    // The first of several lines is a heading.
    const what = words.split('\n').find((line) => !line.startsWith('***'));
    if (words !== 'ok') throw new Error(`the file is damaged (${what}); ${WAY_OUT}`);
  }
}
