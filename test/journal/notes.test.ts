import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { appendSettled, DAY, sampleEvent, settled, T0 } from '../contract/samples.ts';
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

  const again = await openJournal(path);
  const policy = { delivered: DAY, ids: 2 * DAY, dead: 3 * DAY };
  for (let more = true; more; ) ({ more } = await again.retain(policy, T0 + 10 * DAY));
  await again.close();
  expect(rows()).toBe(0);
});
