import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteJournal, type SqliteJournalOptions } from '../../src/journal/sqlite/sqlite-journal.ts';
import { T0 } from './samples.ts';
import type { MakeStore } from './test-store.ts';

/** Stores of the SQLite engine, each in its own folder. */
export function sqliteStores(
  encryptionKeys: readonly string[],
  options: Partial<SqliteJournalOptions> = {},
): MakeStore {
  return async () => {
    const path = await mkdtemp(join(tmpdir(), 'relay-journal-'));
    const clock = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)).fill(T0);
    return {
      isShared: false,
      clock: { now: () => clock[0] as number, set: (ms) => void clock.fill(ms) },
      open: () => openSqliteJournal({ path, encryptionKeys, clock, ...options }),
      remove: () => rm(path, { recursive: true }),
    };
  };
}
