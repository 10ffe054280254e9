import { describe, expect, it } from 'vitest';
import { conform, conformAny } from '../../src/xdm/conform.ts';
import { isDateTime, isEmail, isUriReference } from '../../src/xdm/formats.ts';
import { list, map, object, openObject, type Shape, shapeAt } from '../../src/xdm/shape.ts';

function fit(value: unknown, shape: Shape) {
  const faults: string[] = [];
  return { value: conform(value, shape, 'at', (path, code) => faults.push(`${code} ${path}`)), faults };
}

describe('conform', () => {
  it('leaves out empty values silently, and what becomes empty by that', () => {
    const shape = object({ a: 'string', b: list('string'), c: object({ d: 'number' }) });

    expect(fit({ a: ' ', b: ['', null, []], c: { d: null } }, shape)).toEqual({
      value: undefined,
      faults: [],
    });
    expect(fit({ a: 'x', b: [], c: {} }, shape)).toEqual({ value: { a: 'x' }, faults: [] });
  });

  it('leaves out and reports wrong types, enums, patterns and unknown fields', () => {
    const shape = object({
      text: 'string',
      count: 'integer',
      kind: { oneOf: ['x'] },
      code: { matching: /^[A-Z]{3}$/ },
      when: 'date-time',
      on: 'boolean',
    });

    expect(
      fit(
        { text: 1, count: 1.5, kind: 'y', code: 'eur', when: '2026-02-30T00:00:00Z', on: 'yes', more: 1 },
        shape,
      ),
    ).toEqual({
      value: undefined,
      faults: [
        'wrong-type at.text',
        'not-an-integer at.count',
        'not-in-enum at.kind',
        'wrong-pattern at.code',
        'not-a-date at.when',
        'wrong-type at.on',
        'unknown-field at.more',
      ],
    });
  });

  it('makes each value of a map fit, and accepts only keys that AEP accepts', () => {
    const shape = map(object({ val: { oneOf: ['y', 'n'] } }));

    expect(
      fit({ '01-ou-310': { val: 'n', more: 1 }, b: { val: 'maybe' }, 'a.b': { val: 'y' } }, shape),
    ).toEqual({
      value: { '01-ou-310': { val: 'n' } },
      faults: ['unknown-field at.01-ou-310.more', 'not-in-enum at.b.val', 'unknown-field at.a.b'],
    });
    expect(fit('x', shape)).toEqual({ value: undefined, faults: ['wrong-type at'] });
    expect(shapeAt(shape, ['any_key', 'val'])).toEqual({ oneOf: ['y', 'n'] });
    expect(shapeAt(shape, ['a b', 'val'])).toBeUndefined();
  });

  it('accepts integers of 32 bits, as XDM does', () => {
    const integers = [2 ** 31 - 1, -(2 ** 31) + 1, -0, 7.0];

    expect(fit([...integers, 2 ** 31, -(2 ** 31) - 1, 1e300, 0.5, '7'], list('integer'))).toEqual({
      value: integers,
      faults: [
        'not-an-integer at[4]',
        'not-an-integer at[5]',
        'not-an-integer at[6]',
        'not-an-integer at[7]',
        'wrong-type at[8]',
      ],
    });
  });

  it('leaves out an object without its required fields', () => {
    const shape = object({ measure: object({ id: 'string', value: 'number' }, ['value']) });

    expect(fit({ measure: { id: 'a', value: '1' } }, shape)).toEqual({
      value: undefined,
      faults: ['wrong-type at.measure.value', 'missing-required at.measure.value'],
    });
  });

  it('replaces lone surrogates and never sets a prototype', () => {
    const value = fit(JSON.parse('{"a":"x\\ud800","__proto__":{"polluted":true}}'), object({ a: 'string' }));

    expect(value).toEqual({ value: { a: 'x\ufffd' }, faults: ['unknown-field at.__proto__'] });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('allows a brand’s own fields in an open shape if AEP accepts the name', () => {
    expect(fit({ mine: { deep: [1, '', null], on: false }, _bad: 1, 'a.b': 2 }, openObject({}))).toEqual({
      value: { mine: { deep: [1], on: false } },
      faults: ['unknown-field at._bad', 'unknown-field at.a.b'],
    });
  });
});

describe('conformAny', () => {
  it('stops at the maximum depth', () => {
    const faults: string[] = [];
    const deep = Array.from({ length: 60 }).reduce<unknown>((inner) => ({ inner }), 1);

    expect(conformAny(deep, 'x', (_path, code) => faults.push(code))).toBeUndefined();
    expect(faults).toEqual(['too-deep']);
  });
});

describe('shapeAt', () => {
  const shape = object({ a: object({ b: 'number' }), own: openObject({ known: 'string' }) });

  it.each([
    [['a', 'b'], 'number'],
    [['a', 'c'], undefined],
    [['a', 'b', 'c'], undefined],
    [['own', 'known'], 'string'],
    [['own', 'any', 'thing'], 'any'],
    [['own', '__proto__'], undefined],
    [['toString'], undefined],
  ])('%j is %s', (path, expected) => {
    expect(shapeAt(shape, path)).toEqual(expected);
  });
});

describe('formats', () => {
  it.each(['2026-11-06T10:00:00.000Z', '2026-11-06T10:00:00+05:30', '2024-02-29T23:59:59.123456789Z'])(
    'AEP accepts %s',
    (text) => expect(isDateTime(text)).toBe(true),
  );

  it.each([
    '2026-11-06 10:00:00Z',
    '2026-11-06T10:00:00',
    '2026-11-06T10:00:00+0530',
    '2025-02-29T00:00:00Z',
    '2026-11-06T24:00:00Z',
  ])('AEP refuses %s', (text) => expect(isDateTime(text)).toBe(false));

  it.each(['a@b.co', 'first.last+tag@sub.example.org', 'A@B.CO', 'a@b.xn--p1ai'])(
    '%s is an address',
    (text) => expect(isEmail(text)).toBe(true),
  );

  it.each([
    'a@b',
    '@b.co',
    'a@b..co',
    'a b@c.co',
    '.a@b.co',
    `${'a'.repeat(65)}@b.co`,
    'e3b0c44298fc1c14',
    '\u212a@b.co',
    'a@b.1',
    'a@127.0.0.1',
    'a@b.c',
  ])('%s is not an address', (text) => expect(isEmail(text)).toBe(false));

  it('accepts only characters that need no escaping in a URI reference', () => {
    expect(isUriReference('cap-0a1b-r1')).toBe(true);
    expect(isUriReference('cap 0a1b')).toBe(false);
  });
});
