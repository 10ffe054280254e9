import { describe, expect, it } from 'vitest';
import { type NewEvent, RefusedError, StoreError } from '../../src/journal/journal.ts';
import { readLedger, readPending, readStored } from '../../src/journal/postgres/engine/count-changes.ts';
import { dayOf } from '../../src/journal/postgres/engine/days.ts';
import { keyOfText, laneKeyOf } from '../../src/journal/postgres/engine/lane-keys.ts';
import {
  toStoredEvent,
  storedColumns,
  type StoredRow,
} from '../../src/journal/postgres/engine/stored-events.ts';
import { append, sampleEvent, sha256, T0 } from '../contract/samples.ts';
import { type AppendingReplica, appendRig } from './postgres-append-rig.ts';

const ANN = sha256('ann');
const MIDNIGHT = Date.UTC(2026, 7, 2);

async function replica(): Promise<AppendingReplica> {
  return (await appendRig()).replica();
}

/** The stored events, in the order of acceptance. */
async function storedEvents({ sql }: Pick<AppendingReplica, 'sql'>) {
  const rows = await sql(`SELECT ${storedColumns('e')} FROM events AS e ORDER BY seq`);
  return (rows as unknown as StoredRow[]).map(toStoredEvent);
}

describe('append to PostgreSQL', () => {
  it('writes an event, its body, its entry in the queue and its counts', async () => {
    const store = await replica();
    const event = sampleEvent({ lane: ANN, customerId: '42', traceparent: '00-ab-cd-01' });
    const { body, ...fields } = event;
    const { receipt } = await append(store, event);
    const [stored] = await storedEvents(store);
    expect(stored).toMatchObject({ ...fields, receipt, state: 'pending', dueAt: T0, bodyBytes: body.length });
    const [row] = await store.sql(`SELECT e.day, e.seq, e.lane_key, e.customer_key, e.event_key, b.body,
      row_to_json(q) AS entry FROM events AS e JOIN bodies AS b USING (seq, day) JOIN queue AS q USING (seq)`);
    const [stream] = await store.sql('SELECT DISTINCT stream FROM counts');
    expect(row).toMatchObject({
      day: dayOf(event.createdAt),
      lane_key: laneKeyOf(ANN, event.identity),
      customer_key: keyOfText('42'),
      event_key: keyOfText(event.eventId!),
    });
    expect(store.engine.cipher.decrypt(row!['body'] as Buffer)).toEqual(Buffer.from(body));
    expect(row!['entry']).toEqual({
      destination: 'aep',
      is_replay: false,
      stream: stream!['stream'],
      pos: row!['seq'],
      seq: row!['seq'],
      day: row!['day'],
      receipt,
      source: 'acme',
      lane: ANN,
      lane_key: row!['lane_key'],
      is_pinned: false,
      received_at: T0,
      body_bytes: body.length,
      due_at: T0,
    });
    expect(await readLedger(store.sessions)).toMatchObject({ acme: { accepted: 1, pending: 1 } });
    expect(await readPending(store.sessions)).toEqual([{ destination: 'aep', pending: 1, replaying: 0 }]);
    expect(await readStored(store.sessions)).toEqual({ events: 1, bytes: (row!['body'] as Buffer).length });
    expect(store.notified).toEqual(['aep']);
  });

  it('writes nothing for duplicates, and calls no listener', async () => {
    const store = await replica();
    const event = sampleEvent();
    const { receipt } = await append(store, event);
    const changed = { ...event, body: Buffer.from('x') };
    expect(await store.append([event, changed, event])).toEqual([
      { receipt, duplicate: true, sameBody: true },
      { receipt, duplicate: true, sameBody: false },
      { receipt, duplicate: true, sameBody: true },
    ]);
    await store.sql('DELETE FROM bodies');
    expect(await append(store, event)).toEqual({ receipt, duplicate: true });
    expect(await readLedger(store.sessions)).toMatchObject({ acme: { accepted: 1, pending: 1 } });
    expect(store.notified).toEqual(['aep']);
  });

  it('queues an event of an aliased lane in its target', async () => {
    const store = await replica();
    for (const target of [sha256('bob'), 'group \u{1F381}']) {
      await store.sql('TRUNCATE aliases, events, queue');
      await store.sql(`INSERT INTO aliases VALUES ('aep', '${ANN}', '${target}'), ('other', 'x', 'y')`);
      await store.append([sampleEvent({ lane: ANN }), sampleEvent({ lane: ANN, destination: 'other' })]);
      expect(
        await store.sql('SELECT destination, lane, own_lane, lane_key FROM events ORDER BY seq'),
      ).toEqual([
        { destination: 'aep', lane: target, own_lane: ANN, lane_key: laneKeyOf(target, '') },
        { destination: 'other', lane: ANN, own_lane: null, lane_key: laneKeyOf(ANN, '') },
      ]);
      expect(await store.sql(`SELECT lane, lane_key FROM queue WHERE destination = 'aep'`)).toEqual([
        { lane: target, lane_key: laneKeyOf(target, '') },
      ]);
    }
  });

  it('takes more events in one call than fit into a statement, in their order', async () => {
    const store = await replica();
    const events = Array.from({ length: 2_600 }, () => sampleEvent({ lane: ANN, body: Buffer.alloc(8) }));
    const copies = events.slice(1_000, 1_010);
    await store.append(copies);
    const answers = await store.append([...events, ...events.slice(0, 3)]);
    expect(answers.filter(({ duplicate }) => duplicate)).toHaveLength(13);
    const rows = await store.sql('SELECT receipt, pos FROM queue ORDER BY stream = 0, pos');
    expect(rows).toHaveLength(2_600);
    const bySeq = await storedEvents(store);
    const fresh = answers.filter(({ duplicate }) => !duplicate).map(({ receipt }) => receipt);
    expect(bySeq.slice(10).map(({ receipt }) => receipt)).toEqual(fresh);
    expect(await readLedger(store.sessions)).toMatchObject({ acme: { accepted: 2_600 } });
  });

  it('takes more bytes in one call than a statement may have, all or nothing', async () => {
    const store = await replica();
    const events = Array.from({ length: 5 }, () => sampleEvent({ body: Buffer.alloc(5_000_000, 1) }));
    await store.sql(`ALTER TABLE events ADD CHECK (event_name <> 'bad')`);
    await expect(store.append([...events, sampleEvent({ eventName: 'bad' })])).rejects.toThrow(StoreError);
    expect(await store.sql('SELECT FROM events')).toEqual([]);
    await store.append(events);
    expect(await readStored(store.sessions)).toMatchObject({ events: 5, bytes: 25_000_025 });
  });

  it('is planned once, so that a single event costs little', async () => {
    const store = await replica();
    for (let n = 0; n < 8; n += 1) await append(store, sampleEvent());
    const text = `SELECT sum(custom_plans)::int AS custom, sum(generic_plans)::int > 0 AS kept,
      current_setting('enable_seqscan') AS scans FROM pg_prepared_statements WHERE name = 'append'`;
    const plans = await store.sessions.query('append', { name: '', text });
    expect(plans).toEqual([{ custom: 0, kept: true, scans: 'off' }]);
    const others = `SELECT current_setting('plan_cache_mode') AS mode, current_setting('enable_seqscan') AS scans`;
    expect(await store.sql(others)).toEqual([{ mode: 'auto', scans: 'on' }]);
  });

  it('rejects the one event that the database refuses, and no other', async () => {
    const store = await replica();
    await store.sql(`ALTER TABLE events ADD CHECK (event_name <> 'bad')`);
    const calls = [sampleEvent(), sampleEvent({ eventName: 'bad' }), sampleEvent(), sampleEvent()];
    const results = await Promise.allSettled(calls.map((event) => append(store, event)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: expect.any(StoreError) as unknown });
    expect(await readLedger(store.sessions)).toMatchObject({ acme: { accepted: 3, pending: 3 } });
  });

  it('refuses an invalid identity before anything is written', async () => {
    const store = await replica();
    await expect(store.append([sampleEvent(), sampleEvent({ identity: 'ab' })])).rejects.toThrow(
      RefusedError,
    );
    expect(await store.sql('SELECT FROM events')).toEqual([]);
    expect(await store.append([])).toEqual([]);
  });
});

