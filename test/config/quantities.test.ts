import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unitsOf } from '../../src/config/field-types.ts';
import { type JsonSchema, plainJsonSchema } from '../../src/config/json-schema.ts';
import { DURATION_UNITS, formatQuantity, parseQuantity, SIZE_UNITS } from '../../src/config/quantities.ts';

describe('formatQuantity', () => {
  it.each([
    [90, '90ms'],
    [5_400_000, '90m'],
    [691_200_000, '8d'],
    [86_400_000, '1d'],
    [0, '0ms'],
  ])('%d ms is written %s', (ms, text) => expect(formatQuantity(ms, DURATION_UNITS)).toBe(text));

  it.each([
    [900_000, '900KB'],
    [1_048_576, '1MiB'],
    [10_737_418_240, '10GiB'],
    [1_500, '1500B'],
  ])('%d bytes are written %s', (bytes, text) => expect(formatQuantity(bytes, SIZE_UNITS)).toBe(text));

  it('can be read again, whatever the number', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(DURATION_UNITS, SIZE_UNITS), (value, units) => {
        expect(parseQuantity(formatQuantity(value, units), units)).toBe(value);
      }),
    );
  });
});

it('durations and sizes are all keys whose values have such units in the schema', () => {
  const units = (schema: JsonSchema): [string, boolean, boolean][] => [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, field]): [string, boolean, boolean][] => {
      const { pattern = '' } = field;
      return [[key, pattern.includes('(ms|s|m|h|d)'), pattern.includes('KiB')], ...units(field)];
    }),
    ...(schema.items ? units(schema.items) : []),
    ...(schema.oneOf ?? []).flatMap(units),
  ];
  for (const [key, isDuration, isSize] of units(plainJsonSchema())) {
    const expected = isDuration ? DURATION_UNITS : isSize ? SIZE_UNITS : undefined;
    expect({ key, units: unitsOf(key) }).toEqual({ key, units: expected });
  }
});
