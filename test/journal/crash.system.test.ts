import { describe, expect, it } from 'vitest';
import { append, appendAll, claim, claimReceipts, sampleEvent, settled } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';
import { startAppending } from './process-child.ts';

function refusal(path: string) {
  return `another relay is using ${path}`;
}

describe('a killed process', () => {
  it('loses nothing that it acknowledged, however often it is killed', async () => {
    const path = await journalFolder();
    const printed: string[] = [];
    for (const count of [1, 150, 700]) {
      const child = startAppending(path);
      await child.printed(count);
      child.process.kill('SIGKILL');
      expect((await child.exited()).code).toBe('SIGKILL');
      printed.push(...child.receipts);
    }
    const journal = await openJournal(path);
    const found = await journal.count({ receipts: printed, states: ['pending'] });
    expect(found).toBe(printed.length);
    const all = await journal.count({});
    expect(all).toBeGreaterThanOrEqual(printed.length);
    expect(await journal.ledger()).toMatchObject({ acme: { accepted: all, pending: all } });
    expect(await claimReceipts(journal)).toHaveLength(7);
  });

  it('releases the store immediately', async () => {
    const path = await journalFolder();
    const child = startAppending(path);
    await child.printed(1);
    child.process.kill('SIGKILL');
    await child.exited();
    const journal = await openJournal(path);
    const [receipt] = await appendAll(journal, [sampleEvent({ source: 'new' })]);
    const { token } = await claim(journal, { sources: ['new'] });
    await journal.settle(token, [settled.delivered(receipt!)]);
    expect((await journal.find(receipt!))?.event.state).toBe('delivered');
  });
});

describe('a store in use', () => {
  it('is refused to a second process', async () => {
    const path = await journalFolder();
    await openJournal(path);
    const { code, stderr } = await startAppending(path).exited();
    expect(code).toBe(3);
    expect(stderr).toContain(refusal(path));
  });

  it('is refused to a second journal of the same process until the first is closed', async () => {
    const path = await journalFolder();
    const first = await openJournal(path);
    await expect(openJournal(path)).rejects.toThrow(refusal(path));
    await append(first, sampleEvent());
    await first.close();
    expect(await (await openJournal(path)).count({})).toBe(1);
  });
});
