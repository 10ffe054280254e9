import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conform } from '../../src/xdm/conform.ts';
import { eventShape } from '../../src/xdm/event-shape.ts';
import { profileShape } from '../../src/xdm/profile-shape.ts';
import { writeRecord } from '../../src/xdm/record-writer.ts';
import {
  isLeaf,
  isListShape,
  isMapShape,
  list,
  map,
  object,
  type ObjectShape,
  openObject,
  type Shape,
} from '../../src/xdm/shape.ts';

interface Outcome {
  readonly text: string | undefined;
  readonly faults: readonly string[];
}

function written(value: unknown, shape: ObjectShape): Outcome {
  const faults: string[] = [];
  const text = writeRecord(value, shape, (path, code) => faults.push(`${code} ${path}`));
  if (text !== undefined && text.bytes !== Buffer.byteLength(text.json)) faults.push('wrong bytes');
  return { text: text?.json, faults };
}

function conformed(value: unknown, shape: ObjectShape): Outcome {
  const faults: string[] = [];
  const left = conform(value, shape, '', (path, code) => faults.push(`${code} ${path}`));
  return { text: left === undefined ? undefined : JSON.stringify(left), faults };
}

const scalar: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    undefined,
    '',
    ' ',
    '\u00a0',
    {},
    [],
    true,
    false,
    0,
    -0,
    1.5,
    2 ** 31,
    1e21,
    Number.NaN,
  ),
  fc.constantFrom(
    '2026-11-01',
    '2026-11-01T00:00:00.000Z',
    '2026-02-30T00:00:00Z',
    'a@x.org',
    'cap-1',
    'INR',
  ),
  fc.constantFrom(
    '"',
    'a\\b',
    '\u0000',
    '\u001f',
    '\u007f',
    '\u2028',
    'é',
    '🧺',
    '\ud83e',
    'x\udc00y',
    '𠮷"',
  ),
  fc.string(),
);

/** A value of this kind, in which anything can be missing, empty or of another kind. */
function valueOf(shape: Shape): fc.Arbitrary<unknown> {
  const fitting = (): fc.Arbitrary<unknown> => {
    if (isLeaf(shape)) {
      const options = typeof shape === 'object' && 'oneOf' in shape ? shape.oneOf : ['x'];
      return fc.oneof(scalar, fc.constantFrom(...options));
    }
    if (isListShape(shape)) return fc.array(valueOf(shape.items), { maxLength: 3 });
    if (isMapShape(shape)) {
      return fc.dictionary(fc.constantFrom('a', 'b-1', 'é', ' ', '\ud83e', '7'), valueOf(shape.values));
    }
    const fields = Object.entries(shape.fields).map(([name, inner]) => [name, valueOf(inner)] as const);
    const others = { own: fc.jsonValue(), '9': scalar, 'a b': scalar, '\ud83e': scalar };
    return fc
      .tuple(
        fc.record(Object.fromEntries(fields), { requiredKeys: [] }),
        fc.record(others, { requiredKeys: [] }),
        fc.nat(7),
      )
      .map(([known, more, choice]) => (choice === 0 ? { ...more, ...known } : known));
  };
  return fc.oneof({ weight: 12, arbitrary: fc.nat().chain(fitting) }, { weight: 1, arbitrary: scalar });
}

const features = {
  loyalty2026: true,
  loyaltyEvents: true,
  placeContext: true,
  sourceAudit: true,
  consents: true,
};

const SHAPES: Readonly<Record<string, ObjectShape>> = {
  'every kind of shape': object(
    {
      text: 'string',
      count: 'integer',
      points: 'number',
      on: 'boolean',
      when: 'date-time',
      day: 'date',
      mail: 'email',
      ref: 'uri-reference',
      kind: { oneOf: ['x', 'ab"c'] },
      code: { matching: /^[A-Z\s"]*$/ },
      inner: object({ first: 'string', second: list('number'), last: 'date' }, ['first', 'last']),
      names: list('string'),
      items: list(object({ id: 'string', when: 'date-time', more: map(list('integer')) }, ['id'])),
      entries: map(object({ val: 'string' })),
      own: openObject({ capillary: object({ id: 'string' }) }),
      'with-hyphen': map('boolean'),
    },
    ['text'],
  ),
  'an event': eventShape(features, '_acme'),
  'a profile': profileShape(features, '_acme'),
};

describe('the text of a record', () => {
  it.each(Object.entries(SHAPES))(
    'is that of what conform leaves of %s, with the same faults',
    (_, shape) => {
      fc.assert(
        fc.property(valueOf(shape), (value) => {
          expect(written(value, shape)).toEqual(conformed(value, shape));
        }),
        { numRuns: 150 },
      );
    },
  );

  it('has the fields in their order', () => {
    const shape = object({ a: 'string', b: list(object({ c: 'integer', d: 'string' })), 'e-f': 'boolean' });

    expect(written({ 'e-f': true, b: [{ d: 'ü"', c: 1 }, {}, { c: '2' }], a: ' ', x: 1 }, shape)).toEqual({
      text: '{"e-f":true,"b":[{"d":"ü\\"","c":1}]}',
      faults: ['wrong-type b[2].c', 'unknown-field x'],
    });
  });

  it('has a further field at its end, also if nothing else is left', () => {
    const shape = object({ a: 'string' });
    const withMore = (value: unknown) =>
      writeRecord(
        value,
        shape,
        () => {},
        () => '"more":["ü"]',
      );

    expect(withMore({ a: 'x' })).toEqual({ json: '{"a":"x","more":["ü"]}', bytes: 23 });
    expect(withMore({ a: ' ' })).toEqual({ json: '{"more":["ü"]}', bytes: 15 });
    expect(
      writeRecord(
        { a: 'x' },
        shape,
        () => {},
        () => undefined,
      )?.json,
    ).toBe('{"a":"x"}');
  });

  it('can be larger than the buffer of the texts before it', () => {
    const shape = object({ list: list('string'), last: 'string' });
    const value = { list: ['a'.repeat(70_000), 'ü'.repeat(300_000), '"'], last: 'z' };

    expect(written(value, shape)).toEqual({ text: JSON.stringify(value), faults: [] });
    expect(written({ last: 'b' }, shape)).toEqual({ text: '{"last":"b"}', faults: [] });
  });

  it('is undefined if nothing is left, or if what is required is missing', () => {
    const shape = object({ a: 'string', b: object({ c: 'string', d: 'string' }, ['c', 'd']) });

    expect(written({ a: '' }, shape)).toEqual({ text: undefined, faults: [] });
    expect(written({ b: { d: 'x' } }, shape)).toEqual({ text: undefined, faults: ['missing-required b.c'] });
    expect(written('x', shape)).toEqual({ text: undefined, faults: ['wrong-type '] });
  });
});
