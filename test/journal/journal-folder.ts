import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { openSqliteJournal, type SqliteJournalOptions } from '../../src/journal/sqlite/journal.ts';

/** An empty folder, removed when the test is over. */
export const journalFolder = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'relay-journal-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
};

/** A journal in the folder, closed when the test is over. */
export const openJournal = async (
  path: string,
  options: Partial<SqliteJournalOptions> = {},
): Promise<Journal> => {
  const journal = await openSqliteJournal({ path, encryptionKeys: [], ...options });
  onTestFinished(() => journal.close());
  return journal;
};
