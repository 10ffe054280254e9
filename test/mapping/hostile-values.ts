import * as fc from 'fast-check';

/** Represents the number 1e999, which is valid in JSON and infinite in JavaScript. */
export const INFINITE = '@@1e999@@';

const DIGITS = '9845012345';

/** Values of every JSON type that no mapping expects. */
export const unexpected: fc.Arbitrary<unknown> = fc.constantFrom(
  null,
  true,
  '',
  ' \u00a0\t',
  '\ud800',
  'a\udc00b',
  '\u0000\u0001\u001f',
  '\u2028\u2029\u200b\ufeff',
  'null',
  'ก'.repeat(900),
  '👩‍👩‍👧‍👦'.repeat(90),
  '\u0007'.repeat(1_024),
  'x'.repeat(1_025),
  'x'.repeat(30_000),
  [],
  {},
  [[]],
  [null, '', {}],
  { '': '' },
  JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  { toString: 'x', valueOf: 1, hasOwnProperty: null },
  ['a', 1, { deep: [[[['b']]]] }],
);

export const number: fc.Arbitrary<unknown> = fc.constantFrom(
  0,
  -0,
  -1,
  12.5,
  -99_999_999_999.99,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 53 + 2,
  1e308,
  5e-324,
  INFINITE,
  'NaN',
  'Infinity',
  '-Infinity',
  '1e999',
  '0x10',
  '1,000.50',
  '1.000,50',
  '₹ 100',
  '١٢٣',
  '１２３',
  ' 41.25 ',
  '+7',
  '.5',
  '5.',
  '1_000',
  '99999999999999999999999999',
);

export const time: fc.Arbitrary<unknown> = fc.constantFrom(
  1_790_848_803,
  '1790848803',
  1_790_848_803_369,
  '1790848803369',
  '1.790848803369E12',
  1_790_848_803_369_000,
  '1790848803369000',
  0,
  -1,
  '0',
  253_402_300_799_999,
  '2026-10-01',
  '2026-10-01 23:59:60',
  '2026-03-29 02:30:00',
  '2026-10-01T10:00:00+0530',
  '2026-10-01T10:00:00',
  '0001-01-01T00:00:00Z',
  '9999-12-31',
  '0000-00-00 00:00:00',
  '2025-02-29',
  '2199-12-31',
  '01/10/2026',
  'yesterday',
);

export const phone: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(DIGITS, `91${DIGITS}`, Number(DIGITS), '98******45', '0000000000', '٩٨٤٥٠١٢٣٤٥', '+', '📞'),
  fc.string({ unit: fc.constantFrom(...'0123456789+-() .'.split('')), maxLength: 30 }),
);

export const email: fc.Arbitrary<unknown> = fc.oneof(
  fc.emailAddress(),
  fc.constantFrom(
    'asha@example.org',
    ' ASHA@EXAMPLE.ORG ',
    'asha+tag@example.org',
    'as.ha@example.org',
    '💌@example.org',
    'asha@💌.example',
    'asha@bücher.example',
    '\u212asha@example.org',
    'a***@example.org',
    'asha@localhost',
    'asha@127.0.0.1',
    'asha@example..org',
    '"as ha"@example.org',
    `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}`,
    'asha@example.org\u0000',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  ),
);

export const id: fc.Arbitrary<unknown> = fc.oneof(
  fc.integer({ min: -1, max: 2_000 }),
  fc.constantFrom(
    379_499_720,
    '379499720.0',
    0,
    '-1',
    'NA',
    'CARD-7',
    'card 7',
    '************1234',
    '99999999999999999999',
    '6300000000001001',
    'id\ufffd',
    'id\u0000',
    '__proto__',
  ),
  fc.string({ maxLength: 20 }),
);

export const text: fc.Arbitrary<unknown> = fc.constantFrom(
  'Asha',
  'กขค',
  '山田',
  'Ana "A" \\ \n',
  'RETURN',
  'GBP',
  'gbp',
  'Deleted',
);
