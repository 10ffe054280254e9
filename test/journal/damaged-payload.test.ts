import { packEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Appended, Claim, EventRecord, Journal } from '../../src/journal/journal.ts';
import { runBatch } from '../../src/journal/sqlite/engine/batch.ts';
import type { AnswerOf, OperationName, ReencryptionPosition } from '../../src/journal/sqlite/engine/calls.ts';
import { closeEngine, openEngine } from '../../src/journal/sqlite/engine/open-engine.ts';
import { parseKey } from '../../src/journal/payload-cipher.ts';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import {
  append,
  claimEvents,
  claimLimits,
  claimReceipts,
  sampleEvent,
  settleHeld,
  settled,
} from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

const KEYS = ['11'.repeat(32)];
const BODY = Buffer.from(JSON.stringify({ data: { customerId: '4245', points: 120 } }));

/** A payload of a stopped relay; `change` returns what is stored instead. */
function rewrite(path: string, column: string, where: string, change: (stored: Buffer) => Uint8Array): void {
  const [table, name] = column.split('.');
  const db = new DatabaseSync(join(path, DATABASE_FILE));
  const row = db.prepare(`SELECT rowid AS at, ${name} AS payload FROM ${table} WHERE ${where}`).get();
  const stored = Buffer.from(row!['payload'] as Uint8Array);
  db.prepare(`UPDATE ${table} SET ${name} = ? WHERE rowid = ?`).run(change(stored), row!['at'] as number);
  db.close();
}

/** Flips one bit of a byte, counted from the end if negative. */
function flipped(at: number, bit = 0) {
  return (stored: Buffer): Buffer => {
    const index = at < 0 ? stored.length + at : at;
    stored[index] = stored.readUInt8(index) ^ (1 << bit);
    return stored;
  };
}

/** A closed store with three events of one customer, each with its body. */
async function storeOf(encryptionKeys: readonly string[]) {
  const path = await journalFolder();
  const journal = await openJournal(path, { encryptionKeys });
  const events = [1, 2, 3].map(() => sampleEvent({ lane: 'c1', body: BODY }));
  const receipts: string[] = [];
  for (const event of events) receipts.push((await append(journal, event)).receipt);
  await journal.close();
  const lines: unknown[] = [];
  const lost: string[] = [];
  const reopen = () =>
    openJournal(path, {
      encryptionKeys,
      log: { error: (fields, message) => lines.push({ ...fields, message }) },
      onPayloadLost: (destination) => lost.push(destination),
    });
  return { path, events, receipts, lines, lost, reopen };
}

/** Claims and settles until nothing is left. @returns the receipts that were claimed, in order */
async function drain(journal: Journal): Promise<string[]> {
  const claimed: string[] = [];
  // A claim may settle what is damaged and return nothing although the next event is due.
  for (let idle = 0; idle < 2; ) {
    const events = await claimEvents(journal);
    for (const { receipt, body } of events) {
      expect(body.equals(BODY)).toBe(true);
      claimed.push(receipt);
      await settleHeld(journal, settled.delivered(receipt));
    }
    idle = events.length === 0 ? idle + 1 : 0;
  }
  return claimed;
}

/** Brings every payload into the current form. @returns how many had another one */
function resealAll(path: string, keys: readonly string[]): number {
  const engine = openEngine({ path, keys: keys.map(parseKey) });
  let resealed = 0;
  for (let from: ReencryptionPosition | undefined; ; ) {
    const [outcome] = runBatch(engine, [{ name: 'reencrypt', request: { from } }]);
    const step = (outcome as { answer: AnswerOf<'reencrypt'> }).answer;
    resealed += step.reencrypted;
    if (step.next === undefined) break;
    from = step.next;
  }
  closeEngine(engine);
  return resealed;
}

