import { describe, expect, it } from 'vitest';
import { until } from '../../../helpers/until.ts';
import { aWebhook, withCapillary } from './capillary-caller.ts';
import { anEvent, ORG, withDelivery } from './delivery-rig.ts';
import { statuses, type WebhookHandler } from './receiving-relay.ts';

const NOW = 1_790_000_000_000;

/** Accepts even numbers and refuses odd ones for good. */
const evenOnly: WebhookHandler = (response, { body }) => {
  const { createdAt } = JSON.parse(body) as { createdAt: number };
  response.writeHead(createdAt % 2 === 0 ? 200 : 400).end('{"status":"x"}');
};

/** Six events, a second apart, of which three fail. */
async function withSix() {
  let now = NOW;
  const rig = await withDelivery(evenOnly, { now: () => now, tokenTtlSeconds: 10_000_000 });
  for (const number of [1, 2, 3, 4, 5, 6]) {
    now += 1_000;
    rig.twin.raise(anEvent(number, number === 6 ? { eventName: 'pointsIssued' } : {}));
    await rig.settled();
  }
  const logs = async (query: string) => (await rig.call('GET', `${rig.groupPath}/logs?${query}`)).json;
  const idsOf = async (query: string) =>
    (await logs(query)).data.data.map(({ requestId }: { requestId: string }) =>
      Number(requestId.split('-')[1]),
    );
  return { ...rig, logs, idsOf, advance: (ms: number) => (now += ms) };
}

