import { describe, expect, it } from 'vitest';
import type { IdentifierKind } from '../../src/capillary/identifiers.ts';
import { laneKeyOf } from '../../src/capillary/event-identity.ts';
import { isDummyPhone, isNothing, placeholderFault } from '../../src/capillary/placeholder-values.ts';

function faultsOf(kind: IdentifierKind, values: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(values.map((value) => [value, placeholderFault(kind, value)]));
}

function each(values: readonly string[], code: string | undefined): Record<string, string | undefined> {
  return Object.fromEntries(values.map((value) => [value, code]));
}

describe('an e-mail address is nobody’s', () => {
  it.each([
    ['no mailbox', ['no@no.com', 'noemail@brand.com', 'noemail1@brand.com', 'NoEmail_7@brand.com']],
    [
      'no mailbox',
      ['no-email@brand.com', 'nomail.x@brand.com', 'not.available@brand.com', 'noname@brand.com'],
    ],
    ['a number of nobody', ['na-45@brand.com', 'no_7@brand.com', 'NA@brand.com', 'na-customer@brand.com']],
    ['a trial', ['test@brand.com', 'test12@brand.com', 'test.user@brand.com', 'testing@brand.com']],
    ['a trial', ['dummy@brand.com', 'dummy-1@brand.com', 'dummycustomer@brand.com', 'fake3@brand.com']],
    [
      'a passer-by',
      ['walkin@store.com', 'walk-in@store.com', 'walkin12@store.com', 'walkin.mumbai@store.com'],
    ],
    ['a passer-by', ['walkincustomer@store.com', 'guest@brand.com', 'guest12@brand.com']],
    [
      'a role',
      ['info@brand.com', 'admin@brand.com', 'support@brand.com', 'noreply@brand.com', 'sales@brand.com'],
    ],
    ['a role', ['no-reply@brand.com', 'do_not_reply@brand.com', 'care@brand.com', 'customer.care@brand.com']],
    ['a store', ['store@brand.com', 'store12@brand.com', 'store-12@brand.com', 'pos3@brand.com']],
    [
      'a short pattern',
      ['a@a.com', 'ab@ab.in', 'abc@gmail.com', 'xyz@gmail.com', 'asdf@gmail.com', 'xxx@gmail.com'],
    ],
    ['digits', ['1234567890@gmail.com', '9999999999@gmail.com', '9876500000@gmail.com', '0@gmail.com']],
    ['a domain', ['9845012345@noemail.com', 'asha@nomail.com', 'asha@none.com', 'asha@test.co.in']],
    [
      'a template',
      ['{{email}}', '${email}@x.com', '%email%', '<%= email %>', '*|EMAIL|*', '[object Object]'],
    ],
    ['a word', ['(null)', 'null', 'NA', 'N/A', 'undefined', '-']],
    ['no person', ['nobody@brand.com', 'no-one@brand.com', 'email@email.com', 'e-mail@brand.com']],
  ])('%s: %s', (_kind, values) => {
    expect(faultsOf('email', values)).toEqual(each(values, 'placeholder'));
  });

  it('unless it only looks alike', () => {
    const real = [
      'norah',
      'noor',
      'noel',
      'noah.12',
      'nobel',
      'norman',
      'nolan',
      'no.mu',
      'nina',
      'nana',
      'naomi',
      'nathan',
      'naveen',
      'nair12',
      'na.kim',
      'nan',
      'nader-1',
      'testa',
      'testaverde',
      'dummett',
      'walker',
      'walkington',
      'guestrin',
      'guest1985',
      'guest.c',
      'shopna',
      'storey',
      'infante',
      'adminah',
      'salesh',
      'caren',
      'carey',
      'supriya',
      'helpman',
      'contactin',
      'anon',
      'abcde',
      'a.b',
      '9845012345',
      'temple',
      '1000000012',
      'customer12',
      'till',
      'rootes',
      'samplea',
      'democh',
      'o’neil',
    ].map((local) => `${local}@gmail.com`);
    const domains = [
      'joe@joe.com',
      'kari@no.abb.com',
      'a@ab.com',
      'a@b.co',
      'asha@north.com',
      'x@example.org',
    ];
    expect(faultsOf('email', [...real, ...domains])).toEqual(each([...real, ...domains], undefined));
  });

  it('or if it is masked', () => {
    const masked = ['a***@x.com', 'a*@x.com', 'as••@x.com', '****'];
    expect(faultsOf('email', masked)).toEqual(each(masked, 'masked'));
  });
});

