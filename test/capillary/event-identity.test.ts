import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shortId } from '../../src/capillary/event-id.ts';
import { canonicalJson, laneOf } from '../../src/capillary/event-identity.ts';
import { SAMPLE_EVENT_ID } from '../../src/capillary/event.ts';
import type { JsonObject } from '../../src/capillary/json.ts';
import { referencePath } from '../helpers/reference.ts';
import { ENVELOPES, EVENT_ID, eventOf, FLAT, rewrite, without } from './event-body.ts';

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

describe('with an eventId', () => {
  test('is the hash of organisation, name and id', () => {
    const key = ['pointsIssued', '0b0f5c36-54d5-4a39-9be2-0f4f4b0c0001'];
    expect(eventOf(FLAT).identity).toBe(sha256(JSON.stringify([100458, ...key])));
    // printf '[100458,"pointsIssued","0b0f5c36-54d5-4a39-9be2-0f4f4b0c0001"]' | openssl dgst
    // -sha256
    expect(eventOf(FLAT).identity).toBe('ff887893a530dccfd24c7ab3221816336c4e65855d0b40897b053a7cd7f55234');
  });

  test('is the hash of all of a long id, of which the event has the beginning and the hash', () => {
    const ids = [200, 201].map((length) => `a1${'x'.repeat(length - 2)}`);
    const [whole, long] = ids.map((eventId) => eventOf({ ...FLAT, eventId }));
    expect(whole?.eventId).toBe(ids[0]);
    expect(long?.eventId).toBe(`${ids[1]?.slice(0, 120)}...sha256:${sha256(ids[1] ?? '')}`);
    expect(long?.identity).toBe(sha256(JSON.stringify([100458, 'pointsIssued', ids[1]])));
    expect(shortId(long?.eventId ?? '')).toBe(long?.eventId);
    expect(shortId(`${'x'.repeat(119)}\u{1f600}${'x'.repeat(100)}`).isWellFormed()).toBe(true);
  });

  test('other fields do not matter', () => {
    const other = {
      ...FLAT,
      refId: 'r',
      apiRequestId: 'a',
      createdAt: 1,
      data: {},
      eventId: ` ${EVENT_ID} `,
    };
    expect(eventOf(other).identity).toBe(eventOf(FLAT).identity);
  });

  test.each<JsonObject>([
    { orgId: 100459 },
    { eventName: 'pointsRedeemed' },
    { eventName: 'PointsIssued' },
    { eventId: 'x' },
  ])('%j is another event', (change) => {
    expect(eventOf({ ...FLAT, ...change }).identity).not.toBe(eventOf(FLAT).identity);
  });
});

describe('without an eventId', () => {
  const bare = without(FLAT, 'eventId');
  const identity = eventOf(bare).identity;

  test('differs from an identity with an eventId', () => {
    expect(identity).not.toBe(eventOf(FLAT).identity);
    expect(eventOf({ ...FLAT, eventId: ' ' }).identity).toBe(identity);
  });

  test.each<JsonObject>([
    { refId: 'r' },
    { apiRequestId: 'a' },
    { createdAt: 1_790_848_802_439 },
    { createdAt: '2026-10-01T10:00:02.439Z' },
    { loyaltyEventId: '6bb2' },
    { data: {} },
    { data: { ...(FLAT['data'] as JsonObject), billNumber: '317' } },
    { data: { ...(FLAT['data'] as JsonObject), totalPointsIssued: 64.6 } },
    { data: { ...(FLAT['data'] as JsonObject), currencies: [] } },
  ])('%j is another event', (change) => {
    expect(eventOf({ ...bare, ...change }).identity).not.toBe(identity);
  });

  test('is the same as before loyaltyEventId counted, if the event has none', () => {
    const { orgId, eventName, refId, apiRequestId, createdAt, data } = bare;
    const content = canonicalJson({ orgId, eventName, refId, apiRequestId, createdAt, data } as JsonObject);
    const key = `sha256:${sha256(content)}`;

    for (const loyaltyEventId of [null, '', 'null', undefined]) {
      const event = JSON.parse(JSON.stringify({ ...bare, loyaltyEventId })) as JsonObject;
      expect(eventOf(event).identity).toBe(sha256(JSON.stringify([100458, 'pointsIssued', key])));
    }
  });

  test('does not depend on the form of createdAt, on the zone of the source or on the router', () => {
    const at = Date.parse('2026-10-01T10:00:02Z');
    const own = eventOf({ ...bare, createdAt: at }).identity;

    expect(eventOf({ ...bare, createdAt: '2026-10-01T15:30:02+05:30' }).identity).toBe(own);
    expect(
      eventOf({ ...bare, createdAt: '2026-10-01 10:00:02' }, { timezone: 'Asia/Kolkata' }).identity,
    ).toBe(eventOf({ ...bare, createdAt: '2026-10-01 10:00:02' }, { timezone: 'Europe/London' }).identity);
    const routed = (timeStamp: number) =>
      eventOf({ eventType: 'x', timeStamp, attributes: without(bare, 'createdAt') }).identity;
    expect(routed(at)).toBe(routed(at + 60_000));
  });

  test('null members and unstable fields do not matter', () => {
    const data = { ...without(FLAT['data'] as JsonObject, 'notes'), more: null };
    expect(eventOf({ ...bare, data, eventLogId: 1, traceAttributes: { a: 1 } }).identity).toBe(identity);
    expect(eventOf({ ...bare, createdAt: 1_790_848_802 }).identity).toBe(
      eventOf({ ...bare, createdAt: 1_790_848_802_000 }).identity,
    );
  });

  test('samples are distinguished by their content', () => {
    const sample = { ...FLAT, eventId: SAMPLE_EVENT_ID };
    expect(eventOf(sample).identity).toBe(identity);
    expect(eventOf({ ...sample, data: {} }).identity).not.toBe(identity);
    expect(eventOf({ ...sample, eventId: SAMPLE_EVENT_ID.toUpperCase() }).identity).toBe(identity);
  });

  test.each(Object.entries(ENVELOPES))('%s has the same identity', (_, wrap) => {
    expect(eventOf(wrap(bare)).identity).toBe(identity);
  });
});

