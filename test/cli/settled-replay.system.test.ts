import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdminCliRig, event, openAdminCliRig } from './admin-cli-rig.ts';
import { cellsOf } from './command-line.ts';

let rig: AdminCliRig;
let receipts: string[];
beforeEach(async () => {
  rig = await openAdminCliRig();
  receipts = [await rig.post(event('e-1', 11)), await rig.post(event('e-2', 12))];
  await rig.relay.settle(() => ({ state: 'delivered', delivered: ['event'] }));
});
afterEach(() => rig.relay.close());

const replay = (...words: string[]) => rig.cli('events', 'replay', ...words);

async function pending(): Promise<number> {
  return (await rig.relay.journal.ledger())['acme']?.pending ?? 0;
}

describe('events replay of many', () => {
  it('shows with --dry-run how many there are, which, and what to know', async () => {
    const dry = await replay('--states', 'delivered', '--filter', 'source=acme', '--dry-run');
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toMatch(/^2 would be replayed\n\nRECEIPT +RECEIVED +SOURCE +EVENT /);
    expect(cellsOf(dry.stdout).filter(([cell = '']) => receipts.includes(cell))).toHaveLength(2);
    expect(dry.stdout).toMatch(
      /\nNote \(2\): delivered events keep their _id: Profile ignores those .*--as-new/,
    );
    const asNew = await replay(
      '--states',
      'delivered',
      '--source',
      'acme',
      '--as-new',
      '--dry-run',
      '--json',
    );
    expect(JSON.parse(asNew.stdout)).toMatchObject({
      matched: 2,
      eligible: 2,
      warnings: [{ code: 'counted-again' }],
    });
    expect(await pending()).toBe(0);
  });

  it('requires --yes without a terminal, but not for receipts', async () => {
    const words = ['--states', 'delivered', '--all'];
    expect(await replay(...words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('needs --yes, because what is sent again cannot be taken back'),
    });
    expect(await pending()).toBe(0);
    expect(await replay(...receipts)).toMatchObject({ code: 0, stdout: 'matched 2, replayed 2\n' });
    await rig.relay.settle(() => ({ state: 'delivered', delivered: ['event'] }));
    expect(await replay(...words, '--yes')).toMatchObject({ code: 0, stdout: 'matched 2, replayed 2\n' });
    expect(await replay(...words, '--yes')).toMatchObject({ code: 0, stdout: 'matched 0, replayed 0\n' });
    const { stdout } = await rig.cli('events', 'replays');
    expect(cellsOf(stdout)[1]?.at(-1)).toMatch(/^states delivered, settledUntil 2026-/);
    expect(cellsOf(stdout)).toHaveLength(3);
  });

  it('takes the events that were settled between two times', async () => {
    rig.relay.state.now += 3_600_000;
    const late = await rig.post(event('e-3', 13));
    await rig.relay.settle(() => ({ state: 'ignored', reason: 'unmapped' }));
    const at = new Date(rig.relay.state.now).toISOString();
    for (const [words, matched] of [
      [['--states', 'ignored', '--filter', `settled-since=${at}`], 1],
      [['--states', 'delivered', '--settled-since', at], 0],
      [['--states', 'delivered,ignored', '--settled-until', at], 2],
    ] as const) {
      const { stdout } = await replay(...words, '--dry-run', '--json');
      expect(JSON.parse(stdout).matched).toBe(matched);
    }
    const listed = await rig.cli('events', '--settled-since', at, '--json');
    expect(JSON.parse(listed.stdout).events).toMatchObject([{ receipt: late }]);
  });

  it('exits with 1 when something could not be replayed, and says what', async () => {
    await rig.post(event('e-3', 13));
    await rig.relay.moveToDeadLetters();
    await rig.cli('dead-letters', 'discard', '--all', '--yes');
    const ended = await replay('--states', 'delivered,ignored', '--all', '--yes');
    expect(ended).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^matched 3, replayed 2\n\nRECEIPT/),
    });
    expect(ended.stdout).toContain('its body is gone');
    const missing = await replay(receipts[0]!, 'not-there');
    expect(missing).toMatchObject({ code: 1, stdout: expect.stringContaining('no event has this receipt') });
  });

  it('follows one that takes longer, over a relay that fails meanwhile', async () => {
    const { journal } = rig.relay.parts;
    const { startReplay, replays } = journal;
    let started = false;
    let reads = 0;
    Object.assign(journal, {
      startReplay: async (request: Parameters<typeof startReplay>[0]) => {
        const { id } = await startReplay(request);
        started = true;
        return { id, stopped: Promise.resolve() };
      },
      replays: async () => {
        const jobs = await replays();
        if (!started) return jobs;
        reads += 1;
        if (reads === 2) throw new Error('not now');
        return reads > 3 ? jobs : jobs.map((job) => ({ ...job, replayed: 1, done: false }));
      },
    });
    const ended = await replay('--states', 'delivered', '--all', '--yes');
    expect(ended).toMatchObject({ code: 0, stdout: 'matched 2, replayed 2\n' });
    expect(ended.stderr).toMatch(/^replay 1 is running; Ctrl-C leaves it running/);
    expect(ended.stderr).toContain('Waiting for it; the replay continues with it.');
    expect(ended.stderr).toContain('\n1 of 2\n');
  });
});
