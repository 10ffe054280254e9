import { type CountryCode, getCountries, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import mobileExamples from 'libphonenumber-js/mobile/examples';
import { describe, expect, it } from 'vitest';
import { listedMobile } from '../../src/mapping/mobile-ranges.ts';
import { createRandom } from '../../src/simulator/random.ts';

/** What the library's parser finds, with the interpretations in the order of `toE164`. */
function parsedMobile(digits: string, home: CountryCode | undefined): string | undefined {
  const candidates = [
    ...(home === undefined ? [] : [ownCode(digits, home), parsePhoneNumberFromString(digits, home)]),
    parsePhoneNumberFromString(`+${digits}`),
  ];
  return candidates.find((phone) => phone?.getType()?.includes('MOBILE') === true)?.number;
}

function ownCode(digits: string, home: CountryCode) {
  const phone = parsePhoneNumberFromString(`+${digits}`);
  const own = parsePhoneNumberFromString(mobileExamples[home] ?? '', home)?.countryCallingCode;
  return phone?.countryCallingCode === own ? phone : undefined;
}

function textOf(digits: string, home: CountryCode | undefined): string | undefined {
  const found = listedMobile(digits, home);
  return found && `+${found.callingCode}${found.national}`;
}

const random = createRandom(17);
const digit = (): string => String(Math.floor(random() * 10));
const countries = getCountries();

/** The example of a country with some of its last digits changed, with or without calling code. */
function numberLike(country: CountryCode): string {
  const example = mobileExamples[country] ?? '';
  const kept = Math.floor(random() * example.length);
  const national = example.slice(0, kept) + Array.from(example.slice(kept), digit).join('');
  const phone = parsePhoneNumberFromString(example, country);
  return random() < 0.5 ? national : `${phone?.countryCallingCode ?? ''}${national}`;
}

describe('numbers of the lists', () => {
  it('are those that the parser of the library finds, for each country as home and for none', () => {
    const found: { digits: string; home: CountryCode | undefined; number: string }[] = [];
    for (const country of countries) {
      for (let round = 0; round < 24; round += 1) {
        const digits = numberLike(country);
        const other = countries[Math.floor(random() * countries.length)];
        for (const home of [country, undefined, 'GB', 'IN', 'US', other] as const) {
          const number = textOf(digits, home);
          if (number !== undefined) found.push({ digits, home, number });
        }
      }
    }
    const parsed = found.map(({ digits, home }) => ({ digits, home, number: parsedMobile(digits, home) }));

    expect(found.length).toBeGreaterThan(10_000);
    expect(found).toEqual(parsed);
  });

  it.each([
    ['447400123456', 'GB', '+447400123456'],
    ['7400123456', 'GB', '+447400123456'],
    ['919876501234', 'GB', '+919876501234'],
    ['9876501234', 'IN', '+919876501234'],
    ['919876501234', undefined, '+919876501234'],
    ['2133734253', 'US', '+12133734253'],
  ] as const)('%s in %s is known without parsing', (digits, home, expected) => {
    expect(textOf(digits, home)).toBe(expected);
  });

  it.each([
    ['07400123456', 'GB'],
    ['442071838750', 'GB'],
    ['1234567', 'IN'],
    ['0000000000', undefined],
    ['999999999999', undefined],
  ] as const)('%s in %s is left to the parser', (digits, home) => {
    expect(textOf(digits, home)).toBeUndefined();
  });
});
