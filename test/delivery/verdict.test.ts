import { describe, expect, it } from 'vitest';
import type { InletResult } from '../../src/adobe/ports.ts';
import { batchVerdict, singleVerdict } from '../../src/delivery/verdict.ts';

function answer(status: number, body = '', retryAfterMs?: number): InletResult {
  return {
    kind: 'response',
    status,
    body,
    durationMs: 1,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}
const PROBLEM =
  '{"type":"http://ns.adobe.com/adobecloud/problem/data-collection-service/inlet","status":400,"title":"Invalid XDM Message Format","report":{"message":"Message is invalid"}}';
function items(...responses: unknown[]): string {
  return JSON.stringify({ responses });
}

describe('the verdict on a whole request by its status', () => {
  const table: [number, string, string][] = [
    [400, PROBLEM, 'invalid'],
    [415, PROBLEM.replace('400', '415'), 'invalid'],
    [422, PROBLEM.replace('400', '422'), 'invalid'],
    [400, '{"error_code":"400003","message":"a header is missing"}', 'invalid'],
    [400, '{}', 'foreign'],
    [415, '', 'foreign'],
    [422, '<html>', 'foreign'],
    [200, '<html>Sign in</html>', 'foreign'],
    [204, '', 'foreign'],
    [200, '{}', 'foreign'],
    [200, '{"error":"blocked"}', 'foreign'],
    [207, '{"responses":[{},{},{}]}', 'foreign'],
    [202, '[]', 'foreign'],
    [400, '{"message":"absent or wrong ims org"}', 'foreign'],
    [413, '', 'too-large'],
    [401, '{"status":"401"}', 'unauthorized'],
    [403, '', 'unauthorized'],
    [404, '', 'destination'],
    [405, '', 'destination'],
    [410, '', 'destination'],
    [501, '', 'destination'],
    [301, '', 'destination'],
    [429, '', 'throttled'],
    [408, '', 'transient'],
    [425, '', 'transient'],
    [500, '', 'transient'],
    [502, '<html>', 'transient'],
    [503, '', 'transient'],
    [504, '', 'transient'],
    [520, '', 'transient'],
  ];
  it.each(table)('%i %s is %s, on both endpoints', (status, body, kind) => {
    expect(batchVerdict(answer(status, body), 3).kind).toBe(kind);
    expect(singleVerdict(answer(status, body)).kind).toBe(kind);
  });

  it.each([
    ['organisation', 'Message has an absent or wrong ims org in the header', 'wrong-ims-org'],
    ['schema', 'inletId: [2f4e] imsOrgId: [1A2B@AdobeOrg] Message has unknown xdm format', 'unknown-schema'],
  ])('blames the configuration, not the messages, for a wrong %s', (_what, message, reason) => {
    const whole = answer(400, JSON.stringify({ report: { message } }));
    expect(batchVerdict(whole, 2)).toMatchObject({ kind: 'destination', reason });
    expect(singleVerdict(whole)).toMatchObject({ kind: 'destination', reason });
    const each = answer(207, items({ status: 400, message }, { status: 400, message }));
    expect(batchVerdict(each, 2)).toMatchObject({ kind: 'destination', reason });
  });

  it('distinguishes an address that is not allowed from a refused token', () => {
    expect(batchVerdict(answer(403, ''), 1)).toMatchObject({ reason: 'ip-not-allowed' });
    expect(batchVerdict(answer(403, '{"title":"no"}'), 1)).toMatchObject({ reason: 'forbidden' });
  });

  it('distinguishes a proxy that denies the request from an inlet that does', () => {
    for (const status of [401, 403]) {
      expect(batchVerdict(answer(status, '<h1>Access denied</h1>'), 1)).toEqual({
        kind: 'unauthorized',
        reason: 'foreign-answer',
        detail: `${status}, an answer that is not Adobe's: Access denied`,
      });
    }
    expect(batchVerdict(answer(502, '<h1>Bad gateway</h1>'), 1)).toMatchObject({
      kind: 'transient',
      detail: "502, an answer that is not Adobe's: Bad gateway",
    });
    const each = answer(207, items({ status: 403, message: 'no' }));
    expect(batchVerdict(each, 1)).toMatchObject({ kind: 'unauthorized', reason: 'forbidden' });
  });

  it.each([429, 503])('includes the Retry-After of a %i', (status) => {
    expect(batchVerdict(answer(status, '', 7_000), 1)).toMatchObject({ retryAfterMs: 7_000 });
  });

  it('treats a failure without an answer as transient', () => {
    const failure: InletResult = { kind: 'failure', code: 'reset', detail: 'ECONNRESET', durationMs: 1 };
    expect(batchVerdict(failure, 1)).toEqual({
      kind: 'transient',
      detail: 'reset: ECONNRESET',
      isAmbiguous: true,
    });
  });
});

describe('the verdict on a request that the proxy did not pass on', () => {
  it.each([
    ['proxy-refused', 'destination'],
    ['proxy-failing', 'unsent'],
  ])('%s is no fault of a message: %s', (code, kind) => {
    const failure: InletResult = { kind: 'failure', code, detail: 'the proxy …', durationMs: 1 };
    const verdict = { kind, reason: code, detail: 'the proxy …' };
    expect(batchVerdict(failure, 3)).toEqual(verdict);
    expect(singleVerdict(failure)).toEqual(verdict);
  });
});

describe('the verdict on the items of a 207', () => {
  it('reads each item', () => {
    const body = items({ xactionId: 'u-0' }, { status: 400, message: 'bad' });
    expect(batchVerdict(answer(207, body), 2)).toMatchObject({
      kind: 'items',
      items: [{ kind: 'taken' }, { kind: 'failed', status: 400 }],
    });
  });

  it.each([
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [404, 'destination'],
    [501, 'destination'],
  ])('blames the destination if every item is %i', (status, kind) => {
    expect(batchVerdict(answer(207, items({ status }, { status })), 2).kind).toBe(kind);
  });

  it('blames the item if another one was accepted', () => {
    const body = items({ xactionId: 'u-0' }, { status: 403, message: 'no' });
    expect(batchVerdict(answer(207, body), 2).kind).toBe('items');
  });

  it('takes the inlet’s own answer of the single endpoint as a success, and no other', () => {
    const taken = '{"inletId":"2f4e","xactionId":"1:2:3","receivedTimeMs":1}';
    expect(singleVerdict(answer(200, taken))).toEqual({
      kind: 'items',
      items: [{ kind: 'taken', xactionId: '1:2:3' }],
    });
    expect(singleVerdict(answer(200, 'not json'))).toEqual({
      kind: 'foreign',
      detail: "200, an answer that is not Adobe's: not json",
    });
  });

  it.each([
    ['{"inletId":"2f4e","status":413,"message":"large"}', 'too-large'],
    ['{"responses":[{"status":413}]}', 'too-large'],
    ['{"responses":[]}', 'foreign'],
    ['{"inletId":"2f4e","status":"error"}', 'foreign'],
    ['{"inletId":"2f4e","status":400,"message":"no"}', 'items'],
  ])('settles a message that was sent alone: %s', (body, kind) => {
    expect(singleVerdict(answer(200, body)).kind).toBe(kind);
  });

  it('leaves an element that is not Adobe’s open if others are Adobe’s', () => {
    const body = items({ xactionId: 'u-0' }, {}, { status: 400 });
    const kinds = ['taken', 'foreign', 'failed'];
    expect(batchVerdict(answer(207, body), 3)).toMatchObject({ items: kinds.map((kind) => ({ kind })) });
  });

  it('recognises Adobe’s answer by its beginning if it is too long to be read', () => {
    const cut = {
      ...answer(207, '{"inletId":"2f4e","responses":[{"xactionId":"u-0'),
      isTruncated: true,
    } as const;
    expect(batchVerdict(cut, 1)).toEqual({ kind: 'items', items: [{ kind: 'unknown' }] });
    expect(batchVerdict({ ...cut, body: '<html>' } as InletResult, 1).kind).toBe('foreign');
  });
});