describe('an eventId that only stands for "none"', () => {
  const bare = without(FLAT, 'eventId');
  const guid = '00000000-0000-0000-0000-000000000000';

  test.each<JsonObject['']>([
    '',
    ' ',
    'null',
    ' NULL ',
    '(null)',
    'undefined',
    'Undefined',
    'none',
    'nil',
    'NaN',
    '0',
    '-1',
    '0.0',
    '-1.0',
    '-',
    '--',
    'NA',
    'na',
    'N/A',
    'n / a',
    '00000',
    guid,
    ` {${guid}} `,
    guid.replaceAll('-', ''),
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '{{eventId}}',
    '{{ $json.eventId }}',
    '${eventId}',
    '%eventId%',
    '#{eventId}',
    '<eventId>',
    '{eventId}',
    '[object Object]',
    '[OBJECT OBJECT]',
    'eventId',
    0,
    -1,
    null,
    {},
    [],
    true,
  ])('%j counts as absent', (eventId) => {
    const event = eventOf({ ...bare, eventId });

    expect(event).not.toHaveProperty('eventId');
    expect(event.identity).toBe(eventOf(bare).identity);
    expect(eventOf({ ...bare, eventId, data: {} }).identity).not.toBe(event.identity);
  });

  test.each(['1', '-2', 'A', 'nullable-1', '00000000-0000-0000-0000-000000000001', '10', 'N/A-7', 7, '100%'])(
    '%j is an id',
    (eventId) => expect(eventOf({ ...bare, eventId }).eventId).toBe(String(eventId)),
  );

  test('gives way to the id of the other level of a wrapper', () => {
    expect(eventOf({ eventId: 'null', attributes: FLAT }).eventId).toBe(EVENT_ID);
    expect(eventOf({ eventId: 'outer', event: { ...FLAT, eventId: '{{eventId}}' } }).eventId).toBe('outer');
  });
});

describe('canonical JSON', () => {
  test.each([
    [70, '70'],
    [70, '70.0'],
    [70.5, '70.50'],
    [0, '-0'],
    [-0, '0'],
    [1e21, '1e+21'],
    [1e-7, '0.0000001'],
    [1e-7, '1e-7'],
    ['9007199254740993', '9007199254740993.00'],
  ])('%j and %j have the same text', (a, b) => {
    expect(canonicalJson(a)).toBe(canonicalJson(b));
  });

  test.each([
    [7, '07'],
    [7, '7 '],
    [7, '+7'],
    [100000, '1e5'],
    ['9007199254740992', '9007199254740993'],
    [0, ''],
    [0, null],
    [1, true],
    ['true', true],
    ['null', null],
    ['a', 'A'],
    [
      [1, 2],
      [2, 1],
    ],
    [[null, 1], [1]],
    ['[1]', [1]],
    ['1,2', [1, 2]],
  ])('%j and %j have different texts', (a, b) => {
    expect(canonicalJson(a)).not.toBe(canonicalJson(b));
  });

  test('sorts keys and removes null members at every level', () => {
    expect(canonicalJson({ b: 1, a: { d: null, c: ['x', null], 'ä"': 2 } })).toBe(
      '{"a":{"c":["x",null],"ä\\"":2},"b":1}',
    );
  });
});

