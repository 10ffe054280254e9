import { expect, it } from 'vitest';
import type { BatchReport } from '../../src/journal/sqlite/protocol.ts';
import { sampleEvent } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

it('each batch tells how many calls it had, whether it wrote, and how long it took; what has no answer yet is queued', async () => {
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