describe('what an event may contain', () => {
  const odd: readonly [string, Partial<NewEvent>, Partial<NewEvent>?][] = [
    ['U+0000 in an id', { eventId: 'a\0b' }],
    ['U+0000 in a name', { eventName: '\0' }],
    ['U+0000 in a customer id', { customerId: 'c\0' }],
    ['U+0000 in a lane', { lane: 'l\0' }, {}],
    ['U+0000 in a verifier', { verifiedBy: 'v\0' }, {}],
    ['U+0000 in a trace', { traceparent: 't\0' }, {}],
    ['U+0000 in the names of the configuration', { source: 's\0', destination: 'd\0' }, {}],
    [
      'half of a pair',
      { eventId: 'a\uD83C', eventName: '\uDF81' },
      { eventId: 'a\uFFFD', eventName: '\uFFFD' },
    ],
    ['emoji', { eventId: '🎁', eventName: 'Zoë', customerId: '中文' }],
    ['long texts', { eventId: 'e'.repeat(200), eventName: 'n'.repeat(9_000), customerId: 'c'.repeat(9_000) }],
    ['empty texts', { eventId: '', eventName: '', customerId: '', lane: '', traceparent: '' }],
    ['quotes and braces', { eventId: `{"a",NULL}\\'`, eventName: 'NULL', customerId: '{}' }],
    ['a large organisation', { orgId: Number.MAX_SAFE_INTEGER }],
    ['a larger one', { orgId: 1e300 }, { orgId: Number.MAX_SAFE_INTEGER }],
    ['none', { orgId: Number.NaN }, { orgId: 0 }],
    ['no time', { createdAt: Number.NaN }, { createdAt: undefined }],
    ['a time before all', { createdAt: -Number.MAX_VALUE }, { createdAt: Number.MIN_SAFE_INTEGER }],
    ['a time in the far future', { createdAt: Number.MAX_SAFE_INTEGER }],
    ['a time before 1970', { createdAt: -1 }],
    ['fractions', { createdAt: T0 + 0.5, receivedAt: T0 + 0.5 }, { createdAt: T0, receivedAt: T0 }],
    [
      'a receipt at no time',
      { receivedAt: Number.POSITIVE_INFINITY },
      { receivedAt: Number.MAX_SAFE_INTEGER },
    ],
    ['no body', { body: Buffer.alloc(0) }, {}],
    ['zeros in the body', { body: Buffer.alloc(3_000) }, {}],
  ];

  it('is stored as it is, or as near as PostgreSQL can', async () => {
    const store = await replica();
    for (const [what, overrides, expected = overrides] of odd) {
      const event = sampleEvent(overrides);
      const answers = await Promise.all([append(store, event), append(store, sampleEvent())]);
      expect([what, ...answers]).toMatchObject([what, { duplicate: false }, { duplicate: false }]);
      const stored = (await storedEvents(store)).find(({ receipt }) => receipt === answers[0].receipt);
      for (const [key, value] of Object.entries(expected))
        expect([what, stored?.[key as keyof typeof stored]]).toEqual([what, value]);
      expect(await append(store, event)).toEqual({ ...answers[0], duplicate: true, sameBody: true });
    }
  });
});

