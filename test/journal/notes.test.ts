import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { appendSettled, DAY, sampleEvent, settled } from '../contract/samples.ts';
import { until } from '../helpers/until.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

it('deletes the notes of an event with its record', async () => {
  const path = await journalFolder();
  const rows = (): unknown => {
    const db = new DatabaseSync(join(path, DATABASE_FILE));
    const row = db.prepare('SELECT count(*) AS n FROM notes').get()?.['n'];
    db.close();
    return row;
  };
  const journal = await openJournal(path);
  const notes = [{ path: 'data.a', code: 'too-long' }];
  await appendSettled(journal, sampleEvent(), (of) => ({
    ...settled.delivered(of),
    state: 'delivered',
    notes,
  }));
  await appendSettled(journal, sampleEvent(), settled.delivered);
  await journal.close();
  expect(rows()).toBe(1);

  const clock = new Float64Array(new SharedArrayBuffer(8)).fill(Date.now() + 10 * DAY);
  const again = await openJournal(path, { clock });
  const retention = { delivered: DAY, ids: 2 * DAY, dead: 3 * DAY };
  again.maintain(() => ({ retention, maxBytes: 1e12, minFree: 0 }));
  await until(async () => (await again.count({})) === 0);
  await again.close();
  expect(rows()).toBe(0);
});
