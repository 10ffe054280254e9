import { describe, expect, test } from 'vitest';
import { readBatchResponse, readSingleItem, xactionIndex } from '../../../src/adobe/inlet/response.ts';

const UUID = '9341f8eb-494a-4c89-9879-4d06a58d2dc7';
function id(index: number | string) {
  return `${UUID}-${index}`;
}

/** Short forms: `T` accepted, `F400` failed with 400, `-` foreign, `?` unknown. */
const SHORT = { taken: 'T', foreign: '-', unknown: '?' } as const;

function read(responses: unknown, sent: number): string {
  return readBatchResponse(JSON.stringify({ inletId: 'x', responses }), sent)
    .map((item) => (item.kind === 'failed' ? `F${item.status}` : SHORT[item.kind]))
    .join(' ');
}

const matching: [string, unknown[], number, string][] = [
  ['all accepted, by position', [{ xactionId: id(0) }, { xactionId: id(1) }], 2, 'T T'],
  ['no xactionId anywhere', [{}, { status: 400 }, {}], 3, '- F400 -'],
  [
    'some with an index, in place',
    [{ xactionId: id(0) }, { statusCode: 400 }, { xactionId: id(2) }],
    3,
    'T F400 T',
  ],
  ['ids without an index', [{ xactionId: '1764:2:3' }, { xactionId: '1764:2:3', status: 400 }], 2, 'T F400'],
  ['old batch form', [{ xactionId: '1764:2:3:0' }, { xactionId: '1764:2:3:1', status: 400 }], 2, 'T F400'],
  ['old batch form, swapped', [{ xactionId: '1:2:3:1', status: 400 }, { xactionId: '1:2:3:0' }], 2, 'T F400'],
  ['same number, other order', [{ xactionId: id(1), status: 400 }, { xactionId: id(0) }], 2, 'T F400'],
  ['other order, one without an index', [{ xactionId: id(1) }, { status: 400 }], 2, '? T'],
  ['fewer answers', [{ xactionId: id(2), status: 400 }, { xactionId: id(0) }], 3, 'T ? F400'],
  ['fewer answers without an index', [{}, {}], 3, '? ? ?'],
  ['more answers', [{ xactionId: id(0) }, { xactionId: id(1) }, { xactionId: id(2) }], 2, 'T T'],
  ['an index out of range', [{ xactionId: id(0) }, { xactionId: id(7) }, { xactionId: id(2) }], 3, 'T ? T'],
  [
    'an index twice',
    [{ xactionId: id(1) }, { xactionId: id(1), status: 400 }, { xactionId: id(0) }],
    3,
    'T ? ?',
  ],
  [
    'an index three times',
    [{ xactionId: id(0) }, { xactionId: id(0) }, { xactionId: id(0) }, { xactionId: id(1) }],
    2,
    '? T',
  ],
  ['bare uuids that end in digits', [{ xactionId: '9341f8eb-494a-4c89-9879-000000000001' }, {}], 2, 'T -'],
  ['items that are not objects', [{}, null, 'ok', 5, []], 5, '- ? ? ? ?'],
  ['nothing sent', [], 0, ''],
  ['nothing sent, something answered', [{}], 0, ''],
];

describe('items are matched to their messages', () => {
  test.each(matching)('%s', (_, responses, sent, expected) => {
    expect(read(responses, sent)).toBe(expected);
  });

  test('in the example of the documentation: 5 messages, 4 answers, the first with index 3', () => {
    const message = 'inletId: [2f4e] imsOrgId: [1A2B@AdobeOrg] Message has unknown xdm format';
    const responses = [
      { xactionId: id(3) },
      { statusCode: 400, message },
      { statusCode: 400, message },
      { statusCode: 400, message },
    ];
    expect(read(responses, 5)).toBe('? ? ? T ?');
  });
});

const statuses: [string, unknown, string][] = [
  ['status as a number', { status: 400 }, 'F400'],
  ['status as a string', { status: '429' }, 'F429'],
  ['statusCode as a number', { statusCode: 503 }, 'F503'],
  ['statusCode as a string', { statusCode: ' 500 ' }, 'F500'],
  ['either of both', { status: 200, statusCode: 400 }, 'F400'],
  ['below 400', { status: 200 }, 'T'],
  ['null', { status: null }, '-'],
  ['null beside an xactionId', { status: null, xactionId: id(0) }, 'T'],
  ['only other members', { ok: true, message: 'done' }, '-'],
  ['not a number: unknown', { status: 'error' }, '?'],
  ['not a number beside a number', { status: 'error', statusCode: 400 }, 'F400'],
];

test.each(statuses)('a status: %s', (_, item, expected) => {
  expect(read([item], 1)).toBe(expected);
});

test.each(['', 'not json', '[]', 'null', '{}', '{"responses":{}}', '{"responses":null}', '<html>'])(
  'body %j: all unknown',
  (body) => {
    expect(readBatchResponse(body, 2)).toEqual([{ kind: 'unknown' }, { kind: 'unknown' }]);
  },
);

test('an item has its xactionId and Adobe’s message', () => {
  const responses = [
    { xactionId: id(0) },
    { xactionId: id(1), status: 400, message: "The 'header' field is mandatory." },
    { statusCode: 400, report: { message: 'Message is invalid' } },
    { status: 500 },
  ];
  expect(readBatchResponse(JSON.stringify({ responses }), 4)).toEqual([
    { kind: 'taken', xactionId: id(0) },
    { kind: 'failed', status: 400, message: "The 'header' field is mandatory.", xactionId: id(1) },
    { kind: 'failed', status: 400, message: 'Message is invalid' },
    { kind: 'failed', status: 500, message: '{"status":500}' },
  ]);
});

test('a message is truncated to 2 KB', () => {
  const [item] = readBatchResponse(
    JSON.stringify({ responses: [{ status: 400, message: 'é'.repeat(9_000) }] }),
    1,
  );
  const message = item?.kind === 'failed' ? item.message : '';
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(2_048);
  expect(message).toMatch(/^é+…$/);
});

test.each([
  [id(0), 0],
  [id(17), 17],
  [UUID, undefined],
  [id('x'), undefined],
  [id(''), undefined],
  ['1764000000123:2153:240', undefined],
  ['1764000000123:2153:240:7', 7],
  ['1764000000123:2153:240:7:9', undefined],
  ['1764000000123:2153:240-7', undefined],
  ['batch-7', 7],
  ['7', undefined],
  ['', undefined],
  [undefined, undefined],
])('the index of %j is %s', (xactionId, index) => {
  expect(xactionIndex(xactionId)).toBe(index);
});

test.each([
  ['{"inletId":"2f4e","xactionId":"1:2:3"}', { kind: 'taken', xactionId: '1:2:3' }],
  ['{"xactionId":"1:2:3","syncValidation":{"status":"pass"}}', { kind: 'taken', xactionId: '1:2:3' }],
  ['{"inletId":"2f4e"}', { kind: 'taken' }],
  ['{"inletId":"2f4e","status":400,"message":"no"}', { kind: 'failed', status: 400, message: 'no' }],
  ['{"responses":[{"xactionId":"1:2:3"}]}', { kind: 'taken', xactionId: '1:2:3' }],
  ['{"responses":[{"statusCode":400,"message":"no"}]}', { kind: 'failed', status: 400, message: 'no' }],
  ['{"responses":[{}]}', { kind: 'foreign' }],
  ['{"responses":[]}', { kind: 'unknown' }],
])('the item of a single answer %s', (body, expected) => {
  expect(readSingleItem(body)).toEqual(expected);
});
