import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { openIntakeLog } from '../../src/journal/sqlite/engine/intake-log.ts';
import { append, appendAll, claim, claimReceipts, DAY, sampleEvent, settled } from '../contract/samples.ts';
import { reportSkip } from '../helpers/report-skip.ts';
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

/** Writes beyond this file offset fail, as on a full volume. */
function limitFiles(bytes: string): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
}

function canLimit(): boolean {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

if (!canLimit()) reportSkip('a batch that is written in part', 'prlimit is not installed');

describe('a batch of the intake log', () => {
  it.skipIf(!canLimit())('that was written in part leaves nothing', async () => {
    const folder = await journalFolder();
    const { log } = openIntakeLog(folder, { seed: 7, position: 0 });
    const add = (text: string, payloadBytes: number): void =>
      log.add({ kind: 'event', at: DAY, head: Buffer.from(text), payload: Buffer.alloc(payloadBytes) });
    add('1', 10);
    log.flush();
    for (let n = 0; n < 30; n += 1) add(`refused ${n}`, 10_000);
    limitFiles('100000');
    try {
      expect(() => log.flush()).toThrow('EFBIG');
    } finally {
      limitFiles('unlimited');
    }
    log.discard();
    add('2', 10);
    log.flush();
    log.close();
    const again = openIntakeLog(folder, { seed: 7, position: 0 });
    const heads = again.content.records.map(({ head }) => Buffer.from(head).toString());
    expect(heads).toEqual(['1', '2']);
    expect(again.content).toMatchObject({ missing: 0, torn: 0 });
    again.log.close();
  });
});
