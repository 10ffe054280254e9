import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/capillary/event-identity.ts';
import { parseEvent } from '../../src/capillary/event-parser.ts';
import { bytes, ENVELOPES, eventOf, FLAT, parse, refusalOf, without } from './event-body.ts';

describe('envelopes', () => {
  const expected = eventOf(FLAT);

  test('a flat event has every field', () => {
    expect(expected).toMatchObject({
      eventName: 'pointsIssued',
      eventId: '0b0f5c36-54d5-4a39-9be2-0f4f4b0c0001',
      orgId: 100458,
      refId: '100458_wIybJMkaCq',
      apiRequestId: '08ccc811706f99919580fdf035c50003',
      loyaltyEventId: '6bb1',
      eventLogId: '662389307',
      createdAt: 1_790_848_802_438,
      data: FLAT['data'],
      customerId: '387450112',
      isSample: false,
    });
    expect(expected.identity).toMatch(/^[0-9a-f]{64}$/);
    expect(expected.lane).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each(Object.entries(ENVELOPES))('%s contains the same event', (_, wrap) => {
    const { data, ...fields } = eventOf(wrap(FLAT));
    const { data: flatData, ...flatFields } = expected;
    expect(fields).toEqual(flatFields);
    expect(canonicalJson(data)).toBe(canonicalJson(flatData));
  });

  test('an outer eventName has precedence over one in data', () => {
    const streak = {
      ...FLAT,
      eventName: 'streakStart',
      data: { eventName: 'inner', eventId: 'i', orgId: 'X' },
    };
    expect(eventOf(streak)).toMatchObject({
      eventName: 'streakStart',
      eventId: FLAT['eventId'],
      orgId: 100458,
    });
    expect(eventOf({ data: streak })).toMatchObject({
      eventName: 'streakStart',
      data: { eventName: 'inner' },
    });
  });

  test('the name in a router wrapper has precedence over a name in data', () => {
    const attributes = { ...without(FLAT, 'eventName'), data: { eventName: 'inner', orgId: 'X' } };
    const wrapper = { eventType: '100458_streakStart', attributes };
    expect(eventOf(wrapper)).toMatchObject({ eventName: 'streakStart', orgId: 100458, data: { orgId: 'X' } });
    expect(eventOf({ eventType: 'other', attributes: { data: FLAT } })).toEqual(eventOf(FLAT));
  });

  test('a named envelope without data is still an envelope', () => {
    expect(eventOf({ eventName: 'pointsIssued', event: FLAT })).toEqual(eventOf(FLAT));
    expect(eventOf({ eventName: 'pointsIssued', attributes: without(FLAT, 'eventName') })).toEqual(
      eventOf(FLAT),
    );
    expect(eventOf({ ...without(FLAT, 'data'), event: 'a text' })).toMatchObject({ data: {} });
  });

  test('an event inherits missing fields from its envelope; the eventId of the router has precedence', () => {
    expect(
      eventOf({ ...without(FLAT, 'eventName', 'data'), body: { eventName: 'x', data: {} } }),
    ).toMatchObject({
      eventName: 'x',
      eventId: FLAT['eventId'],
      orgId: 100458,
      refId: FLAT['refId'],
    });
    expect(eventOf({ eventId: 'outer', event: FLAT }).eventId).toBe(FLAT['eventId']);
    expect(eventOf({ eventId: 'outer', attributes: FLAT }).eventId).toBe('outer');
    expect(eventOf({ eventId: '', attributes: FLAT }).eventId).toBe(FLAT['eventId']);
  });

  test('of two keys that differ in spaces, the exact one has precedence unless it is empty', () => {
    expect(eventOf(bytes('{" eventName":"a","eventName":"b"," eventName ":"c","orgId":1}')).eventName).toBe(
      'b',
    );
    expect(eventOf(bytes('{" eventName":""," eventName ":"c","eventName":null,"orgId":1}')).eventName).toBe(
      'c',
    );
    expect(eventOf(bytes('{" eventName":"a","eventName ":"c","orgId":1}')).eventName).toBe('a');
  });

  test.each([
    [[], 'an array of 0'],
    [[FLAT, FLAT], 'an array of 2'],
    [[1], 'an array of 1'],
    [{ event: [FLAT, FLAT, FLAT] }, 'event is an array of 3'],
    [{ body: '{"eventName": "x"' }, 'the text in body is not JSON'],
    [{}, 'there is no eventName'],
    [{ data: { amount: 1 }, orgId: 1 }, 'there is no eventName'],
    [{ eventType: 'x', data: {}, orgId: 1 }, 'there is no eventName'],
    [{ eventName: '  ', orgId: 1 }, 'there is no eventName'],
    [{ eventName: 7, orgId: 1 }, 'there is no eventName'],
    [null, 'the body is not an object'],
    [7, 'the body is not an object'],
    ['eventName', 'the body is not an object'],
    [{ eventName: 'x\u0007y', orgId: 1 }, 'control characters'],
    [{ eventName: 'x'.repeat(201), orgId: 1 }, 'longer than 200'],
    [{ attributes: FLAT, eventName: 'x'.repeat(201), data: {} }, 'longer than 200'],
  ])('%j is not an event', (body, detail) => {
    expect(refusalOf(body)).toMatch(/^not-an-event: /);
    expect(refusalOf(body)).toContain(detail);
  });

  test('accepts a name of 200 characters', () => {
    expect(eventOf({ eventName: ` ${'x'.repeat(200)} `, orgId: 1 }).eventName).toBe('x'.repeat(200));
  });

  test('the number of nested envelopes is limited', () => {
    let body = FLAT;
    for (let level = 0; level < 5; level += 1) {
      body = { body };
    }
    expect(parse(body).ok).toBe(true);
    for (let level = 0; level < 5; level += 1) {
      body = { body };
    }
    expect(refusalOf(body)).toContain('there is no eventName');
  });
});

describe('text', () => {
  test.each([
    ['', 'it is empty'],
    [' \n', 'it is empty'],
    ['{"eventName":"Amara"', 'syntax error at position 20'],
    ['{"eventName":', 'it ends too early'],
    ['Amara Quill', 'syntax error'],
    ['{"phone" 447700900123}', 'syntax error at position 9'],
    ['" at position 447700900123', 'syntax error at position 26'],
    ['x at position 447700900123', 'syntax error'],
    ['eventName=x&orgId=1', 'syntax error'],
    ['\u0000', 'syntax error'],
  ])('%j is not JSON', (text, detail) => {
    expect(refusalOf(bytes(text))).toBe(`not-json: ${detail}`);
  });

  test('accepts an event with bytes that are not UTF-8', () => {
    const body = Buffer.concat([
      bytes('{"eventName":"x","orgId":1,"data":{"n":"'),
      Buffer.from([0xff]),
      bytes('"}}'),
    ]);
    expect(eventOf(body)).toMatchObject({ data: { n: 'ÿ' }, isWindows1252: true });
  });

  test('preserves the digits of integers beyond 2^53', () => {
    const text = `{"eventName":"x","orgId":1,"eventId":12345678901234567890,"data":{
      "a":9007199254740993,"b":-9007199254740993,"c":[12345678901234567.0],"d":9007199254740991,"e":1.5,
      "f":"12345678901234567890","g":12345678901234567.5}}`;
    const event = eventOf(bytes(text));
    expect(event.eventId).toBe('12345678901234567890');
    expect(event.data).toEqual({
      a: '9007199254740993',
      b: '-9007199254740993',
      c: ['12345678901234567'],
      d: 9007199254740991,
      e: 1.5,
      f: '12345678901234567890',
      g: 12345678901234568,
    });
  });

  test('ignores __proto__', () => {
    const text = `{"__proto__":{"eventName":"evil"}," __proto__ ":1,"eventName":"x","orgId":1,
      "data":{"__proto__":{"polluted":true},"n":1234567890123456789,"constructor":{"prototype":{"polluted":true}}}}`;
    const { data } = eventOf(bytes(text));
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(Object.hasOwn(data, '__proto__')).toBe(false);
    expect(data['polluted']).toBeUndefined();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(refusalOf(bytes('{"__proto__":{"eventName":"evil","orgId":1}}'))).toContain(
      'there is no eventName',
    );
  });

  test.each([
    ['arrays', '['.repeat(500_000) + ']'.repeat(500_000)],
    ['objects', `${'{"event":'.repeat(200_000)}1${'}'.repeat(200_000)}`],
    ['data', `{"eventName":"x","orgId":1,"data":${'['.repeat(64)}1${']'.repeat(64)}}`],
  ])('refuses %s that are nested too deep', (_, text) => {
    expect(refusalOf(bytes(text))).toBe('not-an-event: nested more than 64 levels deep');
  });

  test('accepts 64 levels, also with long numbers', () => {
    const nested = `${'['.repeat(63)}1234567890123456789${']'.repeat(63)}`;
    expect(parse(bytes(`{"eventName":"x","orgId":1,"data2":${nested}}`)).ok).toBe(true);
  });

  test('a JSON string that is nested too deep is not an event', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(refusalOf({ body: deep })).toContain('nested more than 64 levels deep');
    expect(eventOf({ ...FLAT, data: deep }).data).toEqual({});
  });
});

describe('fields', () => {
  test.each([
    [100458, 100458],
    ['100458', 100458],
    [' 100458.0 ', 100458],
    [0, 0],
    [null, 100458],
    ['', 100458],
  ])('orgId %j is accepted', (orgId, expected) => {
    expect(eventOf({ ...FLAT, orgId }).orgId).toBe(expected);
  });

  test.each(['CXAZ', 1.5, -1, true, {}, [], '1e5', '0x10', 2 ** 60, '99999999999999999999'])(
    'orgId %j is refused',
    (orgId) => {
      expect(refusalOf({ ...FLAT, orgId })).toBe('not-an-event: orgId is not a non-negative integer');
    },
  );

  test('a missing orgId comes from refId, then from eventType, then from the source', () => {
    const bare = without(FLAT, 'orgId', 'refId');
    const wrapper = { eventType: '100500_pointsIssued', attributes: bare };
    expect(eventOf(without(FLAT, 'orgId'), { orgIds: [100458, 7] }).orgId).toBe(100458);
    expect(eventOf({ ...wrapper, attributes: without(FLAT, 'orgId') }).orgId).toBe(100458);
    expect(eventOf(wrapper).orgId).toBe(100500);
    expect(eventOf({ ...wrapper, eventType: 'my_event' }, { orgIds: [7] }).orgId).toBe(7);
    expect(eventOf(bare, { orgIds: [7] }).orgId).toBe(7);
    expect(eventOf({ ...bare, refId: 'job_1' }, { orgIds: [7] }).orgId).toBe(7);
    for (const orgIds of [undefined, [], [7, 8]]) {
      expect(refusalOf(bare, { orgIds })).toBe('not-an-event: there is no orgId');
    }
  });

  test('another organisation is refused; the answer does not contain its id', () => {
    expect(refusalOf(FLAT, { orgIds: [7] })).toBe('wrong-org: orgId is not one of the orgIds of this source');
    expect(refusalOf(without(FLAT, 'orgId'), { orgIds: [7] })).toMatch(/^wrong-org/);
    expect(parse(FLAT, { orgIds: [] }).ok).toBe(true);
  });

  test('ids are strings; empty ones are absent', () => {
    const event = eventOf({
      ...FLAT,
      eventId: ' e ',
      refId: '',
      apiRequestId: ' ',
      loyaltyEventId: null,
      eventLogId: -1,
    });
    expect(event).toMatchObject({ eventId: 'e', eventLogId: '-1' });
    for (const field of ['refId', 'apiRequestId', 'loyaltyEventId']) {
      expect(event).not.toHaveProperty(field);
    }
    expect(eventOf({ ...FLAT, refId: {}, apiRequestId: [1], eventId: true })).not.toHaveProperty('refId');
  });

  test('createdAt is milliseconds, or absent if it is not a date', () => {
    expect(eventOf({ ...FLAT, createdAt: 1_790_848_802 }).createdAt).toBe(1_790_848_802_000);
    expect(eventOf({ ...FLAT, createdAt: '1790848802438' }).createdAt).toBe(1_790_848_802_438);
    expect(eventOf({ ...FLAT, createdAt: 1740 })).not.toHaveProperty('createdAt');
  });

  test.each([
    ['2026-10-01T10:00:02.438Z', '2026-10-01T10:00:02.438Z'],
    ['2026-10-01T15:30:02+05:30', '2026-10-01T10:00:02.000Z'],
    ['2026-10-01T15:30:02.000+0530', '2026-10-01T10:00:02.000Z'],
    [' 2026-10-01T15:30:02 ', '2026-10-01T10:00:02.000Z'],
    ['2026-10-01 15:30', '2026-10-01T10:00:00.000Z'],
    ['2026-10-01', '2026-10-01T18:29:59.999Z'],
    ['1790848802', '2026-10-01T10:00:02.000Z'],
    ['1790848802438.0', '2026-10-01T10:00:02.438Z'],
    [1790848802438.0, '2026-10-01T10:00:02.438Z'],
  ])('createdAt %j is read in the zone of the source', (createdAt, expected) => {
    const event = eventOf({ ...FLAT, createdAt }, { timezone: 'Asia/Kolkata' });

    expect(new Date(event.createdAt ?? 0).toISOString()).toBe(expected);
  });

  test.each(['attributes', 'data', 'event', 'body', ' attributes '])(
    'timeStamp beside %s takes the place of a createdAt that cannot be read',
    (key) => {
      const timeStamp = 1_790_848_809_999;
      for (const createdAt of [null, '', 'soon', 0, 1740]) {
        expect(eventOf({ ' timeStamp ': timeStamp, [key]: { ...FLAT, createdAt } }).createdAt).toBe(
          timeStamp,
        );
      }
      expect(eventOf({ timeStamp, [key]: FLAT }).createdAt).toBe(FLAT['createdAt']);
      expect(
        eventOf({ timeStamp: '2026-10-01T10:00:09Z', [key]: without(FLAT, 'createdAt') }).createdAt,
      ).toBe(1_790_848_809_000);
      expect(eventOf({ createdAt: 1, timeStamp, [key]: { ...FLAT, createdAt: 'soon' } }).createdAt).toBe(
        timeStamp,
      );
      expect(eventOf({ createdAt: 1_790_848_800, [key]: { ...FLAT, createdAt: 0 } }).createdAt).toBe(
        1_790_848_800_000,
      );
    },
  );

  test.each([null, 'text', '"text"', '[1]', [], 7])('data %j becomes an empty object', (data) => {
    expect(eventOf({ ...FLAT, data })).toMatchObject({ data: {} });
  });

  test('an event about nobody has neither lane nor customer', () => {
    const event = eventOf({ ...FLAT, data: { rewardId: 7 } });
    expect(event).not.toHaveProperty('lane');
    expect(event).not.toHaveProperty('customerId');
  });

  test('an event that was parsed before keeps its identity and its lane', () => {
    const body = Buffer.from(JSON.stringify(FLAT));
    const known = { identity: 'a'.repeat(64), lane: 'b'.repeat(64) };

    expect(parseEvent(body, { known })).toMatchObject({ ok: true, event: known });
    expect(parseEvent(body, { known: { identity: known.identity } })).toEqual({
      ok: true,
      event: expect.not.objectContaining({ lane: expect.anything() }),
    });
  });

  test('recognises samples by their event id', () => {
    const sample = { ...FLAT, eventId: 'CCF65d56-1e34-4282-b9ad-8fe3fe558b74' };
    expect(eventOf(sample).isSample).toBe(true);
  });
});
