import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { type BatchReport, StoreError } from '../../src/journal/journal.ts';
import { append, sampleEvent } from '../contract/samples.ts';
import { until } from '../helpers/until.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

it('reports the calls, writes and duration of each batch, and counts unanswered calls as queued', async () => {
  const batches: BatchReport[] = [];
  const journal = await openJournal(await journalFolder(), { onBatch: (batch) => batches.push(batch) });
  await journal.ledger();
  batches.length = 0;

  const appended = [1, 2, 3].map((n) => append(journal, sampleEvent({ identity: `${n}`.repeat(64) })));
  const status = journal.status();
  await Promise.all(appended);
  // Those are answered, and the status itself is not counted.
  expect((await status).queued).toBe(0);
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
    const idleFor = await until(() => journal.silentFor() > 100 && journal.silentFor());
    expect(await until(() => journal.silentFor() < idleFor)).toBe(true);
    await worker.terminate();
    // Longer than the heartbeat interval.
    await until(() => journal.silentFor() > 1_500);
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
    await append(journal, sampleEvent());
    await append(journal, sampleEvent());
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
    const { receipt } = await append(journal, sampleEvent());
    const appending = append(journal, sampleEvent());
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
    await expect(append(journal, sampleEvent())).rejects.toThrow(StoreError);
    // The state is known without the thread.
    expect(await journal.status()).toMatchObject({ silentFor: expect.any(Number) });
    await journal.close();
    expect(await (await openJournal(path)).find(receipt)).toBeDefined();
  });
});
