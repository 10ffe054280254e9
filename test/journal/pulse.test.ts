import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { until } from '../helpers/until.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

describe('the pulse of the storage thread', () => {
  it('beats at rest too, and stops with the thread', async () => {
    const started = once(process, 'worker') as Promise<[Worker]>;
    const journal = await openJournal(await journalFolder());
    const [worker] = await started;
    const rested = await until(() => journal.pulseAge() > 100 && journal.pulseAge());
    expect(await until(() => journal.pulseAge() < rested)).toBe(true);
    await worker.terminate();
    // Longer than between two beats.
    await until(() => journal.pulseAge() > 1_500);
  });
});

describe('a probe', () => {
  it('tells whether the store can be written to, and changes nothing', async () => {
    const journal = await openJournal(await journalFolder());
    const before = await journal.ledger();
    await journal.probe();
    expect(await journal.ledger()).toEqual(before);
    await journal.close();
    await expect(journal.probe()).rejects.toThrow('the store is closed');
  });
});
