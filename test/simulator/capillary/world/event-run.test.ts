import { describe, expect, it } from 'vitest';
import { until } from '../../../helpers/until.ts';
import { aWebhook } from '../api/capillary-caller.ts';
import { receivingRelay, statuses, type WebhookHandler } from '../api/receiving-relay.ts';
import { withReads } from './read-rig.ts';

const NAMES = ['transactionAdded', 'pointsIssued'];

async function withWebhook(handle: WebhookHandler, eventNames: readonly string[] = NAMES) {
  const relay = await receivingRelay(handle);
  const rig = await withReads({ retryScale: 0 });
  await rig.call('POST', '/v3/webHooks', { body: aWebhook({ webHookUrl: relay.url, eventNames }) });
  const control = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${rig.simulator.url}/_sim/capillary/events${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // oxlint-disable-next-line typescript/no-explicit-any -- tests read into answers of many shapes
    return { status: answer.status, json: (await answer.json()) as any };
  };
  return { ...rig, relay, control };
}

describe('raiseEvents', () => {
  it('delivers the events of the changes by the webhooks', async () => {
    const { twin, relay } = await withWebhook(statuses(200));
    const raised = await twin.raiseEvents({ count: 20, names: NAMES, awkward: 0 });
    const report = await raised.settled();
    expect(report).toMatchObject({
      count: 20,
      raised: 20,
      accepted: 20,
      unlisted: 0,
      givenUp: 0,
      isDone: true,
    });
    expect(String(report.p95Ms)).toMatch(/^\d+(\.\d)?$/);
    const received = relay.seen.map(({ body }) => (JSON.parse(body) as { eventId: string }).eventId);
    expect(received.toSorted()).toEqual(raised.events.map(({ eventId }) => eventId!).toSorted());
  });

  it('counts what is refused, given up and listed by no webhook', async () => {
    const { twin } = await withWebhook(statuses(404), ['transactionAdded']);
    const raised = await twin.raiseEvents({ count: 10, names: NAMES, awkward: 0 });
    expect(await raised.settled()).toMatchObject({
      accepted: 0,
      refused: { 404: 5 },
      givenUp: 5,
      unlisted: 5,
      attempts: 5,
    });
  });

  it('raises no two events at one time, and none in the future', async () => {
    const { twin } = await withWebhook(statuses(200));
    const { events } = await twin.raiseEvents({ count: 40 });
    const times = events.map(({ body }) => (JSON.parse(body) as { createdAt: number }).createdAt);
    expect(new Set(times).size).toBe(40);
    expect(Math.max(...times)).toBeLessThanOrEqual(Date.now());
  });

  it('makes other events in every run, unless the seed is given', async () => {
    const { twin } = await withWebhook(statuses(200));
    const ids = async (seed?: number) =>
      (await twin.raiseEvents({ count: 3, names: ['customerAdded'], seed })).events.map(
        ({ eventId }) => eventId,
      );
    expect(await ids()).not.toEqual(await ids());
    expect(await ids(5)).toEqual(await ids(5));
  });

  it('keeps the newest runs that have ended', async () => {
    const { twin } = await withWebhook(statuses(200));
    for (let count = 0; count < 24; count += 1) {
      await (await twin.raiseEvents({ count: 1, names: NAMES })).settled();
    }
    const ids = twin.runs.list().map(({ id }) => Number(id));
    expect(ids).toEqual(Array.from({ length: 21 }, (_, position) => position + 4));
  });

  it('refuses names that only follow others', async () => {
    const { twin } = await withWebhook(statuses(200));
    await expect(twin.raiseEvents({ count: 1, names: ['identifierReleased'] })).rejects.toThrow(
      /only follows/,
    );
  });
});

describe('POST /_sim/capillary/events', () => {
  it('starts a run, whose progress can be read', async () => {
    const { control } = await withWebhook(statuses(200));
    const started = await control('POST', '', { count: 6, names: NAMES, rate: 500, seed: 7 });
    expect(started).toMatchObject({ status: 202, json: { id: '1', count: 6, seed: 7 } });
    const done = await until(async () => {
      const { json } = await control('GET', '/1');
      return json.isDone && json;
    });
    expect(done).toMatchObject({ raised: 6, accepted: 6 });
    expect((await control('GET', '')).json.runs).toEqual([done]);
    expect((await control('GET', '/2')).status).toBe(404);
  });

  it('ends a run', async () => {
    const { control } = await withWebhook(statuses(200));
    await control('POST', '', { count: 1_000, rate: 1 });
    expect((await control('DELETE', '/1')).status).toBe(200);
    const { raised } = await until(async () => {
      const { json } = await control('GET', '/1');
      return json.isDone && json;
    });
    expect(raised).toBeLessThan(10);
  });

  it('refuses a wrong request, and one without an active webhook', async () => {
    const { control, call } = await withWebhook(statuses(200));
    expect(await control('POST', '', { count: 0, speed: 1 })).toMatchObject({
      status: 400,
      json: { error: 'bad-events' },
    });
    const [webhook] = (await call('GET', '/v3/webHooks')).json.data;
    await call('PUT', `/v3/webHooks/${webhook.webHookId}`, { body: aWebhook({ active: false }) });
    const refused = await control('POST', '', { count: 1 });
    expect(refused).toMatchObject({ status: 409, json: { error: 'no-webhook' } });
    expect(refused.json.issues[0]).toContain('capillary-relay register apply');
  });

  it('still raises given events', async () => {
    const { control, relay } = await withWebhook(statuses(200));
    const event = { eventName: 'transactionAdded', eventId: 'e-1', data: {} };
    expect(await control('POST', '', [event])).toMatchObject({ status: 200, json: { raised: 1 } });
    await until(() => relay.seen.length === 1);
  });
});

describe('a reset of the objects', () => {
  it('makes the world again', async () => {
    const { twin, simulator } = await withWebhook(statuses(200));
    const before = [...twin.world.customers.keys()];
    await twin.raiseEvents({ count: 3, names: ['customerAdded'] });
    expect(twin.world.customers.size).toBe(before.length + 3);
    await fetch(`${simulator.url}/_sim/reset?objects=true`, { method: 'POST' });
    expect([...twin.world.customers.keys()]).toEqual(before);
  });
});