describe('an id is nobody’s', () => {
  const none = [
    'NOT-CAPTURED',
    'not captured',
    'Not Available',
    '(null)',
    'NULL',
    'nil',
    'None',
    'N/A',
    'n.a.',
    '#N/A',
    '[object Object]',
    '{{externalId}}',
    '${x}',
    '{externalId}',
    '%externalId%',
    '<externalId>',
    '{}',
    '[]',
    '{"id":1}',
    '{id=1, name=x}',
    '[{"a":1}]',
    'Customer@1b6d3586',
    'TEST',
    'TEST12',
    'dummy-1',
    'Walk In',
    '0',
    '000',
    '-1',
    '---',
    '00000000-0000-0000-0000-000000000000',
    '1111111111',
    '1234567890',
    'noId',
    'no',
    'true',
    'Temp',
  ];
  it.each(['externalId', 'cardNumber'] as const)('%s', (kind) =>
    expect(faultsOf(kind, none)).toEqual(each(none, 'placeholder')),
  );

  it('unless it only looks alike', () => {
    const real = [
      'X-1',
      '007',
      '1111',
      '1000000012',
      '1000000000000012',
      '12345-AB',
      'NA12',
      'NAX',
      'N1',
      'NOTED',
      'T1',
      '{3F2504E0-4F89-11D3-9A0C-0305E82C3301}',
      '3f2504e0-4f89-11d3-9a0c-0305e82c3301',
      'TESTAROSSA',
      'NOID9',
      'GUEST1001',
      'a@b',
      'XXX',
      '50%',
      'A{1}',
      'id{}',
    ];
    expect(faultsOf('externalId', real)).toEqual(each(real, undefined));
  });

  it('or if it is masked', () => {
    const masked = ['****', 'XXXXXXXX1234', '****1234', '##1234##'.replaceAll('#', '###')];
    expect(faultsOf('externalId', masked)).toEqual(each(masked, 'masked'));
  });
});

it('long hostile values take no time', () => {
  const start = performance.now();
  for (const unit of ['{', '{:', '[{"', '*', 'no-', 'a@', '%', '<', '1', '12'])
    for (const kind of ['email', 'externalId'] as const) placeholderFault(kind, unit.repeat(100_000));
  expect(performance.now() - start).toBeLessThan(2_000);
});

it('a phone number of one run or two', () => {
  const invented = ['9999999999', '9000000000', '1234567890', '9876543210', '9876500000', '9999988888'];
  const likely = [
    '9845012345',
    '9876501234',
    '9812300000',
    '9820098200',
    '99998888',
    '91234568',
    '7000070000',
  ];
  expect(invented.filter((digits) => !isDummyPhone(digits))).toEqual([]);
  expect(likely.filter(isDummyPhone)).toEqual([]);
});

it('a word for nothing, in any spelling', () => {
  expect(['n/a', '(NULL)', ' none ', '"null"', 'not_known', '.'].every(isNothing)).toBe(true);
  expect(['Nadia', 'Nullman', 'Noneya', 'Undine', 'x'].some(isNothing)).toBe(false);
});

it('the lane of an event without a customer is never that of a placeholder', () => {
  const keyOf = (instore: object) => laneKeyOf({ customerIdentifiers: { instore: { ...instore } } });
  expect(keyOf({ externalId: 'NOT-CAPTURED', email: 'Asha@example.org' })).toBe('email:asha@example.org');
  expect(keyOf({ email: 'no@no.com', mobile: '919999999999', cardnumber: 'C-1' })).toBe('cardNumber:C-1');
  expect(keyOf({ externalId: '(null)', mobile: '98******45' })).toBeUndefined();
});