describe('the day of an event', () => {
  it('is that of createdAt, so that an equal one is found whenever it arrives', async () => {
    const store = await replica();
    const event = sampleEvent({ createdAt: MIDNIGHT + 43_200_000 });
    await append(store, event);
    store.clock.now += 86_400_000;
    expect(await append(store, { ...event, receivedAt: T0 + 86_400_000 })).toMatchObject({ duplicate: true });
  });

  it('may differ for a copy that was sent around midnight', async () => {
    const store = await replica();
    for (const [first, second] of [
      [MIDNIGHT - 1, MIDNIGHT],
      [MIDNIGHT + 60_000, MIDNIGHT - 60_000],
    ]) {
      const event = sampleEvent({ createdAt: first! });
      const { receipt } = await append(store, event);
      expect(await append(store, { ...event, createdAt: second! })).toEqual({
        receipt,
        duplicate: true,
        sameBody: true,
      });
      const both = sampleEvent({ createdAt: first! });
      const answers = await store.append([both, { ...both, createdAt: second! }]);
      expect(answers.map(({ duplicate }) => duplicate)).toEqual([false, true]);
    }
    expect(await store.sql('SELECT FROM events')).toHaveLength(4);
  });

  it('makes a copy of another day a new event', async () => {
    const store = await replica();
    const event = sampleEvent({ createdAt: MIDNIGHT + 43_200_000 });
    await append(store, event);
    expect(await append(store, { ...event, createdAt: MIDNIGHT - 43_200_000 })).toMatchObject({
      duplicate: false,
    });
  });
});
