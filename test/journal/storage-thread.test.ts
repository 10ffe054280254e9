import { once } from 'node:events';
import { tmpdir } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { type BatchReport, StoreError } from '../../src/journal/journal.ts';
import type { Channel, WriteFailure } from '../../src/journal/sqlite/thread/channel.ts';
import { createStatusReader } from '../../src/journal/sqlite/thread/status-reader.ts';
import { append, sampleEvent } from '../contract/samples.ts';
import { until } from '../helpers/until.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

it('reports the calls, writes and duration of each batch', async () => {
  const batches: BatchReport[] = [];
  const journal = await openJournal(await journalFolder(), { onBatch: (batch) => batches.push(batch) });
  await journal.ledger();
  batches.length = 0;

  const appended = [1, 2, 3].map((n) => append(journal, sampleEvent({ identity: `${n}`.repeat(64) })));
  await Promise.all(appended);
  await journal.ledger();

  expect(batches).toMatchObject([
    { calls: 1, writes: true },
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
    const line = [{ err: error }, 'a listener of the journal failed'];
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

describe('the status', () => {
  /** The reader with a thread of which the test decides what it answers. */
  function rig() {
    const thread = {
      call: async (_name: string): Promise<unknown> => ({
        usedBytes: 7,
        freeInside: 3,
        owedBytes: 0,
        overdue: [],
        gauges: { walBytes: 5 },
      }),
      writeFailure: undefined as WriteFailure | undefined,
      msSinceHeartbeat: () => 900,
      queued: () => 4,
    };
    const files = { watch: () => Promise.resolve(undefined), onProblem: () => undefined };
    return { thread, read: createStatusReader(thread as unknown as Channel, tmpdir(), files) };
  }

  it('says since when nothing can be written, until a write of its own succeeds', async () => {
    const { thread, read } = rig();
    const since = performance.now() - 5_000;
    thread.writeFailure = { since, message: 'disk is full' };
    const { call } = thread;
    thread.call = async (name) => {
      if (name === 'probe') throw new StoreError('disk is full');
      return call(name);
    };
    const failing = await read();
    expect(failing).toMatchObject({ isWritable: false, failure: 'disk is full' });
    expect(failing.failingFor).toBeGreaterThanOrEqual(5_000);
    thread.call = async (name) => {
      if (name === 'probe') thread.writeFailure = undefined;
      return call(name);
    };
    const writable = await read();
    expect(writable).toMatchObject({ isWritable: true, usedBytes: 7, gauges: { walBytes: 5 } });
    expect(writable).not.toHaveProperty('failingFor');
  });

  it('is the last known one while the thread does not answer', async () => {
    const { thread, read } = rig();
    expect(await read()).toMatchObject({ usedBytes: 7, queued: 4, silentFor: 900 });
    thread.call = () => new Promise(() => undefined);
    thread.queued = () => 9;
    expect(await read()).toMatchObject({ usedBytes: 7, queued: 9, silentFor: 900 });
  });
});
