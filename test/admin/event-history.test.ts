import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/journal/journal.ts';
import { sampleAttempt } from '../contract/samples.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { until } from '../helpers/until.ts';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig();
});
afterEach(() => rig.close());

/** What a timeline shows of an attempt. */
function shown(outcome: string, more = {}) {
  return { kind: 'event', outcome, durationMs: 12, batchSize: 3, ...more };
}

function attempt(outcome: string, status: number, more: Partial<Attempt> = {}): Attempt {
  return sampleAttempt(
    { outcome, detail: undefined, ...(outcome === 'delivered' ? {} : { itemStatus: status }), ...more },
    { at: rig.state.now, status: 207, durationMs: 12, batchSize: 3 },
  );
}

describe('the timeline of an event', () => {
  it('contains everything that happened, in order, from receipt to settlement', async () => {
    const { receipt } = (await rig.webhook('acme', transactionAdded(1))).body;
    const start = rig.state.now;
    rig.state.now += 100;
    await rig.settle(() => ({
      state: 'pending',
      dueIn: 0,
      failedAttempts: 1,
      ownFaultCount: 0,
      detail: '503 busy',
      attempts: [attempt('retry', 503, { detail: '503 busy' })],
    }));
    rig.state.now += 100;
    const sent = [{ kind: 'event' as const, json: '{"header":{},"body":{"xdmEntity":{"_id":"cap-1"}}}' }];
    await rig.settle(() => ({
      state: 'dead',
      reason: 'rejected',
      detail: '400 no such field',
      sent,
      attempts: [attempt('rejected', 400, { xactionId: 'x:1:0' })],
    }));
    const dead = await rig.get(`/admin/v1/events/${receipt}`);
    expect(dead.body.sent).toEqual([
      { kind: 'event', message: { header: {}, body: { xdmEntity: { _id: 'cap-1' } } } },
    ]);
    expect((await rig.get(`/admin/v1/events/${receipt}?body=false`)).body).not.toHaveProperty('sent');

    rig.state.now += 100;
    await rig.post(`/admin/v1/events/${receipt}/replay`, { asNew: true }, operator('alice'));
    rig.state.now += 100;
    await rig.settle(() => ({
      state: 'delivered',
      delivered: ['event'],
      attempts: [attempt('delivered', 207, { xactionId: 'x:2:0' })],
    }));
    const { body } = await rig.get(`/admin/v1/events/${receipt}`);
    expect(body).toMatchObject({ state: 'delivered', replays: 1, failures: 0, delivered: ['event'] });
    expect(body.messageId).toBe(`cap-${body.identity.slice(0, 40)}-r1`);
    const at = (ms: number) => new Date(start + ms).toISOString();
    expect(body.timeline).toEqual([
      { at: at(0), what: 'received', source: 'acme', bytes: body.bodyBytes },
      { at: at(0), what: 'verified', by: 'header:x-relay-key' },
      { ...shown('retry', { status: 503, detail: '503 busy' }), at: at(100), what: 'attempt' },
      { ...shown('rejected', { status: 400, xactionId: 'x:1:0' }), at: at(200), what: 'attempt' },
      { at: at(300), what: 'action', by: 'admin (alice)', action: 'replayed as new' },
      { ...shown('delivered', { status: 207, xactionId: 'x:2:0' }), at: at(400), what: 'attempt' },
      { at: at(400), what: 'settled', state: 'delivered' },
    ]);
  });

  it('the notes list what the last mapping dropped or changed', async () => {
    const { receipt } = (await rig.webhook('acme', transactionAdded(1))).body;
    expect((await rig.get(`/admin/v1/events/${receipt}`)).body.notes).toEqual([]);
    const notes = [
      { path: 'data.currencyCode', code: 'wrong-pattern' },
      { path: 'timestamp', code: 'after-receipt' },
      { path: 'productListItems', code: 'shrunk' },
      { path: 'data.a', code: 'unknown-to-this-version' },
    ];
    await rig.settle(() => ({ state: 'delivered', delivered: ['event'], notes }));
    const { body } = await rig.get(`/admin/v1/events/${receipt}?body=false`);
    expect(body.notes.map(({ kind, path, code }: Record<string, string>) => [kind, path, code])).toEqual([
      ['dropped', 'data.currencyCode', 'wrong-pattern'],
      ['repaired', 'timestamp', 'after-receipt'],
      ['truncated', 'productListItems', 'shrunk'],
      ['dropped', 'data.a', 'unknown-to-this-version'],
    ]);
    expect(body.notes[0].message).toContain('does not match the pattern');

    await rig.post(`/admin/v1/events/${receipt}/replay`);
    expect((await rig.get(`/admin/v1/events/${receipt}`)).body.notes).toEqual([]);
  });

  it('shows how many duplicates had other data, and when the last one came', async () => {
    const event = transactionAdded(1);
    const { receipt } = (await rig.webhook('acme', event)).body;
    expect(await rig.webhook('acme', event)).toMatchObject({ status: 200, body: { status: 'duplicate' } });
    expect((await rig.get(`/admin/v1/events/${receipt}`)).body).not.toHaveProperty('differingCopies');

    for (const amount of [50, 60]) {
      rig.state.now += 1_000;
      const answer = await rig.webhook('acme', { ...event, data: { ...event.data, amount } });
      expect(answer).toMatchObject({ status: 200, body: { status: 'duplicate', receipt } });
      expect(Object.keys(answer.body as object)).toEqual(['status', 'receipt']);
    }
    expect((await rig.get(`/admin/v1/events/${receipt}`)).body.differingCopies).toEqual({
      count: 2,
      lastAt: new Date(rig.state.now).toISOString(),
    });
  });

  it('counts a malformed body that turns out to be a duplicate with other data', async () => {
    const event = transactionAdded(1);
    const { receipt } = (await rig.webhook('acme', event)).body;
    const body = Buffer.from(JSON.stringify({ ...event, data: { ...event.data, amount: 50 } }));
    const { receipt: malformed } = await rig.journal.appendMalformed({
      source: 'acme',
      destination: 'acme-aep',
      receivedAt: rig.state.now,
      verifiedBy: 'v',
      detail: 'x',
      body,
    });

    const { body: replayed } = await rig.post(`/admin/v1/events/${malformed}/replay`);
    expect(replayed).toMatchObject({ replayed: 0, receipt });
    expect((await rig.get(`/admin/v1/events/${receipt}`)).body.differingCopies).toMatchObject({ count: 1 });
  });

  it('shows when a pending event is due next', async () => {
    const { receipt } = (await rig.webhook('acme', transactionAdded(1))).body;
    const dueAt = rig.state.now + 60_000;
    await rig.settle(() => ({
      state: 'pending',
      dueIn: 60_000,
      failedAttempts: 1,
      ownFaultCount: 1,
      detail: 'reset',
    }));
    const { body } = await rig.get(`/admin/v1/events/${receipt}`);
    expect(body).toMatchObject({ failures: 1, charged: 1, dueAt: new Date(dueAt).toISOString() });
    expect(body).not.toHaveProperty('settledAt');
  });
});

