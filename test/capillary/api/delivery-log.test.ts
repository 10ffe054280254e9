import { describe, expect, test } from 'vitest';
import { deliveryMetrics, deliveryPage } from '../../../src/capillary/api/delivery-log.ts';
import { sendJson } from '../../adobe/scripted-server.ts';
import { startApi } from './api-rig.ts';

const GROUP = '7b1d0c5e-0000-4000-8000-000000000001';
const WINDOW = { from: 1_790_000_000_000, to: 1_790_086_400_000 };

describe('metrics', () => {
  test('are counts, whatever their form', async () => {
    const data = { totalEvents: '820', deliveredEvents: 815.0, failedEvents: 5, retryingEvents: 0 };
    const { client, calls } = await startApi((_, response) =>
      sendJson(response, 200, { data, errors: null }),
    );
    expect(await deliveryMetrics(client, GROUP, WINDOW)).toEqual({
      ok: true,
      value: { total: 820, delivered: 815, failed: 5, retrying: 0, pending: 0 },
    });
    expect(calls()[0]?.url).toBe(
      `/v3/events/consumer-groups/${GROUP}/metrics?startDate=${WINDOW.from}&endDate=${WINDOW.to}`,
    );
  });

  test.each([{ data: null }, { data: {} }, []])('%j has none', async (body) => {
    const { client } = await startApi((_, response) => sendJson(response, 200, body));
    expect(await deliveryMetrics(client, GROUP, WINDOW)).toMatchObject({ error: { kind: 'foreign' } });
  });
});

const FLAT = {
  createdAt: 1_790_848_800_071,
  data: { customerIdentifiers: { customerId: 610_200_345 } },
  eventName: 'customerUpdated',
  orgId: 500_123,
  refId: '500123_610200345',
  apiRequestId: 'a1',
  eventId: '3c1f0a52-7a54-4e4a-9d3c-5b2f0e6a0001',
};
const { eventId, ...attributes } = FLAT;
const WRAPPER = {
  eventId,
  eventType: '500123_customerUpdated',
  actionType: 'START',
  timeStamp: 1_790_848_800_078,
  attributes,
};
const ROW = {
  id: '68f0',
  eventId,
  orgId: '500123',
  consumerGroupId: GROUP,
  deliveryStatus: 'FAILED',
  eventSearchKey: '610200345',
  eventType: 'customerUpdated',
  originalPayload: JSON.stringify(WRAPPER),
  enrichedPayload: JSON.stringify(JSON.stringify(FLAT)),
  eventGeneratedDate: 1_790_848_800_072,
  eventDeliveryDate: 1_790_849_109_553,
  retryCount: 10,
  webhookResponseCode: '503',
  nextRetryTime: 1_790_849_169_048,
  message: 'webhook response:  | 503 …',
  requestId: 'a1',
};

function page(rows: readonly unknown[]) {
  return { data: { data: rows, page: 1, pageSize: 100, totalElements: 101, totalPages: 2.0 }, errors: null };
}

describe('a page of the log', () => {
  test('has rows with numbers for texts and the status of the filter', async () => {
    const { client, calls } = await startApi((_, response) => sendJson(response, 200, page([ROW, null])));
    expect(await deliveryPage(client, GROUP, { ...WINDOW, status: 'FAIL', page: 2 })).toEqual({
      ok: true,
      value: {
        totalPages: 2,
        totalRows: 101,
        rows: [
          {
            id: '68f0',
            eventId,
            eventName: 'customerUpdated',
            orgId: 500_123,
            status: 'FAIL',
            body: JSON.stringify(FLAT),
            wrapper: ROW.originalPayload,
            searchValue: '610200345',
            generatedAt: 1_790_848_800_072,
            deliveredAt: 1_790_849_109_553,
            nextRetryAt: 1_790_849_169_048,
            retryCount: 10,
            answered: 503,
            message: 'webhook response:  | 503 …',
            requestId: 'a1',
          },
        ],
      },
    });
    expect(Object.fromEntries(new URLSearchParams(calls()[0]?.url.split('?')[1]))).toEqual({
      startDate: String(WINDOW.from),
      endDate: String(WINDOW.to),
      deliveryStatus: 'FAIL',
      page: '2',
      pageSize: '100',
      sortBy: 'eventGeneratedDate:asc',
    });
  });

  test('without the body of the delivery has the wrapper of the same event', async () => {
    const { enrichedPayload, ...bare } = ROW;
    const { client } = await startApi((_, response) =>
      sendJson(response, 200, page([bare, { ...ROW, enrichedPayload: null }])),
    );
    const answer = await deliveryPage(client, GROUP, { ...WINDOW, page: 1 });
    expect(enrichedPayload).toContain(eventId);
    expect(answer.ok && answer.value.rows.map(({ body }) => body)).toEqual([
      ROW.originalPayload,
      ROW.originalPayload,
    ]);
  });

  test('a number beyond 2^53 keeps its digits', async () => {
    const big = '{"eventName":"x","data":{"id":12345678901234567890}}';
    const { client } = await startApi((_, response) =>
      sendJson(response, 200, page([{ ...ROW, enrichedPayload: JSON.stringify(big) }])),
    );
    expect(await deliveryPage(client, GROUP, { ...WINDOW, page: 1 })).toMatchObject({
      value: { rows: [{ body: big }] },
    });
  });

  test('a row with no payload has no body', async () => {
    const { client } = await startApi((_, response) =>
      sendJson(response, 200, page([{ ...ROW, enrichedPayload: '"', originalPayload: 'x' }])),
    );
    const answer = await deliveryPage(client, GROUP, { ...WINDOW, page: 1 });
    expect(answer.ok && answer.value.rows[0]).not.toHaveProperty('body');
  });

  test('of another form is no empty page', async () => {
    const { client } = await startApi((_, response) => sendJson(response, 200, { data: [], errors: null }));
    expect(await deliveryPage(client, GROUP, { ...WINDOW, page: 1 })).toMatchObject({
      error: { kind: 'foreign' },
    });
  });
});
