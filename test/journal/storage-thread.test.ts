import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { type BatchReport, StoreError } from '../../src/journal/journal.ts';
import { sampleEvent } from '../contract/samples.ts';
import { until } from '../helpers/until.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

it('reports the calls, writes and duration of each batch, and counts unanswered calls as queued', async () => {
  const batches: BatchReport[] = [];
  const journal = await openJournal(await journalFolder(), { onBatch: (batch) => batches.push(batch) });
  await journal.ledger();
  batches.length = 0;

  const appended = [1, 2, 3].map((n) => journal.append(sampleEvent({ identity: `${n}`.repeat(64) })));
  expect(journal.queued()).toBe(3);
  await Promise.all(appended);
  expect(journal.queued()).toBe(0);
  await journal.ledger();

  expect(batches).toMatchObject([
    { calls: 3, writes: true },
    { calls: 1, writes: false },
  ]);
  for (const { durationMs } of batches) expect(durationMs).toBeGreaterThan(0);
});

describe('the heartbeat of the storage thread', () => {
  it('is recorded even when idle, and stops with the thread', async () => {
    const started = once(process, 'worker') as Promise<[Worker]>;
    const journal = await openJournal(await journalFolder());
    const [worker] = await started;
    const idleFor = await until(() => journal.msSinceHeartbeat() > 100 && journal.msSinceHeartbeat());
    expect(await until(() => journal.msSinceHeartbeat() < idleFor)).toBe(true);
    await worker.terminate();
    // Longer than the heartbeat interval.
    await until(() => journal.msSinceHeartbeat() > 1_500);
  });
});

describe('a probe', () => {
  it('reports whether the store is writable and changes nothing', async () => {
    const journal = await openJournal(await journalFolder());
    const before = await journal.ledger();
    await journal.probe();
    expect(await journal.ledger()).toEqual(before);
    await journal.close();
    await expect(journal.probe()).rejects.toThrow('the store is closed');
  });
});

describe('a listener that throws', () => {
  it('is logged and affects neither other listeners nor the journal', async () => {
    const log: unknown[] = [];
    const journal = await openJournal(await journalFolder(), {
      log: { error: (fields, message) => log.push([fields, message]) },
    });
    const called: string[] = [];
    const error = new Error('failed');
    journal.onClaimable(() => {
      throw error;
    });
    journal.onClaimable((destination) => called.push(destination));
    await journal.append(sampleEvent());
    await journal.append(sampleEvent());
    expect(called).toEqual(['aep', 'aep']);
    const line = [{ err: error, destination: 'aep' }, 'a listener of the journal failed'];
    expect(log).toEqual([line, line]);
  });
});

/** A journal and the thread that works for it. */
async function openWithWorker(path: string) {
  const started = once(process, 'worker') as Promise<[Worker]>;
  const journal = await openJournal(path);
  const [worker] = await started;
  return { journal, worker };
}

describe('a worker that dies', () => {
  it('fails current and later calls and reports the failure', async () => {
    const path = await journalFolder();
    const { journal, worker } = await openWithWorker(path);
    const { receipt } = await journal.append(sampleEvent());
    const appending = journal.append(sampleEvent());
    const waiting = journal.count({});
    const outcomes = Promise.allSettled([appending, waiting]);
    await worker.terminate();

    expect(await outcomes).toEqual([
      { status: 'rejected', reason: expect.any(StoreError) as unknown },
      { status: 'rejected', reason: expect.any(StoreError) as unknown },
    ]);
    expect((await journal.failed).message).toMatch(
      /the store has failed: the storage thread exited with code 1/u,
    );
    await expect(journal.append(sampleEvent())).rejects.toThrow(StoreError);
    await expect(journal.health()).rejects.toThrow(StoreError);
    await journal.close();
    expect(await (await openJournal(path)).find(receipt)).toBeDefined();
  });
});
