import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitArray } from '../../src/capillary/event-array.ts';
import { parseBody } from '../../src/capillary/event-parser.ts';
import { bytes, FLAT } from './event-body.ts';

/** The elements of an array as texts. */
function split(text: string): string[] {
  return [...splitArray(bytes(text))].map((element) => Buffer.from(element).toString());
}

test.each<[string, readonly string[]]>([
  ['[]', []],
  [' [ \n ] ', []],
  ['[1]', ['1']],
  ['[1,"a",null]', ['1', '"a"', 'null']],
  [' [ {"a":[1,2]} ,\n {"b":"],["} ] ', ['{"a":[1,2]}', '{"b":"],["}']],
  [String.raw`["\"],[\\",{"k\"":1}]`, [String.raw`"\"],[\\"`, String.raw`{"k\"":1}`]],
  ['[[1,2],[[3]],[]]', ['1', '2', '3', '[]']],
  ['[[],[ ]]', ['[]', '[ ]']],
  ['[1.50,12345678901234567890]', ['1.50', '12345678901234567890']],
])('%s has the elements %j', (text, elements) => {
  expect(split(text)).toEqual(elements);
});

test('nesting is resolved up to eight levels', () => {
  expect(split('[[[[[[[[1]]]]]]]]')).toEqual(['1']);
  expect(split('[[[[[[[[[1]]]]]]]]]')).toEqual(['[1]']);
});

test('hundreds of thousands of levels or elements need no stack', () => {
  expect(split('['.repeat(400_000) + ']'.repeat(400_000))).toHaveLength(1);
  expect(split(`[${'1,'.repeat(400_000)}1]`)).toHaveLength(400_001);
});

describe('any array', () => {
  test('has its elements, in their own spelling', () => {
    expect.hasAssertions();
    const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1 });
    fc.assert(
      fc.property(objects, fc.constantFrom(0, 2, '\t'), (values, space) => {
        expect(split(JSON.stringify(values, undefined, space)).map((text) => JSON.parse(text))).toEqual(
          JSON.parse(JSON.stringify(values)),
        );
      }),
    );
  });

  test('keeps bytes that are not ASCII', () => {
    const name = Buffer.from('[{"n":"é,]"},{"n":"ü"}]', 'latin1');
    expect([...splitArray(name)].map((element) => Buffer.from(element).toString('latin1'))).toEqual([
      '{"n":"é,]"}',
      '{"n":"ü"}',
    ]);
  });
});

describe('a body', () => {
  const kindOf = (text: string): string => {
    const parsed = parseBody(bytes(text), {});
    if ('elements' in parsed) return 'array';
    return parsed.ok ? 'event' : parsed.code;
  };
  const event = JSON.stringify(FLAT);

  test.each([
    [event, 'event'],
    [`[${event}]`, 'array'],
    ['[1,2]', 'array'],
    [`[${event},${'['.repeat(100)}${']'.repeat(100)}]`, 'array'],
    ['[]', 'not-an-event'],
    [`{"body":[${event}]}`, 'event'],
    [`{"body":[${event},${event}]}`, 'not-an-event'],
    [`[${event}`, 'not-json'],
  ])('%.40s is: %s', (text, kind) => {
    expect(kindOf(text)).toBe(kind);
  });
});
