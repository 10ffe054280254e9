import { Ajv } from 'ajv/dist/ajv.js';
import { default as addFormats } from 'ajv-formats/dist/index.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Leaf, leafFault } from '../../src/xdm/shape.ts';

const ajv = new Ajv();
addFormats.default(ajv);

function digits(length: number) {
  return fc.string({
    unit: fc.constantFrom(...'0123456789'.split('')),
    minLength: length,
    maxLength: length,
  });
}
const letters = fc.string({ unit: fc.constantFrom(...'aZ9.-_+@ \u212a\u017fé'.split('')), maxLength: 12 });
function concat(...parts: (fc.Arbitrary<string> | string)[]) {
  return fc
    .tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))
    .map((texts) => texts.join(''));
}
const two = fc.constantFrom(
  '00',
  '01',
  '02',
  '09',
  '12',
  '12',
  '10',
  '23',
  '24',
  '28',
  '29',
  '30',
  '31',
  '59',
  '60',
  '7',
  '123',
);
const date = concat(fc.constantFrom('2024', '2023', '1900', '0000', '9999'), '-', two, '-', two);
const zone = fc.oneof(
  fc.constantFrom('Z', 'z', '', '+0530', ' +05:30'),
  concat(fc.constantFrom('+', '-'), two, ':', two),
);
const fraction = fc.oneof(
  fc.constantFrom('', '.'),
  concat('.', digits(3)),
  concat('.', digits(9)),
  concat('.', digits(10)),
);

const valid = fc
  .date({ min: new Date('1900-01-01T00:00:00Z'), max: new Date('2199-12-31T00:00:00Z'), noInvalidDate: true })
  .map((day) => day.toISOString());

/** Strings of each format, valid and almost valid. */
const SAMPLES: Readonly<Record<'date-time' | 'date' | 'email' | 'uri-reference', fc.Arbitrary<string>>> = {
  date: fc.oneof(
    valid.map((text) => text.slice(0, 10)),
    date,
    concat(date, letters),
    letters,
  ),
  'date-time': fc.oneof(
    valid,
    concat(
      valid.map((text) => text.slice(0, 19)),
      fraction,
      zone,
    ),
    concat(date, fc.constantFrom('T', 't', ' ', ''), two, ':', two, ':', two, fraction, zone),
  ),
  email: fc.oneof(
    fc.emailAddress(),
    concat(letters, '@', letters),
    concat(letters, '@', letters, '.', letters),
  ),
  'uri-reference': fc.oneof(
    fc.uuid(),
    fc.string({ unit: fc.constantFrom(...'aZ9:/?#[]@%20 .~-\u00e9'.split('')), maxLength: 12 }),
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    fc.string(),
  ),
};

/** Adobe's validator is neither of these two; what both accept is safe. */
describe.each(Object.entries(SAMPLES))('a %s that the relay accepts', (format, strings) => {
  it('is valid in JSON Schema too', () => {
    const validate = ajv.compile({ type: 'string', format });
    let acceptedCount = 0;
    fc.assert(
      fc.property(strings, (text) => {
        const isAccepted = leafFault(text, format as Leaf) === undefined;
        acceptedCount += isAccepted ? 1 : 0;
        expect(isAccepted && !validate(text)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
    expect(acceptedCount).toBeGreaterThan(50);
  });
});
