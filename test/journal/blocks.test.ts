import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { migrate } from '../../src/journal/sqlite/engine/database.ts';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { MIGRATIONS } from '../../src/journal/sqlite/engine/migrations.ts';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { append, claim, sampleEvent, settleAll, settleAs, settled } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

/** Positions far apart: within a block, at its edges, and after empty blocks. */
const POSITIONS = [1, 2, 510, 511, 512, 1_024, 100_000, 5_000_000];

/** Sets the position of the next event. The journal must be closed. */
function setNextPosition(path: string, position: number): void {
  const db = new DatabaseSync(join(path, DATABASE_FILE));
  const { changes } = db
    .prepare(`UPDATE sqlite_sequence SET seq = ? WHERE name = 'events'`)
    .run(position - 1);
  expect(changes).toBe(position === 1 ? 0 : 1);
  db.close();
}

async function appendAt(path: string, given: Parameters<typeof sampleEvent>[0]): Promise<string[]> {
  const receipts: string[] = [];
  for (const position of POSITIONS) {
    if (position > 1) setNextPosition(path, position);
    const journal = await openJournal(path);
    receipts.push((await append(journal, sampleEvent(given))).receipt);
    await append(journal, sampleEvent({ customerId: 'another customer' }));
    await journal.close();
  }
  return receipts;
}

async function listAllReceipts(journal: Journal, limit: number): Promise<string[]> {
  const receipts: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await journal.list({ customerId: '42' }, { limit, cursor });
    receipts.push(...page.items.map(({ receipt }) => receipt));
    ({ cursor } = page);
  } while (cursor !== undefined);
  return receipts;
}

describe('events in many blocks of positions', () => {
  it('are all found by customer and by event id, newest first', async () => {
    const path = await journalFolder();
    const receipts = await appendAt(path, { customerId: '42', eventId: 'twice' });
    const journal = await openJournal(path);

    expect(await listAllReceipts(journal, 3)).toEqual(receipts.toReversed());
    expect(await journal.count({ customerId: '42' })).toBe(receipts.length);
    expect(await journal.count({ eventId: 'twice' })).toBe(receipts.length);
    expect((await journal.find('twice'))?.event.receipt).toBe(receipts.at(-1));
    expect(await journal.find('never')).toBeUndefined();
  });

  it('are all erased', async () => {
    const path = await journalFolder();
    const receipts = await appendAt(path, { lane: 'anna' });
    const journal = await openJournal(path);
    await settleAll(journal, receipts, settled.delivered);
    const { receipt: deletion } = await append(journal, sampleEvent());
    await settleAs(journal, { ...settled.delivered(deletion), erase: ['anna'] });
    const records = await Promise.all(receipts.map((receipt) => journal.find(receipt)));
    expect(records.map((record) => record?.body)).toEqual(receipts.map(() => undefined));
  });
});

describe('values with the same beginning or end', () => {
  it('are reported by verify if they are one event stored twice', async () => {
    const path = await journalFolder();
    const journal = await openJournal(path);
    for (let n = 0; n < 2; n += 1) await append(journal, sampleEvent());
    await journal.close();
    const db = new DatabaseSync(join(path, DATABASE_FILE));
    db.exec('UPDATE events SET identity = (SELECT identity FROM events WHERE seq = 1)');
    db.close();
    expect(verifyStore(path)).toEqual([
      { check: 'identities', detail: 'events that were accepted more than once: 1' },
    ]);
  });

  it('are distinguished: identities', async () => {
    const journal = await openJournal(await journalFolder());
    const [one, other] = [`${'a'.repeat(63)}1`, `${'a'.repeat(63)}2`];
    const first = await append(journal, sampleEvent({ identity: one }));
    expect(await append(journal, sampleEvent({ identity: other }))).toMatchObject({ duplicate: false });
    expect(await append(journal, sampleEvent({ identity: one, source: 'b' }))).toMatchObject({
      duplicate: false,
    });
    expect(await append(journal, sampleEvent({ identity: one }))).toMatchObject({
      ...first,
      duplicate: true,
    });
  });

  it('are distinguished: event ids', async () => {
    const journal = await openJournal(await journalFolder());
    const [one, other] = ['first-of-the-same-end', 'other-of-the-same-end'];
    const first = await append(journal, sampleEvent({ eventId: one }));
    await append(journal, sampleEvent({ eventId: other }));
    expect((await journal.find(one))?.event.receipt).toBe(first.receipt);
    expect(await journal.count({ eventId: other })).toBe(1);
    expect(await journal.count({ eventId: 'the-same-end' })).toBe(0);
  });

  it('are distinguished: lanes', async () => {
    const journal = await openJournal(await journalFolder());
    const lanes = ['the-same-beginning-1', 'the-same-beginning-2'];
    for (const lane of [...lanes, ...lanes]) await append(journal, sampleEvent({ lane }));
    const laneOf = ({ lane }: { lane?: string }) => lane;
    const { token, events } = await claim(journal);
    expect(events.map(laneOf)).toEqual(lanes);
    const settlements = events.map(({ receipt }) => settled.delivered(receipt));
    expect(await journal.settle(token, settlements)).toEqual({ stale: [] });
    expect((await claim(journal)).events.map(laneOf)).toEqual(lanes);
  });
});

describe('a store of an earlier format', () => {
  it.each([6, 7, 8, 9])('is migrated with its content: format %i', async (format) => {
    const path = await journalFolder();
    const file = join(path, DATABASE_FILE);
    const old = new DatabaseSync(file);
    old.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL');
    migrate(old, MIGRATIONS.slice(0, format));
    const known = sampleEvent({ lane: 'anna', customerId: '42', eventId: 'old' });
    old
      .prepare(
        `INSERT INTO events (receipt, source, destination, identity, lane, customer_id, event_id, received_at, verified_by, state, head, due_at, body_bytes)
         VALUES ('r', 'acme', 'aep', ?, 'anna', '42', 'old', 1, 'v', 'pending', 1, 1, 2)`,
      )
      .run(Buffer.from(known.identity, 'hex'));
    old.exec(`INSERT INTO bodies VALUES (1, x'007b7d');
      INSERT INTO counts VALUES ('acme', 1, 1, 0, 0, 0, 0, 0, 0);
      INSERT INTO backlog (destination, pending) VALUES ('aep', 1)`);
    old.close();

    const journal = await openJournal(path);
    expect(await append(journal, known)).toEqual({ receipt: 'r', duplicate: true, sameBody: false });
    await append(journal, sampleEvent({ lane: 'anna' }));
    expect((await claim(journal)).events).toMatchObject([{ receipt: 'r', lane: 'anna' }]);
    expect(await journal.count({ customerId: '42' })).toBe(1);
    expect((await journal.find('old'))?.event.receipt).toBe('r');
    await journal.close();
    expect(verifyStore(path)).toEqual([]);
  });
});
