import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import type { Engine, EngineOptions } from '../../src/journal/sqlite/engine/sqlite-engine.ts';
import { closeEngine, openEngine } from '../../src/journal/sqlite/engine/open-engine.ts';
import { Channel } from '../../src/journal/sqlite/thread/channel.ts';
import { openSqliteJournal, type SqliteJournalOptions } from '../../src/journal/sqlite/sqlite-journal.ts';

/** An empty folder that is deleted after the test. */
export async function journalFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'relay-journal-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** A journal in the folder that is closed after the test. */
export async function openJournal(
  path: string,
  options: Partial<SqliteJournalOptions> = {},
): Promise<Journal> {
  const journal = await openSqliteJournal({ path, encryptionKeys: [], ...options });
  onTestFinished(() => journal.close());
  return journal;
}

/** A storage thread that no maintenance drives. It is closed after the test. */
export async function openChannel(path: string, options: Partial<EngineOptions> = {}): Promise<Channel> {
  const channel = new Channel({ path, keys: [], ...options }, () => undefined);
  onTestFinished(() => channel.close());
  await channel.ready;
  return channel;
}

/** An engine in an empty folder, without a thread, that is closed after the test. */
export async function openTestEngine(): Promise<Engine> {
  const engine = openEngine({ path: await journalFolder(), keys: [] });
  onTestFinished(() => closeEngine(engine));
  return engine;
}