test('a lane is a hash of organisation and key', () => {
  expect(eventOf(FLAT).lane).toBe(laneOf(100458, '387450112'));
  expect(eventOf(FLAT).lane).toMatch(/^[0-9a-f]{64}$/);
  expect(eventOf({ ...FLAT, orgId: 7 }).lane).toBe(laneOf(7, '387450112'));
  expect(laneOf(7, '387450112')).not.toBe(laneOf(100458, '387450112'));
  expect(laneOf(7, '1')).not.toBe(laneOf(7, '2'));
});

test('identity and lane are the same in every envelope', () => {
  const key = fc
    .string({ unit: 'grapheme-ascii' })
    .map((name) => name.trim())
    .filter((name) => name !== '__proto__');
  const { value } = fc.letrec<{ value: unknown; leaf: unknown }>((tie) => ({
    leaf: fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
    ),
    value: fc.oneof({ maxDepth: 4 }, tie('leaf'), fc.array(tie('value')), fc.dictionary(key, tie('value'))),
  }));
  const event = fc.record({
    eventName: fc.constantFrom('transactionAdded', 'my_event', 'x'),
    eventId: fc.option(fc.uuid(), { nil: undefined }),
    orgId: fc.nat(),
    createdAt: fc.option(fc.integer({ min: 1_000_000_000_000, max: 2_000_000_000_000 }), { nil: undefined }),
    data: fc.dictionary(key, value as fc.Arbitrary<JsonObject[string]>),
  });
  const names = Object.keys(ENVELOPES);
  fc.assert(
    fc.property(event, fc.constantFrom(...names), (given, name) => {
      const flat = JSON.parse(JSON.stringify(given)) as JsonObject;
      const { identity, lane, eventName, orgId } = eventOf(flat);
      expect(eventOf(ENVELOPES[name]!(flat))).toMatchObject({
        identity,
        eventName,
        orgId,
        ...(lane && { lane }),
      });
    }),
    { numRuns: 700 },
  );
});

const SAMPLES = referencePath('events/', 'identities of the documented payloads');

describe.runIf(SAMPLES)('the payloads of the reference', () => {
  const files = SAMPLES === undefined ? [] : globSync('**/*.json', { cwd: SAMPLES }).toSorted();
  const payloads = files.map(
    (file) => [file, JSON.parse(readFileSync(`${SAMPLES}${file}`, 'utf8')) as JsonObject] as const,
  );

  test('are complete', () => {
    expect(payloads.length).toBeGreaterThanOrEqual(97);
  });

  test.each(payloads)('%s is an event, the same in every envelope', (file, payload) => {
    const body = readFileSync(`${SAMPLES}${file}`);
    const event = eventOf(body);
    expect(file.startsWith('documented/') || file.includes(event.eventName)).toBe(true);
    const { data, identity, lane, customerId, orgId, eventName, eventId, refId, createdAt } = event;
    const { loyaltyEventId } = event;
    const flat = JSON.parse(
      JSON.stringify({ orgId, eventName, eventId, refId, loyaltyEventId, createdAt, data }),
    ) as JsonObject;
    flat['apiRequestId'] = event.apiRequestId ?? '';
    for (const [name, wrap] of Object.entries(ENVELOPES)) {
      const again = eventOf(wrap(flat));
      expect({ name, identity: again.identity, lane: again.lane, customerId: again.customerId }).toEqual({
        name,
        identity,
        lane,
        customerId,
      });
    }
    const unwrapped = rewrite(payload, (leaf) => leaf) as JsonObject;
    expect(eventOf([unwrapped]).identity).toBe(identity);
  });

  test('have different identities', () => {
    const documented = payloads.filter(([file]) => file.startsWith('documented/'));
    const identities = documented.map(([, payload]) => eventOf(payload).identity);
    expect(new Set(identities).size).toBe(documented.length);
  });
});
