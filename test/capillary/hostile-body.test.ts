import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { eventNameIn, parseBody, parseEvent } from '../../src/capillary/event-parser.ts';
import { bytes, FLAT, refusalOf } from './event-body.ts';

const OUTCOMES = ['event', 'not-json', 'not-an-event', 'wrong-org'];

const OPTIONS = { orgIds: [1, 100458] };

function outcomeOf(body: Uint8Array): string {
  const parsed = parseEvent(body, OPTIONS);
  return parsed.ok ? 'event' : parsed.code;
}

/** Checks the body as one event and, if it is an array, each of its elements. */
function expectOutcome(body: Uint8Array): void {
  const parsed = parseBody(body, OPTIONS);
  const bodies = 'elements' in parsed ? [...parsed.elements(), body] : [body];
  expect(OUTCOMES).toEqual(expect.arrayContaining(bodies.map(outcomeOf)));
  expect(bodies.length).toBeGreaterThan('elements' in parsed ? 1 : 0);
}

describe('hostile bodies', () => {
  test('no bytes cause an exception', () => {
    expect.hasAssertions();
    fc.assert(fc.property(fc.uint8Array(), expectOutcome));
  });

  test('no JSON causes an exception', () => {
    expect.hasAssertions();
    const body = fc.json({ maxDepth: 8 }).map(bytes);
    fc.assert(fc.property(body, expectOutcome));
  });

  test('no array causes an exception, whatever its elements and its encoding are', () => {
    expect.hasAssertions();
    const element = fc.oneof(
      fc.jsonValue(),
      fc.string().map((name) => ({ ...FLAT, data: { name } })),
      fc.array(fc.jsonValue()),
    );
    const encoding = fc.constantFrom('utf8', 'latin1', 'utf16le' as const);
    const cut = fc.option(fc.nat(200), { nil: undefined });
    const body = fc
      .tuple(fc.array(element), encoding, cut)
      .map(([elements, code, end]) =>
        Buffer.from(JSON.stringify(elements), code as BufferEncoding).subarray(0, end),
      );
    fc.assert(fc.property(body, expectOutcome), { numRuns: 500 });
  });

  test('no value of any field causes an exception', () => {
    expect.hasAssertions();
    const fields = [
      ...Object.keys(FLAT),
      'attributes',
      'event',
      'body',
      'eventType',
      '__proto__',
      'toString',
      ' ',
    ];
    const object = fc.dictionary(fc.constantFrom(...fields), fc.jsonValue());
    const envelope = fc.dictionary(fc.constantFrom(...fields), fc.oneof(object, fc.json(), fc.array(object)));
    const body = fc
      .tuple(fc.oneof(object, envelope), fc.constantFrom({}, { eventName: 'x', orgId: 1 }))
      .map(([value, named]) => bytes(JSON.stringify({ ...value, ...named })));
    fc.assert(fc.property(body, expectOutcome), { numRuns: 1_000 });
  });

  test('the detail contains nothing of the body', () => {
    expect.hasAssertions();
    const secret = 'Amara447700900123';
    const bodies = fc.oneof(
      fc.tuple(fc.string(), fc.string()).map(([before, after]) => `${before}${secret}${after}`),
      fc.jsonValue().map((value) => JSON.stringify({ [secret]: value, event: `{${secret}`, data: [secret] })),
      fc.constant(JSON.stringify({ eventName: `${secret}\u0000`, orgId: 1 })),
      fc.constant(JSON.stringify({ eventName: 'x', orgId: secret })),
    );
    fc.assert(
      fc.property(bodies, (text) => {
        expect(refusalOf(bytes(text))).not.toContain('447700900123');
      }),
    );
  });
});

describe('the work grows with the size of the body only', () => {
  const deep = (open: string, close: string, levels: number) => open.repeat(levels) + close.repeat(levels);
  const HOSTILE: readonly (readonly [what: string, text: string])[] = [
    ['arrays within arrays', deep('[', ']', 30_000)],
    ['arrays that are not closed', '['.repeat(60_000)],
    ['arrays and objects in turn', deep('[{"a":', '}]', 8_000).replace('}', '1}')],
    ['objects within objects', deep('{"data":', '}', 8_000).replace('}', '1}')],
    ['many empty arrays', `[${'[],'.repeat(20_000)}[]]`],
    ['many deep arrays', `[${`${deep('[', ']', 100)},`.repeat(300)}1]`],
    ['deep arrays after the first', `[1,${deep('[', ']', 30_000)}]`],
  ];

  /** Characters that are parsed as JSON, per byte of the body. */
  function parsedPerByte(body: Uint8Array, work: (body: Uint8Array) => void): number {
    const spy = vi.spyOn(JSON, 'parse');
    work(body);
    const parsed = spy.mock.calls.reduce((sum, [text]) => sum + text.length, 0);
    spy.mockRestore();
    return parsed / body.length;
  }

  test.each(HOSTILE)('to name the event of %s', (_what, text) => {
    expect(parsedPerByte(bytes(text), eventNameIn)).toBeLessThanOrEqual(2);
  });

  test.each(HOSTILE)('to read %s as events', (_what, text) => {
    const read = (body: Uint8Array): void => {
      const parsed = parseBody(body, OPTIONS);
      if ('elements' in parsed) for (const element of parsed.elements()) parseEvent(element, OPTIONS);
    };
    expect(parsedPerByte(bytes(text), read)).toBeLessThanOrEqual(2);
  });
});
