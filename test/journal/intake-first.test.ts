import { expect, it } from 'vitest';
import { sampleEvent, T0 } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

it('a webhook does not wait for the outcomes of many events that were told before it', async () => {
  const journal = await openJournal(await journalFolder());
  const done: string[] = [];
  const settled = Array.from({ length: 300 }, () =>
    journal
      .settle({ receipt: 'unknown', now: T0, attempts: [], delivered: [], state: 'delivered' })
      .then(() => done.push('settled')),
  );
  const appended = journal.append(sampleEvent()).then(() => done.push('appended'));
  await Promise.all([...settled, appended]);
  expect(done.indexOf('appended')).toBe(0);
  expect(done).toHaveLength(301);
});

it('others have their part of each batch, however much comes in', async () => {
  const journal = await openJournal(await journalFolder());
  const done: string[] = [];
  const appended = Array.from({ length: 3_000 }, (_, n) =>
    journal
      .append(sampleEvent({ identity: n.toString(16).padStart(64, '0') }))
      .then(() => done.push('appended')),
  );
  const counted = journal.ledger().then(() => done.push('counted'));
  await Promise.all([...appended, counted]);
  expect(done.indexOf('counted')).toBeLessThan(done.length - 1_000);
});