describe('GET /v3/events/consumer-groups/{id}/logs', () => {
  it('has rows under data.data, numbers as strings, and JSON in strings', async () => {
    const { call, groupPath, made, raise, settled } = await withDelivery(statuses(503));
    raise(1);
    await settled();
    const { json, text } = await call('GET', `${groupPath}/logs`);
    const { data, ...page } = json.data;
    expect(page).toEqual({ page: 1, pageSize: 10, totalElements: 1, totalPages: 1 });
    expect(text).toContain('"totalPages":1.0');
    expect(data).toHaveLength(1);
    const { originalPayload, enrichedPayload, ...row } = data[0];
    expect(row).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      eventId: anEvent(1).eventId,
      orgId: String(ORG),
      consumerGroupId: made.consumerGroupId,
      deliveryStatus: 'FAILED',
      eventSearchKey: '520000001',
      eventType: 'transactionAdded',
      eventGeneratedDate: expect.any(Number),
      eventDeliveryDate: expect.any(Number),
      retryCount: 10,
      webhookResponseCode: '503',
      webhookDuration: expect.any(Number),
      lastRetryTime: row.eventDeliveryDate,
      nextRetryTime: row.eventDeliveryDate,
      message: 'webhook response:  | 503 - {"status":"x"}',
      statusPriority: 3,
      requestId: 'request-1',
    });
    const flat = JSON.parse(JSON.parse(enrichedPayload));
    expect(flat).toMatchObject({
      eventName: 'transactionAdded',
      data: { customerIdentifiers: { instore: {} } },
    });
    const { eventId, ...attributes } = flat;
    const wrapper = JSON.parse(originalPayload);
    expect(wrapper).toEqual({
      eventId,
      eventType: `${ORG}_transactionAdded`,
      consumerGroupId: '',
      actionType: 'START',
      timeStamp: row.eventGeneratedDate,
      attributes: {
        ...attributes,
        data: {
          ...attributes.data,
          customerIdentifiers: { customerId: 520_000_001 },
          enteredBy: { id: 9_000 },
        },
      },
    });
  });

  it('has no enrichedPayload if nothing is enriched', async () => {
    const webhook = {
      customerIdentifiersToBeEnriched: [],
      tillDetailsEnrichmentEnabled: false,
      storeDetailsEnrichmentEnabled: false,
    };
    const { call, groupPath, relay, raise, settled } = await withDelivery(statuses(200), { webhook });
    raise(1);
    await settled();
    const [row] = (await call('GET', `${groupPath}/logs`)).json.data.data;
    expect(row).not.toHaveProperty('enrichedPayload');
    const { eventId, attributes } = JSON.parse(row.originalPayload);
    expect(JSON.parse(relay.seen[0]?.body ?? '')).toEqual({ ...attributes, eventId });
  });

  it('finds failed rows with FAIL and refuses FAILED', async () => {
    const { logs, idsOf } = await withSix();
    expect(await idsOf('deliveryStatus=FAIL')).toEqual([5, 3, 1]);
    expect(await idsOf('deliveryStatus=SUCCESS')).toEqual([6, 4, 2]);
    expect(await idsOf('deliveryStatus=IN_PROGRESS')).toEqual([]);
    expect(await idsOf('deliveryStatus=PARTIAL_SUCCESS')).toEqual([]);
    expect(await logs('deliveryStatus=FAILED')).toMatchObject({ data: null, errors: [{ code: 300_004 }] });
  });

  it('filters by time, event, search key and request', async () => {
    const { idsOf } = await withSix();
    expect(await idsOf(`startDate=${NOW + 2_000}&endDate=${NOW + 4_000}`)).toEqual([4, 3, 2]);
    expect(await idsOf('eventType=pointsIssued')).toEqual([6]);
    expect(await idsOf('eventType=PointsIssued')).toEqual([]);
    expect(await idsOf('eventSearchKey=520000004')).toEqual([4]);
    expect(await idsOf('requestId=request-5')).toEqual([5]);
  });

  it('shows the last 30 days if no time is given', async () => {
    const { idsOf, advance } = await withSix();
    advance(29 * 86_400_000);
    expect(await idsOf('')).toHaveLength(6);
    advance(2 * 86_400_000);
    expect(await idsOf('')).toEqual([]);
    expect(await idsOf(`startDate=${NOW}`)).toHaveLength(6);
  });

  it('sorts, newest first by default, and pages from 1', async () => {
    const { logs, idsOf } = await withSix();
    expect(await idsOf('')).toEqual([6, 5, 4, 3, 2, 1]);
    expect(await idsOf('sortBy=eventGeneratedDate:asc')).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await idsOf('sortBy=eventType:asc'))[0]).toBe(6);
    expect(await idsOf('sortBy=eventDeliveryDate:asc&page=2&pageSize=4')).toEqual([5, 6]);
    expect(await idsOf('page=3&pageSize=4')).toEqual([]);
    expect((await logs('pageSize=4')).data).toMatchObject({ totalElements: 6, totalPages: 2 });
  });

  it.each([
    ['page=0', 999_999],
    ['pageSize=0', 999_999],
    ['pageSize=101', 999_999],
    ['page=x', 300_004],
    ['startDate=2026-10-01', 300_004],
    ['sortBy=eventType', 300_004],
    ['sortBy=eventId:asc', 300_004],
  ])('refuses %s: %i', async (query, code) => {
    const { call, groupPath } = await withDelivery(statuses(200));
    const answer = await call('GET', `${groupPath}/logs?${query}`);
    expect(answer).toMatchObject({ status: 400, json: { data: null, errors: [{ code }] } });
  });

  it('answers 300005 for a consumer group of another organisation, or of none', async () => {
    const { simulator, call } = await withCapillary({ webhooks: [{ name: 'theirs', orgId: 9 }] });
    const [theirs] = simulator.capillary.webhooks.list(9);
    for (const id of [theirs?.consumerGroupId, 'none']) {
      const answer = await call('GET', `/v3/events/consumer-groups/${id}/logs`);
      expect(answer.json).toMatchObject({ data: null, errors: [{ code: 300_005 }] });
    }
  });

  it('answers 498 for an expired token, and 401 for an unknown one', async () => {
    const { call, groupPath, advance } = await withSix();
    advance(10_000_001_000);
    for (const path of [`${groupPath}/logs`, `${groupPath}/metrics`, '/v3/webHooks/eventLog/x']) {
      expect(await call('GET', path)).toMatchObject({ status: 498, json: { errors: [{ code: 498 }] } });
      expect((await call('GET', path, { token: 'unknown' })).status).toBe(401);
    }
    expect((await call('GET', '/v3/webHooks')).status).toBe(401);
  });

  it('shows what is in progress, without an answer if there was none', async () => {
    const { call, groupPath, relay, raise } = await withDelivery(() => undefined, {
      webhook: { maxAllowedConnections: 1 },
    });
    raise(1, 2);
    await until(() => relay.seen.length === 1);
    const rows = (await call('GET', `${groupPath}/logs?sortBy=eventGeneratedDate:asc`)).json.data.data;
    const unknown = {
      webhookResponseCode: null,
      eventDeliveryDate: null,
      webhookDuration: null,
      nextRetryTime: null,
    };
    expect(rows).toMatchObject([
      { deliveryStatus: 'IN_PROGRESS', retryCount: 0, ...unknown },
      { deliveryStatus: 'IN_PROGRESS', retryCount: 0, ...unknown },
    ]);
  });
});

