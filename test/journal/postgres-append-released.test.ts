import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readLedger, readPending, readStored } from '../../src/journal/postgres/engine/count-changes.ts';
import { dayOf } from '../../src/journal/postgres/engine/days.ts';
import { append, sampleEvent, sampleMalformed, T0 } from '../contract/samples.ts';
import { appendRig } from './postgres-append-rig.ts';

const ACTIONS = 'SELECT receipt, at, by, action FROM actions JOIN events USING (seq) ORDER BY actions.id';

describe('what leaves the quarantine', () => {
  it('gives its receipt to the first event that is stored', async () => {
    const store = await (await appendRig()).replica();
    const known = sampleEvent();
    const { receipt } = await append(store, known);
    const released = { receipt: randomUUID(), by: 'admin (\0)' };
    const events = [known, sampleEvent(), sampleEvent()].map((event) => ({ ...event, released }));
    store.clock.now = T0 + 5;
    const answers = await store.append([...events, sampleEvent(), events[1]!]);
    expect(answers).toEqual([
      { receipt, duplicate: true, sameBody: true },
      { receipt: released.receipt, duplicate: false },
      { receipt: expect.any(String) as string, duplicate: false },
      { receipt: expect.any(String) as string, duplicate: false },
      { receipt: released.receipt, duplicate: true, sameBody: true },
    ]);
    expect(new Set(answers.map((answer) => answer.receipt)).size).toBe(4);
    const action = { at: T0 + 5, by: 'admin (\uFDD00)', action: 'released from quarantine' };
    expect(await store.sql(ACTIONS)).toEqual([
      { receipt: released.receipt, ...action },
      { receipt: answers[2]!.receipt, ...action },
    ]);
    expect(await readLedger(store.sessions)).toMatchObject({ acme: { accepted: 4, pending: 4 } });
    expect(await store.sql('SELECT FROM queue')).toHaveLength(4);
  });

  it('gives its receipt once, whoever releases it at the same time', async () => {
    const rig = await appendRig();
    const replicas = await Promise.all([rig.replica(), rig.replica()]);
    for (let round = 0; round < 10; round += 1) {
      const released = { receipt: randomUUID(), by: 'admin' };
      const answers = await Promise.all(
        replicas.flatMap((store) => [
          append(store, sampleEvent({ released })),
          append(store, sampleEvent({ released })),
        ]),
      );
      expect(answers.filter(({ receipt }) => receipt === released.receipt)).toHaveLength(1);
      expect(answers.filter(({ duplicate }) => duplicate)).toEqual([]);
    }
  });

  it('is found around midnight too', async () => {
    const store = await (await appendRig()).replica();
    const event = sampleEvent({ createdAt: Date.UTC(2026, 7, 2) });
    const { receipt } = await append(store, event);
    const released = { receipt: randomUUID(), by: 'admin' };
    const copy = { ...event, createdAt: Date.UTC(2026, 7, 2) - 1, released };
    expect(await append(store, copy)).toEqual({ receipt, duplicate: true, sameBody: true });
  });

  it('takes a new receipt if its own is none of this store', async () => {
    const store = await (await appendRig()).replica();
    const released = { receipt: 'nothing', by: 'admin' };
    const { receipt } = await append(store, sampleEvent({ released }));
    const { receipt: malformed } = await store.appendMalformed(sampleMalformed({ released }));
    expect(await store.sql(ACTIONS)).toMatchObject([{ receipt }, { receipt: malformed }]);
  });
});

describe('malformed bodies in PostgreSQL', () => {
  it('are stored with a dead letter and counted apart from destinations', async () => {
    const store = await (await appendRig()).replica();
    const malformed = sampleMalformed({ detail: 'no \0 name' });
    const { receipt } = await store.appendMalformed(malformed);
    await store.appendMalformed(malformed);
    const rows =
      await store.sql(`SELECT e.receipt, e.day, e.state, e.reason, e.identity, e.event_name, e.due_at,
      e.received_at, d.is_malformed, d.source, d.destination, d.since, b.body
      FROM events AS e JOIN dead_letters AS d USING (receipt, day, seq) JOIN bodies AS b USING (seq, day)
      ORDER BY e.seq`);
    expect(rows).toHaveLength(2);
    const { body, ...first } = rows[0]!;
    expect(first).toEqual({
      receipt,
      day: dayOf(T0),
      state: 'm',
      reason: 'malformed',
      identity: null,
      event_name: '',
      due_at: T0,
      received_at: T0,
      is_malformed: true,
      source: 'acme',
      destination: 'aep',
      since: T0,
    });
    expect(store.engine.cipher.decrypt(body as Buffer)).toEqual(Buffer.from(malformed.body));
    expect(await readLedger(store.sessions)).toMatchObject({
      acme: { accepted: 0, pending: 0, malformed: 2 },
    });
    expect(await readPending(store.sessions)).toEqual([]);
    expect(await readStored(store.sessions)).toEqual({ events: 2, bytes: 2 * (body as Buffer).length });
    expect(await store.sql('SELECT FROM queue')).toEqual([]);
  });

  it('take the receipt of a released one, and are stored once', async () => {
    const store = await (await appendRig()).replica();
    const released = { receipt: randomUUID(), by: 'admin' };
    const malformed = sampleMalformed({ released });
    const answers = await Promise.all([1, 2].map(() => store.appendMalformed(malformed)));
    expect(answers).toEqual([{ receipt: released.receipt }, { receipt: released.receipt }]);
    expect(await store.sql(ACTIONS)).toHaveLength(1);
    const event = sampleEvent({ released: { receipt: randomUUID(), by: 'admin' } });
    await append(store, event);
    const other = await store.appendMalformed(sampleMalformed({ released: event.released! }));
    expect(other.receipt).not.toBe(event.released!.receipt);
    expect(await readLedger(store.sessions)).toMatchObject({ acme: { accepted: 1, malformed: 2 } });
  });
});

describe('differing copies in PostgreSQL', () => {
  it('are counted at the first event, with the last time', async () => {
    const store = await (await appendRig()).replica();
    const { receipt } = await append(store, sampleEvent());
    await store.recordDifferingCopy(receipt);
    store.clock.now = T0 - 9;
    await Promise.all([store.recordDifferingCopy(receipt), store.recordDifferingCopy(receipt)]);
    await store.recordDifferingCopy('nothing');
    await store.recordDifferingCopy(randomUUID());
    expect(await store.sql('SELECT copies, last_at FROM differing_copies')).toEqual([
      { copies: 3, last_at: T0 },
    ]);
  });
});