describe.each([
  ['without keys', []],
  ['with keys', KEYS],
])('a damaged payload, %s', (_what, keys) => {
  it.each([
    ['its first byte', flipped(0)],
    ['its first byte, another bit', flipped(0, 2)],
    ['its checksum', flipped(keys.length > 0 ? 20 : 2)],
    ['a digit of its content', flipped(-5)],
    ['its end, which is missing', (stored: Buffer) => stored.subarray(0, -1)],
    ['everything', (stored: Buffer) => Buffer.alloc(stored.length, 0xa5)],
    ['nothing left', () => Buffer.alloc(0)],
  ])('is a dead letter, never delivered, and the lane goes on: %s', async (_part, change) => {
    const { path, events, receipts, lines, lost, reopen } = await storeOf(keys);
    rewrite(path, 'bodies.body', 'seq = 1', change);
    const journal = await reopen();
    expect(await drain(journal)).toEqual(receipts.slice(1));
    expect((await journal.find(receipts[0]!))?.event).toMatchObject({
      state: 'dead',
      reason: 'payload-lost',
      detail: 'its stored payload is damaged',
    });
    expect(await journal.ledger()).toMatchObject({
      acme: { accepted: 3, pending: 0, delivered: 2, dead: 1 },
    });
    expect(await journal.backlog()).toMatchObject([{ pending: 0 }]);
    expect(lines).toEqual([
      {
        message: 'event moved to dead letters',
        receipt: receipts[0],
        source: 'acme',
        destination: 'aep',
        reason: 'payload-lost',
        detail: 'its stored payload is damaged',
      },
    ]);
    expect(lost).toEqual(['aep']);
    // It cannot be replayed, but sent again.
    const filter = { states: ['dead' as const] };
    expect(await journal.replay({ filter, asNew: false, by: 'ann' })).toEqual({ replayed: 0 });
    expect((await append(journal, events[0]!)).duplicate).toBe(false);
  });

  it('wakes the claimant for the next event of the lane', async () => {
    const { path, receipts, reopen } = await storeOf(keys);
    rewrite(path, 'bodies.body', 'seq = 1', flipped(-1));
    const journal = await reopen();
    const claimable: string[] = [];
    journal.onClaimable((destination) => claimable.push(destination));
    const claimed = await claimReceipts(journal);
    expect(claimed.length > 0 || claimable.includes('aep')).toBe(true);
    expect([...claimed, ...(await claimReceipts(journal))]).toEqual([receipts[1]]);
  });

  it('that is missing is a dead letter too', async () => {
    const { path, receipts, reopen } = await storeOf(keys);
    const db = new DatabaseSync(join(path, DATABASE_FILE));
    db.exec('DELETE FROM bodies WHERE seq = 2');
    db.close();
    const journal = await reopen();
    expect(await drain(journal)).toEqual([receipts[0], receipts[2]]);
    expect((await journal.find(receipts[1]!))?.event.detail).toBe('its stored payload is missing');
  });

  it('that is the state of a customer costs one event, which can be replayed', async () => {
    const { path, receipts, lines, reopen } = await storeOf(keys);
    const before = await openJournal(path, { encryptionKeys: keys });
    await claimEvents(before);
    await settleHeld(before, {
      ...settled.delivered(receipts[0]!),
      profiles: [{ lane: 'c1', state: '{"tier":"gold"}' }],
    });
    await before.close();
    rewrite(path, 'profiles.state', "lane = 'c1'", flipped(-3));
    const journal = await reopen();
    expect(await drain(journal)).toEqual([receipts[2]]);
    expect(lines).toMatchObject([{ receipt: receipts[1], reason: 'payload-lost' }]);
    expect((await journal.find(receipts[1]!))?.event.detail).toMatch(/state of its customer was damaged/u);
    expect(await journal.profiles('aep', ['c1'])).toEqual(new Map());
    const replay = { filter: { receipts: [receipts[1]!] }, asNew: false, by: 'ann' };
    expect(await journal.replay(replay)).toEqual({ replayed: 1 });
    expect(await claimEvents(journal)).toMatchObject([{ receipt: receipts[1], body: BODY }]);
  });

  it('that is the state of a merged customer is reported and removed', async () => {
    const { path, receipts, lines, reopen } = await storeOf(keys);
    const before = await openJournal(path, { encryptionKeys: keys });
    await claimEvents(before);
    await settleHeld(before, {
      ...settled.delivered(receipts[0]!),
      profiles: [{ lane: 'c2', state: '{"tier":"gold"}' }],
    });
    await before.close();
    rewrite(path, 'profiles.state', "lane = 'c2'", flipped(-3));
    const journal = await reopen();
    expect(await journal.profiles('aep', ['c2'])).toEqual(new Map());
    expect(lines).toEqual([
      { message: 'the stored state of a customer at aep is damaged: it does not match its checksum' },
    ]);
    expect(await journal.profiles('aep', ['c2'])).toEqual(new Map());
  });
});

