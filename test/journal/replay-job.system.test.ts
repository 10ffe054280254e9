import { packEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import { describe, expect, it, vi } from 'vitest';
import { type Appended, type Journal, StoreError } from '../../src/journal/journal.ts';
import type { Call } from '../../src/journal/sqlite/engine/calls.ts';
import { runBatch } from '../../src/journal/sqlite/engine/batch.ts';
import type { Channel } from '../../src/journal/sqlite/thread/channel.ts';
import { closeEngine, openEngine } from '../../src/journal/sqlite/engine/open-engine.ts';
import { createMaintenanceRunner } from '../../src/journal/sqlite/thread/maintenance-runner.ts';
import { appendSettled, claimLimits, sampleEvent, settleAs, settled, T0 } from '../contract/samples.ts';
import { until } from '../helpers/until.ts';
import { journalFolder, openJournal } from './journal-folder.ts';
import { startReplaying } from './process-child.ts';

const EVENTS = 1_100;
const KEY = Buffer.alloc(32, 7);
const CLOCK = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)).fill(T0);

/**
 * Creates a store in which a replay stopped after its first step.
 * @returns the receipts, oldest first
 */
async function createUnfinishedReplay(path: string, keys: readonly Buffer[] = []): Promise<string[]> {
  const engine = openEngine({ path, keys, clock: CLOCK });
  const run = (call: Call): unknown => (runBatch(engine, [call])[0] as { answer: unknown }).answer;
  const events = Array.from({ length: EVENTS }, () => sampleEvent());
  const receipts = (run({ name: 'append', request: packEvents(events) }) as Appended[]).map(
    ({ receipt }) => receipt,
  );
  const claimant = { id: 'the only one', destination: 'aep' };
  run({ name: 'claim', request: { claimant, limits: claimLimits({ events: EVENTS }) } });
  run({ name: 'settle', request: { token: claimant.id, settlements: receipts.map(settled.dead) } });
  const request = { filter: { states: ['dead'] }, asNew: true, by: 'olga' };
  expect(run({ name: 'replay', request })).toMatchObject({ more: true });
  closeEngine(engine);
  return receipts;
}

function isDone(journal: Journal) {
  return async () => (await journal.replays())[0]?.done;
}

/** Each event was replayed exactly once. */
async function expectReplayedOnce(journal: Journal, receipts: readonly string[]): Promise<void> {
  const count = receipts.length;
  expect(await journal.replays()).toMatchObject([
    { by: 'olga', matched: count, replayed: count, done: true },
  ]);
  const records = await Promise.all(receipts.map((receipt) => journal.find(receipt)));
  for (const record of records) {
    expect(record?.event).toMatchObject({ replays: 1, idSuffix: '-r1' });
    expect(record?.actions).toEqual([{ at: T0, by: 'olga', action: 'replayed as new' }]);
  }
}

describe('an interrupted replay', () => {
  it('continues at the next start, even if interrupted repeatedly, and processes each event once', async () => {
    const path = await journalFolder();
    const receipts = await createUnfinishedReplay(path);
    for (let start = 0; start < 2; start += 1) await (await openJournal(path)).close();
    const journal = await openJournal(path);
    // Dead again after it was replayed, or appended after the job began: the job includes neither.
    await settleAs(journal, settled.dead(receipts[0]!));
    const late = await appendSettled(journal, sampleEvent(), settled.dead);
    await until(isDone(journal));
    await expectReplayedOnce(journal, receipts);
    expect(await journal.count({ states: ['dead'] })).toBe(2);
    expect((await journal.find(late))?.event.replays).toBe(0);
    expect(await journal.ledger()).toMatchObject({
      acme: { accepted: EVENTS + 1, pending: EVENTS - 1, dead: 2 },
    });
    expect(await journal.backlog()).toMatchObject([{ pending: EVENTS - 1, replaying: EVENTS - 1 }]);
  });

  it('notifies listeners when it has finished', async () => {
    const path = await journalFolder();
    await createUnfinishedReplay(path);
    const journal = await openJournal(path);
    const report = await new Promise((resolve) => journal.onMaintenance(resolve));
    expect(report).toEqual({ kind: 'replayed', id: 1 });
    expect(await journal.replays()).toMatchObject([{ done: true }]);
  });

  it('continues after the process was killed', async () => {
    const path = await journalFolder();
    const child = startReplaying(path);
    await child.printed(2_000);
    child.process.kill('SIGKILL');
    expect(await child.exited()).toMatchObject({ code: 'SIGKILL', stderr: '' });
    const journal = await openJournal(path);
    await until(isDone(journal));
    await expectReplayedOnce(journal, child.receipts);
  });

  it('pauses while its filter cannot be decrypted, and continues when it can', async () => {
    const path = await journalFolder();
    const receipts = await createUnfinishedReplay(path, [KEY]);
    const log = { error: vi.fn<(fields: object, message: string) => void>() };
    const withoutKey = await openJournal(path, { log });
    await until(() => log.error.mock.calls.length > 0);
    expect(log.error.mock.calls[0]?.[1]).toMatch(/the filter of replay 1 cannot be decrypted/u);
    expect(await withoutKey.replays()).toMatchObject([{ done: false }]);
    await withoutKey.close();
    const journal = await openJournal(path, { encryptionKeys: [KEY.toString('hex')] });
    await until(isDone(journal));
    await expectReplayedOnce(journal, receipts);
  });
});

describe('a replay with a failing step', () => {
  it('rejects and continues in the background', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const called: unknown[] = [];
    const steps = [
      async () => ({ id: 1, replayed: 250, more: true }),
      () => Promise.reject(new StoreError('disk full')),
      async () => ({ id: 1, replayed: 500, more: true }),
      async () => ({ id: 1, replayed: 600, more: false }),
    ];
    const call = (async (name: string, request: unknown) => {
      called.push([name, request]);
      return steps.shift()!();
    }) as Channel['call'];
    const runner = createMaintenanceRunner({ call }, resolve, () =>
      Promise.reject(new Error('not asked for')),
    );
    const request = { filter: {}, asNew: false, by: 'olga' };
    await expect(runner.replay(request)).rejects.toThrow('disk full');
    expect(await promise).toEqual({ kind: 'replayed', id: 1 });
    await runner.stop();
    expect(called).toMatchObject([
      ['replay', request],
      ['replayStep', 1],
      ['replayStep', 1],
      ['replayStep', 1],
    ]);
  });
});

describe('the list of replays', () => {
  it('keeps the last hundred finished ones', async () => {
    const journal = await openJournal(await journalFolder());
    const request = { filter: { receipts: ['none'] }, asNew: false, by: 'olga' };
    await Promise.all(Array.from({ length: 130 }, () => journal.replay(request)));
    const ids = (await journal.replays()).map(({ id }) => id);
    expect(ids).toEqual(Array.from({ length: 100 }, (_, n) => 130 - n));
  });
});
