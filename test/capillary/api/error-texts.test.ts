import { describe, expect, test } from 'vitest';
import { apiError, describeApiError } from '../../../src/capillary/api/api-errors.ts';
import { endpointOf } from '../../../src/capillary/api/error-texts.ts';
import { NEVER, readsOf } from './reads-rig.ts';

const PERSON = ['Ines', 'Okafor', 'ines@example.com', '447700900321', '+44 7700 900321', '610200345'];

function textOf(status: number, body: string, headers: Record<string, string> = {}): string {
  const result = { kind: 'response', status, headers, body, truncated: false, durationMs: 1 } as const;
  const path = '/v2/customers/610200345?identifierValue=447700900321';
  return describeApiError(apiError(result, { method: 'GET', path }, 0));
}

function expectNobody(text: string): void {
  for (const value of PERSON) expect(text).not.toContain(value);
}

describe('what is said about a failed call has nothing of a person', () => {
  const message = `Customer Ines Okafor (ines@example.com, +44 7700 900321, 447700900321) is odd`;

  test.each([
    ['a known code', 200, { errors: [{ code: 8_015, message }] }, 'no such customer'],
    ['an unknown code', 400, { errors: [{ code: 7_777, message }] }, 'not shown'],
    ['no code', 500, { errors: [{ message }] }, 'not shown'],
    ['a code that is none', 400, { errors: [{ code: 'ines@example.com', message }] }, 'not shown'],
    ['v1.1', 500, { response: { status: { success: 'false', code: 500, message } } }, 'not shown'],
    ['a refused client', 403, { errors: [{ code: 4_000, message: 'ines@example.com' }] }, '[removed]'],
    ['an answer without a form', 500, { firstName: 'Ines', mobile: '447700900321' }, 'without a text'],
    ['a list', 500, [{ firstName: 'Ines' }], 'of another form'],
    ['JSON that ends too early', 200, '{"id":610200345,"profiles":[{"firstName":"Ines', 'damaged'],
    ['a text in quotes', 502, '"Ines Okafor"', 'of another form'],
    ['a page', 502, '<html><title>Bad Gateway</title>/v2/customers/610200345</html>', 'Bad Gateway'],
  ])('%s', (_, status, body, said) => {
    const text = textOf(status, typeof body === 'string' ? body : JSON.stringify(body));
    expectNobody(text);
    expect(text).toContain(said);
    expect(text).toContain('GET /v2/customers/{id}');
  });

  test('the id of a request is shown only if it can be one', () => {
    const body = JSON.stringify({ errors: [{ code: 8_015, message: 'x' }] });
    expect(textOf(200, body, { 'x-cap-request-id': 'a1-b2.c3' })).toContain('X-CAP-REQUEST-ID a1-b2.c3');
    expect(textOf(200, body, { 'x-cap-request-id': 'ines@example.com' })).not.toContain('REQUEST-ID');
  });

  test('also if a customer is cut off in the middle', async () => {
    const { reads } = await readsOf('{"id":610200345,"profiles":[{"firstName":"Ines","lastName":"Oka');
    const answer = await reads.customer('610200345', NEVER);
    expect(answer).toMatchObject({ ok: false, error: { kind: 'foreign' } });
    expectNobody(JSON.stringify(answer));
  });
});

test('a call about no person says what Capillary says', () => {
  const body = JSON.stringify({ errors: [{ code: 300_004, message: 'endDate 2026-10-01 is too late' }] });
  const result = {
    kind: 'response',
    status: 400,
    headers: {},
    body,
    truncated: false,
    durationMs: 1,
  } as const;
  const { text } = apiError(result, { method: 'GET', path: '/v3/webHooks' }, 0);
  expect(text).toBe('endDate 2026-10-01 is too late');
});

test.each([
  ['/v2/customers/610200345?source=ALL', '/v2/customers/{id}'],
  ['/v2/customers/610200345/points/balance', '/v2/customers/{id}/points/balance'],
  ['/v2/customers/lookup/customerDetails?x=1', '/v2/customers/lookup/customerDetails'],
  ['/v2/transactions/getByBillNumber/NW-317', '/v2/transactions/getByBillNumber/{id}'],
  ['/v1.1/customer/get?id=1', '/v1.1/customer/get'],
  ['/v3/events/consumer-groups/group-7/logs', '/v3/events/consumer-groups/{id}/logs'],
  ['/v2/userGroup2?id=1', '/v2/userGroup2'],
  ['/v2/customers/ines%40example.com', '/v2/customers/{id}'],
])('%s is %s', (path, endpoint) => {
  expect(endpointOf(path)).toBe(endpoint);
});
