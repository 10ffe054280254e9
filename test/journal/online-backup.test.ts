import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RefusedError, StoreError } from '../../src/journal/journal.ts';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { append, appendAll, appendAllSettled, sampleEvent, settled } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

const MiB = 1_048_576;

describe('a backup of a store in use', () => {
  it('has every event that was answered before, and is a complete store in one file', async () => {
    const journal = await openJournal(await journalFolder());
    const before = await appendAll(
      journal,
      Array.from({ length: 500 }, () => sampleEvent({ body: Buffer.alloc(20_000, 7) })),
    );
    const target = await journalFolder();
    const file = join(target, 'relay.db');
    const appending = new AbortController();
    const meanwhile = (async () => {
      const receipts: string[] = [];
      while (!appending.signal.aborted) receipts.push((await append(journal, sampleEvent())).receipt);
      return receipts;
    })();
    const { bytes, file: name } = await journal.backup(file);
    appending.abort();
    const after = await meanwhile;
    expect(after.length).toBeGreaterThan(0);
    expect(name).toBe(file);
    expect(bytes).toBe(statSync(file).size);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(target)).toEqual(['relay.db']);
    expect(verifyStore(file)).toEqual([]);

    const restored = await openJournal(target);
    for (const receipt of before)
      expect((await restored.find(receipt))?.body?.equals(Buffer.alloc(20_000, 7))).toBe(true);
    const { acme } = await restored.ledger();
    expect(acme?.accepted).toBe(acme?.pending);
    expect(acme?.accepted).toBeGreaterThanOrEqual(before.length);
    // The store itself goes on.
    expect((await journal.find(after.at(-1)!))?.event.state).toBe('pending');
    expect((await journal.ledger())['acme']?.accepted).toBe(before.length + after.length);
  });

  it('does not stand in the way of checkpoints afterwards', async () => {
    const path = await journalFolder();
    const journal = await openJournal(path);
    await journal.backup(join(await journalFolder(), 'a.db'));
    for (let round = 0; round < 30; round += 1)
      await appendAllSettled(
        journal,
        Array.from({ length: 100 }, () => sampleEvent({ body: Buffer.alloc(20_000, 1) })),
        settled.delivered,
      );
    expect(statSync(join(path, 'relay.db')).size).toBeGreaterThan(20 * MiB);
  });

  it('overwrites nothing, and creates no folder', async () => {
    const path = await journalFolder();
    const journal = await openJournal(path);
    const other = await journalFolder();
    const file = join(other, 'a.db');
    await journal.backup(file);
    await expect(journal.backup(file)).rejects.toThrow(RefusedError);
    await expect(journal.backup(join(other, 'missing', 'a.db'))).rejects.toThrow(RefusedError);
    await append(journal, sampleEvent());
    expect(readdirSync(other)).toEqual(['a.db']);
  });

  it('is refused beside another one, and where it would fill the volume', async () => {
    const journal = await openJournal(await journalFolder());
    const folder = await journalFolder();
    const first = journal.backup(join(folder, 'a.db'));
    await expect(journal.backup(join(folder, 'b.db'))).rejects.toThrow('another backup is being made');
    await first;
    const retention = { delivered: 1e12, ids: 1e12, dead: 1e12 };
    journal.maintain(() => ({ retention, maxBytes: 2 ** 50, minFree: 2 ** 50 }));
    await expect(journal.backup(join(folder, 'c.db'))).rejects.toThrow('too little free space');
    expect(readdirSync(folder)).toEqual(['a.db']);
  });

  it('ends when the journal is closed, and leaves nothing', async () => {
    const path = await journalFolder();
    const journal = await openJournal(path);
    await appendAll(
      journal,
      Array.from({ length: 1_000 }, () => sampleEvent({ body: Buffer.alloc(60_000, 1) })),
    );
    const folder = await journalFolder();
    const ended = journal.backup(join(folder, 'a.db')).catch((error: unknown) => error);
    await journal.close();
    expect(await ended).toBeInstanceOf(StoreError);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that a killed relay has left beside the store is removed at the next start', async () => {
    const path = await journalFolder();
    await (await openJournal(path)).close();
    for (const name of ['.backup-1.db', '.backup-2.db.part']) writeFileSync(join(path, name), '');
    await openJournal(path);
    expect(readdirSync(path).filter((name) => name.startsWith('.backup'))).toEqual([]);
  });
});
