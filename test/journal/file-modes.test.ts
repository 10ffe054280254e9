import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { backupStore } from '../../src/journal/sqlite/offline/stopped-store.ts';
import { salvageStore } from '../../src/journal/sqlite/offline/salvage.ts';
import { append, sampleEvent } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

/** Modes by file name, including the folder itself. */
async function modesIn(folder: string): Promise<Record<string, string>> {
  const names = ['.', ...(await readdir(folder)).toSorted()];
  const modes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mode & 0o777));
  return Object.fromEntries(names.map((name, index) => [name, (modes[index] ?? 0).toString(8)]));
}

/** Sets the usual umask, whatever the shell of this test has. */
function withUsualUmask(): void {
  const before = process.umask(0o022);
  onTestFinished(() => void process.umask(before));
}

async function createStore(path: string): Promise<void> {
  const journal = await openJournal(path);
  await append(journal, sampleEvent());
  await journal.close();
}

const LOGS = {
  '.': '700',
  '.relay-store': '600',
  'intake-0.log': '600',
  'intake-1.log': '600',
  'relay.db': '600',
};

describe('files of the store', () => {
  it('are accessible to the user of the relay only, while it runs and after', async () => {
    withUsualUmask();
    const path = join(await journalFolder(), 'data');
    const journal = await openJournal(path);
    await append(journal, sampleEvent());
    expect(await modesIn(path)).toEqual({ ...LOGS, 'relay.db-wal': '600' });
    await journal.close();
    expect(await modesIn(path)).toEqual(LOGS);
  });

  it('have their modes corrected', async () => {
    withUsualUmask();
    const path = await journalFolder();
    await createStore(path);
    await chmod(join(path, 'relay.db'), 0o644);
    const journal = await openJournal(path);
    await append(journal, sampleEvent());
    expect(await modesIn(path)).toMatchObject({ 'relay.db': '600', 'relay.db-wal': '600' });
  });

  it('have the same modes in a backup and after salvage', async () => {
    withUsualUmask();
    const path = await journalFolder();
    await createStore(path);
    await chmod(join(path, 'relay.db'), 0o644);
    const backup = await journalFolder();
    backupStore(path, join(backup, 'b.db'));
    expect(await modesIn(backup)).toMatchObject({ 'b.db': '600' });
    const salvaged = join(await journalFolder(), 'salvaged');
    salvageStore(path, salvaged);
    expect(await modesIn(salvaged)).toEqual({ '.': '700', 'relay.db': '600', '.relay-store': '600' });
  });
});
