import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteJournal, type SqliteJournalOptions } from '../../src/journal/sqlite/sqlite-journal.ts';
import type { MakeStore } from './test-store.ts';

/** Stores of the SQLite engine, each in its own folder. */
export function sqliteStores(
  encryptionKeys: readonly string[],
  options: Partial<SqliteJournalOptions> = {},
): MakeStore {
  return async () => {
    const path = await mkdtemp(join(tmpdir(), 'relay-journal-'));
    return {
      open: () => openSqliteJournal({ path, encryptionKeys, ...options }),
      remove: () => rm(path, { recursive: true }),
    };
  };
}