describe('a payload on a page that cannot be read', () => {
  it('is a dead letter, of which everything else is kept for salvage', async () => {
    const path = await journalFolder();
    const engine = openEngine({ path, keys: [] });
    onTestFinished(() => closeEngine(engine));
    const events = [sampleEvent({ body: Buffer.alloc(9_000, 'x') }), sampleEvent({ body: BODY })];
    const call = (name: OperationName, request: unknown) => {
      const [outcome] = runBatch(engine, [{ name, request }]);
      expect(outcome).not.toHaveProperty('message');
      return (outcome as { answer: unknown }).answer;
    };
    const [large, small] = call('append', packEvents(events)) as Appended[];
    engine.tables.checkpoint();
    engine.db.raw.exec('PRAGMA shrink_memory');
    // The first bytes of an overflow page are the number of the next one.
    const file = openSync(join(path, DATABASE_FILE), 'r+');
    const pages = readFileSync(file);
    for (let at = 0; at < pages.length; at += 4_096)
      if (pages.subarray(at + 4, at + 4_096).equals(Buffer.alloc(4_092, 'x')))
        writeSync(file, Buffer.alloc(4, 0x7f), 0, 4, at);
    closeSync(file);
    // The first claim only finds the damage, after which its transaction must be rolled back.
    const request = { claimant: { id: 'one', destination: 'aep' }, limits: claimLimits() };
    expect(runBatch(engine, [{ name: 'claim', request }])).toMatchObject([{ ok: false }]);
    const claimed = call('claim', request) as Claim;
    expect(claimed.events.map(({ receipt }) => receipt)).toEqual([small!.receipt]);
    const { event } = call('find', large!.receipt) as EventRecord;
    expect(event).toMatchObject({
      state: 'dead',
      reason: 'payload-lost',
      detail: 'its stored payload is on a damaged page of the file',
    });
    expect(call('append', packEvents(events.slice(0, 1)))).toMatchObject([{ duplicate: true }]);
    const messages = engine.takeNotices().map(({ message }) => message);
    expect(messages).toContainEqual(expect.stringContaining('file is damaged'));
    expect(messages).toContain('event moved to dead letters');
  });
});

describe('the damaged filter of a replay', () => {
  it('ends the job, and says so', async () => {
    const { path, lines, reopen } = await storeOf([]);
    const db = new DatabaseSync(join(path, DATABASE_FILE));
    db.exec(`INSERT INTO replay_jobs (at, by, as_new, shown, filter, next_seq, until_seq, span)
      VALUES (1, 'ann', 0, '{"filter":{},"narrowedBy":[]}', X'0600000000', 1, 3, 512)`);
    db.close();
    rewrite(path, 'replay_jobs.filter', 'id = 1', flipped(-1));
    const journal = await reopen();
    await vi.waitFor(async () =>
      expect(await journal.replays()).toMatchObject([{ done: true, replayed: 0 }]),
    );
    expect(lines).toEqual([{ message: 'the filter of replay 1 is damaged: it does not match its checksum' }]);
  });
});

describe('with keys', () => {
  it('a damaged key id is no unknown key', async () => {
    const { path, receipts, reopen } = await storeOf(KEYS);
    rewrite(path, 'bodies.body', 'seq = 1', flipped(2));
    expect(await drain(await reopen())).toEqual(receipts);
  });

  it('what has another form once everything was encrypted is damaged', async () => {
    const { path, receipts, reopen } = await storeOf(KEYS);
    expect(resealAll(path, KEYS)).toBe(0);
    rewrite(path, 'bodies.body', 'seq = 1', () => Buffer.from(`\0${BODY.toString()}`));
    rewrite(path, 'bodies.body', 'seq = 2', (stored) => flipped(-1)(flipped(2)(stored)));
    expect(await drain(await reopen())).toEqual([receipts[2]]);
  });
});

describe('payloads of an earlier version, without a checksum', () => {
  it('are read, and get one in the background', async () => {
    const { path, receipts, reopen, lines } = await storeOf([]);
    const old = Buffer.from(`\0${BODY.toString()}`);
    for (const seq of [1, 2, 3]) rewrite(path, 'bodies.body', `seq = ${seq}`, () => old);
    const db = new DatabaseSync(join(path, DATABASE_FILE));
    db.exec('DELETE FROM sealed_with');
    db.close();
    expect(resealAll(path, [])).toBe(3);
    rewrite(path, 'bodies.body', 'seq = 2', flipped(-5));
    expect(resealAll(path, [])).toBe(0);
    expect(await drain(await reopen())).toEqual([receipts[0], receipts[2]]);
    expect(lines).toHaveLength(1);
  });
});
