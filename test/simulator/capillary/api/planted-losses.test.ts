import { describe, expect, it } from 'vitest';
import { aWebhook, withCapillary } from './capillary-caller.ts';
import { anEvent, withDelivery } from './delivery-rig.ts';
import { statuses } from './receiving-relay.ts';

const NOW = 1_790_000_000_000;

/** A webhook that nothing is posted to, and a log to fill. */
async function withLog(capillary: Parameters<typeof withCapillary>[0] = {}) {
  const rig = await withCapillary(capillary, () => NOW);
  const made = (await rig.call('POST', '/v3/webHooks', { body: aWebhook() })).json.data;
  const path = `/v3/events/consumer-groups/${made.consumerGroupId}`;
  const { capillary: twin } = rig.simulator;
  return {
    twin,
    add: (number: number, generatedAt: number) =>
      twin.addToLog(anEvent(number), { generatedAt, status: 'SUCCESS' }),
    logs: async (query: string) => (await rig.call('GET', `${path}/logs?${query}`)).json.data,
    metrics: async (query: string) => (await rig.call('GET', `${path}/metrics?${query}`)).json.data,
  };
}

const numbersOf = (rows: readonly { requestId: string }[]) =>
  rows.map(({ requestId }) => Number(requestId.split('-')[1]));

describe('a long log', () => {
  const ROWS = 5_000;
  const START = NOW - 10 * ROWS;

  it('has each row on one page, in both orders of time, whatever order they were added in', async () => {
    const { add, logs, metrics } = await withLog();
    // Two events of each time; the later half is added first.
    for (let number = ROWS / 2; number < ROWS; number += 1) add(number, START + 10 * (number >>> 1));
    for (let number = 0; number < ROWS / 2; number += 1) add(number, START + 10 * (number >>> 1));
    const all = [...Array(ROWS).keys()];
    for (const order of ['asc', 'desc']) {
      const seen: number[] = [];
      for (let page = 1; page <= ROWS / 100; page += 1) {
        const query = `page=${page}&pageSize=100&sortBy=eventGeneratedDate:${order}`;
        const { data, totalElements, totalPages } = await logs(query);
        expect([totalElements, totalPages]).toEqual([ROWS, ROWS / 100]);
        seen.push(...numbersOf(data));
      }
      expect(seen).toEqual(order === 'asc' ? all : all.toReversed());
    }
    expect((await logs('page=51&pageSize=100')).data).toEqual([]);
    const window = `startDate=${START + 100}&endDate=${START + 190}`;
    expect(numbersOf((await logs(`${window}&pageSize=100&sortBy=eventGeneratedDate:asc`)).data)).toEqual(
      all.slice(20, 40),
    );
    expect(await metrics(window)).toMatchObject({ totalEvents: 20, deliveredEvents: 20 });
  });

  it('keeps the newest rows, and counts the others in the metrics', async () => {
    const { add, logs, metrics } = await withLog({ maxLogged: 10 });
    for (let number = 0; number < 25; number += 1) add(number, NOW - 1_000 + number);
    expect(numbersOf((await logs('pageSize=100')).data)).toEqual([...Array(10).keys()].map((n) => 24 - n));
    expect(await metrics('')).toMatchObject({ totalEvents: 25, deliveredEvents: 25 });
    expect(await metrics(`startDate=${NOW - 1_000}&endDate=${NOW - 996}`)).toMatchObject({ totalEvents: 5 });
  });

  it('can lose rows that the metrics still count', async () => {
    const { twin, add, logs, metrics } = await withLog();
    for (let number = 0; number < 6; number += 1) add(number, NOW - 100 + number);
    twin.log.forget(({ requestId }) => ['request-1', 'request-4'].includes(requestId));
    expect(numbersOf((await logs('')).data)).toEqual([5, 3, 2, 0]);
    expect(await metrics('')).toMatchObject({ totalEvents: 6 });
  });

  it('can lose payloads', async () => {
    const { add, logs } = await withLog();
    add(1, NOW - 2);
    for (const record of add(2, NOW - 1)) record.hasPayload = false;
    expect((await logs('')).data).toMatchObject([
      { requestId: 'request-2', originalPayload: null, enrichedPayload: null },
      { requestId: 'request-1', originalPayload: expect.any(String), enrichedPayload: expect.any(String) },
    ]);
  });
});

describe('an entry of a delivery that has ended', () => {
  it('posts nothing, and has the outcome that it is given', async () => {
    const { twin, logs } = await withLog();
    const failed = { status: 'FAILED', generatedAt: NOW - 2_000, deliveredAt: NOW - 1_000 } as const;
    twin.addToLog(anEvent(1), failed);
    twin.addToLog(anEvent(2), { ...failed, responseStatus: 503 });
    twin.addToLog(anEvent(3), { status: 'SUCCESS', generatedAt: NOW - 3_000 });
    twin.addToLog(anEvent(4, { eventName: 'tierUpgraded' }), failed);
    const row = (number: number, more: object) => ({ requestId: `request-${number}`, ...more });
    expect((await logs('sortBy=eventType:asc')).data).toMatchObject([
      row(2, { deliveryStatus: 'FAILED', webhookResponseCode: '503' }),
      row(1, { deliveryStatus: 'FAILED', webhookResponseCode: null, eventDeliveryDate: NOW - 1_000 }),
      row(3, { deliveryStatus: 'SUCCESS', webhookResponseCode: '200', eventDeliveryDate: NOW - 2_800 }),
    ]);
  });
});

describe('lost answers', () => {
  it('make a delivery fail though the event has arrived', async () => {
    const { call, groupPath, relay, raise, settled, twin } = await withDelivery(statuses(200), {
      lostAnswers: 0.5,
    });
    raise(...Array(20).keys());
    await settled();
    const lost = twin.log.list(({ losesAnswers }) => losesAnswers);
    const delivered = twin.log.list(({ losesAnswers }) => !losesAnswers);
    expect(Math.min(lost.length, delivered.length)).toBeGreaterThan(2);
    expect(new Set(lost.map(({ status }) => status))).toEqual(new Set(['FAILED']));
    expect(new Set(delivered.map(({ status }) => status))).toEqual(new Set(['SUCCESS']));
    const posts = (body: string) => relay.seen.filter((seen) => seen.body === body).length;
    expect(lost.map(({ body }) => posts(body))).toEqual(lost.map(() => 11));
    const rows = (await call('GET', `${groupPath}/logs?deliveryStatus=FAIL&pageSize=100`)).json.data.data;
    expect(rows).toHaveLength(lost.length);
    expect(rows[0]).toMatchObject({ webhookResponseCode: null, retryCount: 10 });
  });

  it('do not change a refusal', async () => {
    const { raise, settled, twin } = await withDelivery(statuses(400), { lostAnswers: 1 });
    raise(1);
    await settled();
    expect(twin.log.list(() => true)).toMatchObject([{ status: 'FAILED', responseStatus: 400, attempts: 1 }]);
  });
});
