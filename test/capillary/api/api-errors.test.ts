import { describe, expect, test } from 'vitest';
import { apiError, describeApiError } from '../../../src/capillary/api/api-errors.ts';
import { readMessages } from '../../../src/capillary/api/api-messages.ts';

function answered(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { kind: 'response', status, headers, body: text, truncated: false, durationMs: 1 } as const;
}

function errorOf(status: number, body: unknown, call = { method: 'GET', path: '/v2/customers/1' }) {
  return apiError(answered(status, body), call, 0);
}

const ERASED = {
  response: {
    status: { success: 'false', code: 500, message: 'All requests have failed due to errors' },
    customers: {
      customer: [
        {
          id: '610200345',
          item_status: {
            success: 'false',
            code: '8109',
            message: 'Customer is deleted after PII delete request',
            warnings: { warning: [] },
          },
        },
      ],
    },
  },
};

const XML =
  '<?xml version="1.0"?><response><status><success>false</success><code>401</code><message>Invalid token</message></status></response>';

describe('the four forms of an error', () => {
  test('v2: errors, also with HTTP 200', () => {
    const body = { errors: [{ status: false, code: 8015, message: 'Customer not found' }], warnings: [] };
    expect(errorOf(200, body)).toMatchObject({
      kind: 'customer-unknown',
      code: '8015',
      text: 'no such customer',
    });
    expect(errorOf(201, body)).toMatchObject({ kind: 'customer-unknown' });
    expect(errorOf(200, { errors: [{ code: 1, message: 'x' }] })).toMatchObject({ kind: 'invalid' });
  });

  test('v3: data, errors and warnings', () => {
    const body = {
      data: null,
      errors: [{ code: 300005, message: 'not your consumer group' }],
      warnings: null,
    };
    expect(errorOf(400, body)).toMatchObject({ kind: 'invalid', code: '300005' });
  });

  test('v1.1: the item says more than the whole, and an erased customer is no failure of the server', () => {
    expect(errorOf(500, ERASED)).toMatchObject({
      kind: 'customer-deleted',
      status: 500,
      code: '8109',
      text: 'the customer was deleted',
    });
  });

  test('v2 with a 401 in XML', () => {
    expect(errorOf(401, XML)).toMatchObject({ kind: 'unauthorized', code: '401', text: 'Invalid token' });
  });
});

describe('a kind by status or code', () => {
  test.each([
    [401, {}, 'unauthorized'],
    [498, {}, 'unauthorized'],
    [403, { errors: [{ code: 4000, message: 'no access' }] }, 'forbidden'],
    [403, '', 'forbidden'],
    [404, {}, 'not-found'],
    [429, '', 'throttled'],
    [461, {}, 'busy'],
    [521, '', 'busy'],
    [503, { errors: [{ code: 4001, message: 'unavailable' }] }, 'busy'],
    [503, {}, 'unavailable'],
    [400, '', 'invalid'],
    [400, {}, 'invalid'],
    [400, { errors: [{ code: 8065, message: 'none in this source' }] }, 'customer-elsewhere'],
    [400, { errors: [{ code: '8069', message: 'merged' }] }, 'customer-merged'],
    [400, { errors: [{ code: 1013, message: 'not in loyalty' }] }, 'no-loyalty'],
    [500, { errors: [{ code: 8062, message: 'points' }] }, 'incomplete'],
    [200, { errors: [{ code: 607, message: 'unknown' }] }, 'transaction-unknown'],
    [302, '', 'foreign'],
    [200, '<html>login</html>', 'foreign'],
    [403, '<html>blocked by policy</html>', 'foreign'],
    [200, '', 'foreign'],
  ])('%i %j is %s', (status, body, kind) => {
    expect(errorOf(status, body).kind).toBe(kind);
  });

  test('a page is shown without its tags', () => {
    expect(errorOf(502, '<html><style>x</style><h1>Bad  Gateway</h1></html>')).toMatchObject({
      kind: 'foreign',
      text: 'Bad Gateway',
    });
  });
});

describe('what the access group lacks', () => {
  test.each([
    ['GET', '/v3/webHooks', 'Read on Webhooks'],
    ['PUT', '/v3/webHooks/1', 'Write on Webhooks'],
    ['GET', '/v3/events/consumer-groups/1/logs?page=1', 'Read on Webhooks'],
    ['GET', '/v2/customers/1', 'Read on Customer'],
    ['GET', '/v2/transactions/1', 'Read on Transaction'],
    ['GET', '/v2/points/1', 'Read on Points'],
    ['GET', '/v2/customers/1/pointsExpirySchedule', 'Read on Points'],
    ['GET', '/v2/customers/1/transactions', 'Read on Transaction'],
    ['GET', '/v2/pointsLedger/getCustomerLedgerInfo?x=1', 'Read on Points'],
    ['GET', '/v2/product/skus', 'Read on Product'],
    ['GET', '/v1.1/organization/get', 'Read on Organization'],
    ['GET', '/v1.1/store/get', 'Read on Store'],
    ['GET', '/v2/other', 'Read on the resource of this call'],
  ])('%s %s', (method, path, missing) => {
    expect(errorOf(403, { errors: [{ code: 4000, message: 'no' }] }, { method, path }).missing).toBe(missing);
  });
});

test('one line for people has call, status, code, text and the id for the support', () => {
  const error = apiError(
    answered(
      403,
      { errors: [{ code: 4000, message: 'No access' }] },
      { 'x-cap-request-id': 'abc', 'retry-after': '3' },
    ),
    { method: 'GET', path: '/v3/webHooks?x=1' },
    0,
  );
  expect(describeApiError(error)).toBe(
    'GET /v3/webHooks → 403 4000: No access; the access group of the API client lacks Read on Webhooks (X-CAP-REQUEST-ID abc)',
  );
  expect(error.retryAfterMs).toBe(3_000);
});

test('a text is cut', () => {
  const { text } = errorOf(400, { errors: [{ code: 1, message: 'x'.repeat(5_000) }] });
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1_024);
});

test('messages are read from what is hardly a message', () => {
  expect(readMessages('{"errors":"broken","warnings":{"code":"91009","message":"survivor"}}')).toEqual({
    errors: [{ code: '', text: 'broken' }],
    warnings: [{ code: '91009', text: 'survivor' }],
  });
  expect(readMessages('[1]')).toEqual({ errors: [], warnings: [] });
  expect(readMessages('{"errors":[null,{}, ""]}').errors).toEqual([]);
  const inner = { item_status: { success: true, warnings: { warning: { code: 91009, message: 's' } } } };
  expect(readMessages(JSON.stringify({ response: { customers: { customer: inner } } })).warnings).toEqual([
    { code: '91009', text: 's' },
  ]);
});
