import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { backupStore } from '../../src/journal/sqlite/backup.ts';
import { salvageStore } from '../../src/journal/sqlite/salvage.ts';
import { sampleEvent } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

/** Name → mode, of the folder itself too. */
const modesIn = async (folder: string): Promise<Record<string, string>> => {
  const names = ['.', ...(await readdir(folder)).toSorted()];
  const modes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mode & 0o777));
  return Object.fromEntries(names.map((name, index) => [name, (modes[index] ?? 0).toString(8)]));
};

/** What a shell usually gives, and less, whatever the shell of this test has. */
const withMask = (): void => {
  const before = process.umask(0o022);
  onTestFinished(() => void process.umask(before));
};

const filled = async (path: string): Promise<void> => {
  const journal = await openJournal(path);
  await journal.append(sampleEvent());
  await journal.close();
};

describe('files of the store', () => {
  it('are for the user of the relay alone, while it runs and after', async () => {
    withMask();
    const path = join(await journalFolder(), 'data');
    const journal = await openJournal(path);
    await journal.append(sampleEvent());
    expect(await modesIn(path)).toEqual({ '.': '700', 'relay.db': '600', 'relay.db-wal': '600' });
    await journal.close();
    expect(await modesIn(path)).toEqual({ '.': '700', 'relay.db': '600' });
  });

  it('are made so when they were not', async () => {
    withMask();
    const path = await journalFolder();
    await filled(path);
    await chmod(join(path, 'relay.db'), 0o644);
    const journal = await openJournal(path);
    await journal.append(sampleEvent());
    expect(await modesIn(path)).toMatchObject({ 'relay.db': '600', 'relay.db-wal': '600' });
  });

  it('are so in a backup and in what was salvaged', async () => {
    withMask();
    const path = await journalFolder();
    await filled(path);
    await chmod(join(path, 'relay.db'), 0o644);
    const backup = await journalFolder();
    backupStore(path, join(backup, 'b.db'));
    expect(await modesIn(backup)).toMatchObject({ 'b.db': '600' });
    const salvaged = join(await journalFolder(), 'salvaged');
    salvageStore(path, salvaged);
    expect(await modesIn(salvaged)).toEqual({ '.': '700', 'relay.db': '600' });
  });
});
