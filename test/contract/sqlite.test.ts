import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteJournal } from '../../src/journal/sqlite/journal.ts';
import { describeJournalContract } from './journal-contract.ts';
import type { TestStore } from './test-store.ts';

const storeWith = (encryptionKeys: readonly string[]) => async (): Promise<TestStore> => {
  const path = await mkdtemp(join(tmpdir(), 'relay-journal-'));
  return {
    open: () => openSqliteJournal({ path, encryptionKeys }),
    remove: () => rm(path, { recursive: true }),
  };
};

describeJournalContract('SQLite', storeWith([]));
describeJournalContract('SQLite, encrypted', storeWith(['5f'.repeat(32)]));