describe('GET /v3/events/consumer-groups/{id}/metrics', () => {
  it('counts the events of a time by state', async () => {
    const { call, groupPath } = await withSix();
    const endDate = NOW + 5_000;
    const { json } = await call('GET', `${groupPath}/metrics?startDate=${NOW}&endDate=${endDate}`);
    expect(json.data).toEqual({
      totalEvents: 5,
      deliveredEvents: 2,
      failedEvents: 3,
      retryingEvents: 0,
      pendingEvents: 0,
      startDate: NOW,
      endDate,
    });
  });

  it('tells events that are repeated from those that wait', async () => {
    const { call, groupPath, relay, raise } = await withDelivery(statuses(503), {
      webhook: { maxAllowedConnections: 1 },
      retryScale: 1,
    });
    raise(1, 2, 3);
    await until(() => relay.seen.length === 1);
    const metrics = async () => (await call('GET', `${groupPath}/metrics`)).json.data;
    await until(async () => (await metrics()).retryingEvents === 1);
    expect(await metrics()).toMatchObject({ totalEvents: 3, retryingEvents: 1, pendingEvents: 2 });
  });

  it('does not call the first request a repeat', async () => {
    const { call, groupPath, relay, raise } = await withDelivery(() => undefined);
    raise(1);
    await until(() => relay.seen.length === 1);
    const { json } = await call('GET', `${groupPath}/metrics`);
    expect(json.data).toMatchObject({ totalEvents: 1, retryingEvents: 0, pendingEvents: 1 });
  });
});

describe('GET /v3/webHooks/eventLog', () => {
  it('finds an event by its id, with float numbers and times with an offset', async () => {
    const { call, made, raise, settled } = await withDelivery(statuses(200));
    raise(1);
    await settled();
    const { json, text } = await call('GET', `/v3/webHooks/eventLog/${anEvent(1).eventId}`);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
    expect(json).toEqual({
      data: {
        eventId: anEvent(1).eventId,
        refId: `${ORG}_1`,
        requestId: 'request-1',
        eventName: 'transactionAdded',
        consumerGroupId: made.consumerGroupId,
        eventIngestionTimestamp: time,
        eventStartTimestamp: time,
        eventEndTimestamp: time,
        slaBreachTimestamp: null,
        consumerResponse: { webhookHttpStatus: 200, time_taken: expect.any(Number) },
      },
      errors: null,
      warnings: null,
    });
    expect(text).toMatch(/"webhookHttpStatus":200\.0,"time_taken":\d+\.0/);
  });

  it('has neither end nor response of an event that was not delivered', async () => {
    const { call, raise, settled } = await withDelivery(statuses(400));
    raise(1);
    await settled();
    const { json } = await call('GET', `/v3/webHooks/eventLog/${anEvent(1).eventId}`);
    expect(json.data).toMatchObject({ eventEndTimestamp: null, consumerResponse: null });
  });

  it('finds events by request and by reference: one is an object, several are a list', async () => {
    const { call, relay, raise, settled } = await withDelivery(statuses(200));
    await call('POST', '/v3/webHooks', {
      body: aWebhook({ name: 'second', webHookUrl: relay.url, eventNames: ['pointsIssued'] }),
    });
    raise(1);
    await settled();
    const read = async (path: string) => (await call('GET', `/v3/webHooks/eventLog/${path}`)).json.data;
    expect(await read('requestId/request-1')).toMatchObject([{ refId: `${ORG}_1` }]);
    expect(await read(`refId/${ORG}_1`)).toMatchObject({ requestId: 'request-1' });
    raise(1);
    await settled();
    expect(await read(`refId/${ORG}_1`)).toHaveLength(2);
    expect(await read('requestId/none')).toEqual([]);
    expect((await call('GET', '/v3/webHooks/eventLog/none')).status).toBe(404);
  });
});
