import { describe, expect, it } from 'vitest';
import { RefusedError, StoreError } from '../../src/journal/journal.ts';
import { sha256, T0 } from '../contract/samples.ts';
import { logRig } from './postgres-log-rig.ts';

const ANN = sha256('ann');
const ANY = { limit: 500 };

describe('lookups in PostgreSQL', () => {
  it('list newest first over all days, page by page', async () => {
    const { log, store } = await logRig();
    const receipts = await store(
      Array.from({ length: 30 }, (_, n) => ({ day: 20_000 + (n % 7), state: n % 2 ? 'dead' : 'pending' })),
    );
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await log.list({}, { limit: 7, ...(cursor === undefined ? {} : { cursor }) });
      found.push(...page.items.map(({ receipt }) => receipt));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(found).toEqual(receipts.toReversed());
    expect(await log.count({})).toBe(30);
    expect(await log.count({ states: ['dead'] })).toBe(15);
    expect(await log.count({ states: ['pending'] })).toBe(15);
  });

  it('go through windows until a rare event is found', async () => {
    const { log, store, sql } = await logRig();
    const [rare] = await store([{ eventName: 'rare', eventId: 'e', customerId: '7' }]);
    await sql(`INSERT INTO events (day, seq, receipt, source, destination, lane_key, received_at, verified_by,
        body_bytes, state, due_at)
      SELECT n % 5, n, ('ffffffff-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'acme', 'aep', 0, 0, '', 1,
        'd', 0 FROM generate_series(1, 25000) AS n`);
    for (const filter of [
      { eventName: 'rare' },
      { customerId: '7' },
      { eventId: 'e' },
      { receipts: [rare!] },
    ]) {
      expect((await log.list(filter, { limit: 1 })).items).toMatchObject([{ receipt: rare }]);
      expect(await log.count(filter)).toBe(1);
    }
    expect(await log.count({ states: ['delivered'] })).toBe(25_000);
    expect(await log.list({ eventName: 'none' }, ANY)).toEqual({ items: [] });
  });

  it('find many receipts, whatever their order and form', async () => {
    const { log, store } = await logRig();
    const receipts = await store(Array.from({ length: 450 }, () => ({})));
    const filter = { receipts: [...receipts, 'unknown', receipts[0]!, receipts[0]!.toUpperCase()] };
    const { items } = await log.list(filter, ANY);
    expect(items.map(({ receipt }) => receipt)).toEqual(receipts.toReversed());
    expect(await log.count(filter)).toBe(450);
  });

  it('refuse the cursor of another list', async () => {
    const { log, store } = await logRig();
    await store([{}, {}]);
    const { cursor } = await log.list({}, { limit: 1 });
    const other = Buffer.from(Buffer.from(cursor!, 'base64url').toString().replace('events', 'quarantine'));
    for (const each of [other.toString('base64url'), Buffer.from('events:12').toString('base64url')])
      await expect(log.list({}, { limit: 1, cursor: each })).rejects.toThrow(RefusedError);
  });

  it('match texts with a character that PostgreSQL cannot store', async () => {
    const { log } = await logRig();
    const text = 'a\0b';
    const filter = { source: text, destination: text, eventName: text, reason: text };
    expect(await log.list({ ...filter, eventId: text, customerId: text }, ANY)).toEqual({ items: [] });
    expect(await log.count(filter)).toBe(0);
    expect(await log.find(text)).toBeUndefined();
  });

  it('show no payload that cannot be read, and report it', async () => {
    const { log, store, sql, unreadable } = await logRig();
    const [receipt] = await store([{ state: 'dead' }]);
    await sql(`UPDATE bodies SET body = 'x'::bytea; UPDATE sent SET json = 'x'::bytea;
      UPDATE events SET notes = 'x'::bytea`);
    expect(await log.find(receipt!)).toMatchObject({ sent: [], notes: [], actions: [], attempts: [] });
    expect((await log.find(receipt!))?.body).toBeUndefined();
    expect(new Set(unreadable.map(([what]) => what))).toEqual(
      new Set(['the body of an event', 'a sent message', 'the notes of an event']),
    );
  });

  it('show the attempts that delivered, of their requests, and those that did not', async () => {
    const { log, store, sql } = await logRig();
    const [receipt] = await store([{ state: 'delivered' }]);
    await sql(`INSERT INTO requests (id, at, kind, status, xaction, duration_ms, batch_size)
      VALUES (12, ${T0 + 2}, 'event', 200, 'x', 1.5, 3);
      INSERT INTO attempts (seq, at, kind, outcome, status, detail, duration_ms, batch_size)
      SELECT seq, ${T0 + 1}, 'event', 'retry', 503, 'down', 2, 3 FROM events;
      UPDATE events SET sent_in = '12:4 99'`);
    expect((await log.find(receipt!))?.attempts).toMatchObject([
      { at: T0 + 1, outcome: 'retry', status: 503, detail: 'down', durationMs: 2 },
      { at: T0 + 2, outcome: 'delivered', status: 200, xactionId: 'x:4', durationMs: 1.5, batchSize: 3 },
    ]);
  });

  it('stop when the journal closes', async () => {
    const { log, closing } = await logRig();
    closing.abort();
    for (const call of [
      () => log.count({}),
      () => log.list({}, ANY),
      () => log.discard({}, 'olga'),
      () => log.reroute('acme', 'new', 'olga'),
      () => log.replay({ filter: {}, asNew: false, by: 'olga' }),
    ])
      await expect(call()).rejects.toThrow(StoreError);
  });
});

describe('the backlog in PostgreSQL', () => {
  it('is exact for a short one and near for a long one', async () => {
    const { log, store, sql } = await logRig();
    await store([
      { receivedAt: T0 - 5 },
      { receivedAt: T0 - 9, lane: ANN },
      { destination: 'other', state: 'dead' },
    ]);
    expect(await log.backlog()).toEqual([
      { destination: 'aep', pending: 2, replaying: 0, oldestReceivedAt: T0 - 9 },
      { destination: 'other', pending: 0, replaying: 0 },
    ]);
    await sql(`INSERT INTO queue (destination, is_replay, stream, pos, seq, day, receipt, source, lane_key,
        received_at, body_bytes, due_at)
      SELECT 'aep', false, 900 + n % 3, n, n, 0, gen_random_uuid(), 'acme', 0, ${T0 - 100} + n, 1, 0
      FROM generate_series(1, 30000) AS n;
      UPDATE counts SET pending = pending + 30000 WHERE destination = 'aep'`);
    expect(await log.backlog()).toMatchObject([{ oldestReceivedAt: T0 - 99 }, {}]);
  });
});

describe('pauses and programs in PostgreSQL', () => {
  it('are in the order of their names, as text and not as a dictionary', async () => {
    const { log } = await logRig();
    for (const destination of ['b', 'A', 'a']) await log.pause(destination, 'olga');
    expect((await log.pauses()).map(({ destination }) => destination)).toEqual(['A', 'a', 'b']);
    await log.savePrograms([
      { orgId: 7, json: '[2]', replaces: undefined },
      { orgId: 5, json: '[]', replaces: undefined },
    ]);
    expect(await log.programs()).toEqual([
      { orgId: 5, json: '[]' },
      { orgId: 7, json: '[2]' },
    ]);
  });
});
