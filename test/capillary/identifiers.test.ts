import { describe, expect, it } from 'vitest';
import { idText, identifiersOf } from '../../src/capillary/identifiers.ts';

describe('idText', () => {
  it.each([
    [379499720, '379499720'],
    [379499720.0, '379499720'],
    ['379499720.0', '379499720'],
    [' LOY-1 ', 'LOY-1'],
    ['9007199254740993', '9007199254740993'],
    [0, '0'],
  ])('%j is the id %s', (value, expected) => expect(idText(value)).toBe(expected));

  it.each([1.5, 2 ** 60, Number.NaN, '', '  ', null, true, undefined])('%s is not an id', (value) =>
    expect(idText(value as never)).toBeUndefined(),
  );
});

function account(type: string, value: unknown) {
  return {
    accounts: [{ identifiers: [{ identifierType: type, identifierValue: value }, null, {}] }, 'x'],
  };
}

describe('identifiersOf', () => {
  it('returns in-store identifiers first, then those of linked accounts in a fixed order', () => {
    const person = {
      website: account('email', 'w@example.org'),
      line: account('MOBILE', 447700900123),
      facebook: account('unionId', 'u'),
      instore: { mobile: '1', email: ' e ', externalId: 9, cardnumber: 'c', cardNumbers: ['d', null, 5] },
      customerId: 1,
    };

    expect(identifiersOf(person as never).map(({ kind, value, path }) => `${kind} ${value} ${path}`)).toEqual(
      [
        'phone 1 instore.mobile',
        'email e instore.email',
        'externalId 9 instore.externalId',
        'cardNumber c instore.cardnumber',
        'cardNumber d instore.cardNumbers[0]',
        'cardNumber 5 instore.cardNumbers[2]',
        'phone 447700900123 line.accounts[0].identifiers[0].identifierValue',
        'email w@example.org website.accounts[0].identifiers[0].identifierValue',
      ],
    );
  });
});
