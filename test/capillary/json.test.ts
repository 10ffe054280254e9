import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type JsonValue, parseJsonText, trimKeys } from '../../src/capillary/json.ts';

const digits = fc.stringMatching(/^[1-9]\d{13,19}$/);
const space = fc.constantFrom('', ' ', '\n', '\t ', '\r\n');

/** Numbers around the limit beyond which digits are lost, and strings that look like them. */
const number = fc
  .tuple(fc.constantFrom('', '-'), digits, fc.constantFrom('', '.0', '.00', '.5', 'e1', 'E+2', 'e-3', 'e400'))
  .map((parts) => parts.join(''));
const scalar = fc.oneof(
  number,
  fc.constantFrom('9007199254740991', '9007199254740992', '-9007199254740992.0', '0', '-0', '1.5', 'null'),
  fc.oneof(number, fc.string()).map((text) => JSON.stringify(`:${text},${text}`)),
);
const key = fc.oneof(fc.constantFrom('a', ' a', 'a\t', '\u00a0a', '__proto__', ' __proto__ ', 'b'), digits);

const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 5 },
    scalar,
    fc
      .tuple(space, fc.array(tie('json'), { maxLength: 4 }))
      .map(([gap, items]) => `[${gap}${items.join(`${gap},${gap}`)}${gap}]`),
    fc
      .tuple(space, fc.array(fc.tuple(key, tie('json')), { maxLength: 4 }))
      .map(
        ([gap, fields]) =>
          `{${fields.map(([name, value]) => `${gap}${JSON.stringify(name)}${gap}:${gap}${value}${gap}`).join(',')}}`,
      ),
  ),
}));

/**
 * The expected result, computed slowly: checks the text of every number and copies every object.
 */
function parseSlowly(text: string): JsonValue {
  return trimKeys(
    JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => {
      const [, integer] = /^(-?\d+)(?:\.0+)?$/.exec(context?.source ?? '') ?? [];
      return typeof value === 'number' && integer !== undefined && !Number.isSafeInteger(value)
        ? integer
        : value;
    }) as JsonValue,
  );
}

test('returns the same values with and without unusual numbers and keys', () => {
  expect.hasAssertions();
  fc.assert(
    fc.property(json, space, (text, gap) => {
      const parsed = parseJsonText(`${gap}${text}${gap}`);
      const value = parseSlowly(text);
      expect(parsed).toStrictEqual({ ok: true, value });
      expect(JSON.stringify(parsed.ok && parsed.value)).toBe(JSON.stringify(value));
    }),
    { numRuns: 2_000 },
  );
});
