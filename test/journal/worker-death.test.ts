import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/journal/journal.ts';
import { sampleEvent } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

/** A journal and the thread that works for it. */
const openWithWorker = async (path: string) => {
  const started = once(process, 'worker') as Promise<[Worker]>;
  const journal = await openJournal(path);
  const [worker] = await started;
  return { journal, worker };
};

describe('a worker that dies', () => {
  it('fails what is under way and what comes after, and says so', async () => {
    const path = await journalFolder();
    const { journal, worker } = await openWithWorker(path);
    const { receipt } = await journal.append(sampleEvent());
    const underWay = journal.append(sampleEvent());
    const waiting = journal.count({});
    const outcomes = Promise.allSettled([underWay, waiting]);
    await worker.terminate();

    expect(await outcomes).toEqual([
      { status: 'rejected', reason: expect.any(StoreError) as unknown },
      { status: 'rejected', reason: expect.any(StoreError) as unknown },
    ]);
    expect((await journal.failed).message).toMatch(/the store has failed: its thread ended with code 1/u);
    await expect(journal.append(sampleEvent())).rejects.toThrow(StoreError);
    await expect(journal.health()).rejects.toThrow(StoreError);
    await journal.close();
    expect(await (await openJournal(path)).find(receipt)).toBeDefined();
  });
});
