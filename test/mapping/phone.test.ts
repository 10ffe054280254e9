import { describe, expect, it } from 'vitest';
import { toE164 } from '../../src/mapping/phone.ts';

/**
 * Numbers of each country: calling code, national number, and the zero that people dial before it.
 */
const COUNTRIES = [
  { country: 'IN', code: '91', national: '9845012345', zero: '0' },
  { country: 'AE', code: '971', national: '501234568', zero: '0' },
  { country: 'SG', code: '65', national: '91234568', zero: '' },
  { country: 'MY', code: '60', national: '193456780', zero: '0' },
  { country: 'ID', code: '62', national: '81345678901', zero: '0' },
  { country: 'TH', code: '66', national: '812345678', zero: '0' },
  { country: 'GB', code: '44', national: '7911123456', zero: '0' },
  { country: 'US', code: '1', national: '4155552671', zero: '' },
  { country: 'BR', code: '55', national: '11987654321', zero: '0' },
  { country: 'DE', code: '49', national: '15123456789', zero: '0' },
  { country: 'AU', code: '61', national: '412345678', zero: '0' },
  { country: 'PH', code: '63', national: '9171234567', zero: '0' },
];

describe('a number of the source’s own country', () => {
  it.each(COUNTRIES)('$country', ({ country, code, national, zero }) => {
    const spaced = national.replace(/^(..)(....)/, '$1 $2-');
    const spellings = [
      national,
      `${zero}${national}`,
      `${zero}${spaced}`,
      `${code}${national}`,
      `${code} ${spaced}`,
      `0${code}${national}`,
      `+${code}${national}`,
      `+${code} (0) ${spaced}`,
      `(+${code}) ${spaced}`,
      `00${code}${national}`,
      `\u202a+${code}\u00a0${national}\u202c`,
    ].filter((spelling) => zero !== '' || !spelling.includes('(0)'));

    expect(Object.fromEntries(spellings.map((spelling) => [spelling, toE164(spelling, country)]))).toEqual(
      Object.fromEntries(spellings.map((spelling) => [spelling, `+${code}${national}`])),
    );
  });
});

describe('a number of another country', () => {
  const pairs = COUNTRIES.flatMap((home) => COUNTRIES.map((other) => [home.country, other] as const));

  it.each(pairs)('with a plus in %s, of $country', (home, { code, national }) =>
    expect(toE164(`+${code} ${national}`, home)).toBe(`+${code}${national}`),
  );

  const written: readonly (readonly [string, string])[] = [
    ['447911123456', 'IN'],
    ['971501234568', 'IN'],
    ['14155552671', 'IN'],
    ['4915123456789', 'IN'],
    ['5511987654321', 'IN'],
    ['66812345678', 'IN'],
    ...['AE', 'SG', 'MY', 'ID', 'TH', 'GB', 'US', 'BR', 'DE'].map((home) => ['919845012345', home] as const),
  ];
  it.each(written)('%s without a plus in %s', (digits, home) =>
    expect(toE164(digits, home)).toBe(`+${digits}`),
  );
});

describe('toE164', () => {
  it.each([
    ['919845012345', 'IN', '+919845012345'],
    ['9845012345', 'IN', '+919845012345'],
    ['09845012345', 'IN', '+919845012345'],
    ['+91 98450-12345', 'IN', '+919845012345'],
    ['447911123456', 'IN', '+447911123456'],
    ['00447911123456', 'IN', '+447911123456'],
    ['447700900123', 'GB', '+447700900123'],
    ['447700900123', 'IN', '+447700900123'],
    ['447700900123', undefined, '+447700900123'],
    ['447700900123', 'ZZ', '+447700900123'],
    ['(415) 555-2671', 'US', '+14155552671'],
    ['6591234567', undefined, '+6591234567'],
    ['6391234567', 'IN', '+916391234567'],
    ['030 123456', 'DE', '+4930123456'],
    ['011447911123456', 'US', '+447911123456'],
    ['5215512345678', 'MX', '+525512345678'],
    ['+52 1 55 1234 5678', 'IN', '+525512345678'],
    ['005215512345678', undefined, '+525512345678'],
    ['5512345678', 'MX', '+525512345678'],
    ['525512345678', 'MX', '+525512345678'],
    ['011 15 5123-4567', 'AR', '+5491151234567'],
    ['9876501234', 'IN', '+919876501234'],
    ['9812300000', 'IN', '+919812300000'],
    ['9900012345', 'IN', '+919900012345'],
    ['9820098200', 'IN', '+919820098200'],
    ['9000012345', 'IN', '+919000012345'],
    ['99998888', 'SG', '+6599998888'],
    ['4155550000', 'US', '+14155550000'],
  ])('%s in %s is %s', (text, country, expected) => expect(toE164(text, country)).toBe(expected));

  it.each([
    ['e3b0c44298fc1c149afbf4c8996fb924', 'IN'],
    ['91796400001', 'IN'],
    ['9999999999', 'IN'],
    ['919999999999', 'IN'],
    ['0000000000', 'IN'],
    ['1234567890', 'IN'],
    ['911234567890', 'IN'],
    ['5555555555', undefined],
    ['9845012345', undefined],
    ['12345', 'IN'],
    ['6300000000001001', 'IN'],
    ['cuid_91796400001', 'IN'],
    ['9876543210', 'IN'],
    ['9000000000', 'IN'],
    ['9876500000', 'IN'],
    ['9999988888', 'IN'],
    ['+91 99999 88888', 'AE'],
    ['9123456789', 'IN'],
    ['9811111111', 'IN'],
    ['9191919191', 'IN'],
    ['9999912345', 'IN'],
    ['5215555555555', 'MX'],
    ['551187654321', 'BR'],
    ['8888888888', 'IN'],
    ['+919999999999', 'AE'],
    ['1234567890', 'US'],
    ['2222222222', 'US'],
    ['88888888', 'SG'],
    ['90000000', 'SG'],
    ['87654321', 'SG'],
    ['0123456789', 'MY'],
    ['123456789', 'TH'],
    ['99999999999', 'BR'],
    ['00000000000000', 'IN'],
    ['12345678901234567890123456789012', 'IN'],
    ['98******45', 'IN'],
    ['9.845012345E9', 'IN'],
    ['٩٨٤٥٠١٢٣٤٥', 'IN'],
    ['++919845012345', 'IN'],
    ['9845012345 / 9845012346', 'IN'],
    ['9845012345 ext 5', 'IN'],
    ['+', 'IN'],
    ['', 'IN'],
  ])('%s in %s is invalid', (text, country) => expect(toE164(text, country)).toBeUndefined());
});

it('a number is parsed the same again, for each country, however many came in between', () => {
  const readAll = (): unknown[] =>
    ['IN', 'SG', undefined].flatMap((country) =>
      ['91234568', '919845012345', '9999999999', 'hash'].map((text) => toE164(text, country)),
    );
  const first = readAll();
  expect(readAll()).toEqual(first);
  for (let number = 0; number < 5_001; number += 1) {
    toE164(`91984501${String(number).padStart(4, '0')}`, 'IN');
  }
  expect(readAll()).toEqual(first);
  expect(first).toContain('+6591234568');
  expect(first.filter((phone) => phone === undefined).length).toBeGreaterThan(4);
});