describe('the body of an event', () => {
  it('has all digits of a long id', async () => {
    const raw = '{"eventName":"a","orgId":1,"eventId":"long","data":{"id":12345678901234567890}}';
    await rig.webhook('acme', raw);
    expect((await rig.get('/admin/v1/events/long')).body.body.data.id).toBe('12345678901234567890');
  });

  it('is base64 if it is not UTF-8', async () => {
    const raw = Buffer.concat([
      Buffer.from('{"eventName":"a","orgId":1,"eventId":"'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ]);
    const { receipt } = (await rig.webhook('acme', raw)).body;
    const { body } = await rig.get(`/admin/v1/events/${receipt}`);
    expect(Buffer.from(body.bodyBase64, 'base64')).toEqual(raw);
  });

  it('is removed by retention, while the record remains and states it', async () => {
    const { receipt } = (await rig.webhook('acme', transactionAdded(1))).body;
    await rig.settle(() => ({ state: 'delivered', delivered: ['event'] }));
    rig.state.now += 10;
    const retention = { delivered: 1, ids: 1e9, dead: 1e9 };
    rig.journal.maintain(() => ({ retention, maxBytes: 1e12, minFree: 0 }));
    await until(async () => (await rig.journal.find(receipt))?.body === undefined);
    const { body } = await rig.get(`/admin/v1/events/${receipt}`);
    expect(body).toMatchObject({ hasBody: false, state: 'delivered' });
    expect(body).not.toHaveProperty('body');
  });
});

function operator(name: string) {
  return { headers: { 'x-relay-operator': name } };
}
