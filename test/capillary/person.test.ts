import { describe, expect, it } from 'vitest';
import { laneKeyOf, laneOf } from '../../src/capillary/event-identity.ts';
import { identifiersOf } from '../../src/capillary/identifiers.ts';
import type { JsonObject, JsonValue } from '../../src/capillary/json.ts';
import { customerIdOf, personOf } from '../../src/capillary/person.ts';

describe('customerIdOf', () => {
  const user = { entityType: 'USER', entityId: 7 };
  const group = { entityType: 'USERGROUP2', entityId: 8 };

  it.each([
    ['customerIdentifiers', { customerIdentifiers: { customerId: 5 }, entityInformation: user }, '5'],
    ['the survivor of a merge', { survivorCustomerIdentifiers: { customerId: '6' } }, '6'],
    ['the entity, if it is a user', { customerIdentifiers: {}, entityInformation: user }, '7'],
    [
      'the acting person of a group',
      { entityInformation: group, triggeringActivity: { entityInformation: user } },
      '7',
    ],
    ['nobody in a group', { entityInformation: group, triggeringActivity: {} }, undefined],
    ['not a word', { customerIdentifiers: { customerId: 'customerId' } }, undefined],
    ['not zero', { customerIdentifiers: { customerId: 0 } }, undefined],
    ['not -1', { customerIdentifiers: { customerId: -1 } }, undefined],
    ['not from a list', { customerIdentifiers: [5], entityInformation: [user] }, undefined],
  ])('%s', (_what, data, expected) => expect(customerIdOf(data as never)).toBe(expected));
});

describe('a customer named in the items of an event', () => {
  const coupon = (customerId: unknown, more = {}) => ({
    code: 'C',
    customerIdentifiers: { customerId, ...more },
  });

  it.each([
    ['of one coupon', { coupons: [coupon(5)] }, '5'],
    ['of every coupon', { coupons: [coupon(5), coupon('5.0')], customerIdentifiers: {} }, '5'],
    ['of every reward transaction', { transactionUpdates: [{ customerId: 5 }, { customerId: 5 }] }, '5'],
    ['not if there are two', { coupons: [coupon(5), coupon(6)] }, undefined],
    ['not if a coupon names nobody', { coupons: [coupon(5), { code: 'D' }] }, undefined],
    [
      'not if the event names somebody else',
      { coupons: [coupon(5)], customerIdentifiers: { customerId: 7 } },
      '7',
    ],
    [
      'not beside somebody without a customerId',
      { coupons: [coupon(5)], customerIdentifiers: { instore: { email: 'a@b.co' } } },
      undefined,
    ],
    ['not by e-mail alone', { coupons: [coupon(undefined, { instore: { email: 'a@b.co' } })] }, undefined],
    [
      'not from anything but a list of objects',
      { coupons: 'C', transactionUpdates: [5, null, [5]] },
      undefined,
    ],
  ])('%s', (_what, data, expected) => expect(customerIdOf(data as never)).toBe(expected));

  it('is the person of the event, in the same lane as their other events', () => {
    const data = { coupons: [null, coupon(5, { instore: { email: 'a@b.co' } })] } as never;

    expect(personOf(data)).toEqual({
      path: 'coupons[1].customerIdentifiers',
      identifiers: { customerId: 5, instore: { email: 'a@b.co' } },
    });
    expect(laneKeyOf(data)).toBe('5');
    expect(laneKeyOf({ coupons: [coupon(5), coupon(6)] } as never)).toBeUndefined();
  });
});

function member(customerIdentifiers: JsonValue): JsonObject {
  return { role: 'MEMBER', customerIdentifiers };
}

describe('the person of a group event', () => {
  const primaryMember = member({ customerId: 1, instore: { email: 'one@example.org' } });
  const acting = { triggeringActivity: { entityInformation: { entityType: 'USER', entityId: 9 } } };

  it.each([
    ['memberAdded', { primaryMember, memberAdded: member({ customerId: 2 }), ...acting }],
    ['memberRemoved', { primaryMember, memberRemoved: member({ customerId: 2 }), ...acting }],
    ['contributingMember', { contributingMember: member({ customerId: 2 }), primaryMember, ...acting }],
    ['primaryMember', { primaryMember: member({ customerId: 2 }), ...acting }],
  ])('is the %s', (name, data) => {
    expect(customerIdOf(data)).toBe('2');
    expect(laneKeyOf(data)).toBe('2');
    expect(personOf(data)).toEqual({
      identifiers: { customerId: 2 },
      path: `${name}.customerIdentifiers`,
    });
  });

  it.each([null, {}, member(null), member({})])(
    'is nobody if the member is %j, even if others are named',
    (one) => {
      const data = { primaryMember, memberAdded: one, ...acting };

      expect(customerIdOf(data)).toBeUndefined();
      expect(identifiersOf(personOf(data)?.identifiers ?? {})).toEqual([]);
      expect(laneKeyOf(data)).toBeUndefined();
    },
  );

  it('does not have the customerId of another member if it only has a phone', () => {
    const data = { primaryMember, memberAdded: member({ instore: { mobile: '919845067890' } }), ...acting };

    expect(customerIdOf(data)).toBeUndefined();
    expect(laneKeyOf(data)).toBe('phone:919845067890');
  });

  it('is the person in customerIdentifiers if the event has them', () => {
    const data = {
      customerIdentifiers: { instore: { mobile: '5' } },
      memberAdded: member({ customerId: 2 }),
    };

    expect(customerIdOf(data)).toBeUndefined();
    expect(laneKeyOf(data)).toBe('phone:5');
  });
});

describe('the person of a card event', () => {
  it('is identified by the card if the event names nobody', () => {
    expect(laneKeyOf({ cardNumber: 'C-9' })).toBe('cardNumber:C-9');
    expect(laneKeyOf({ cardNumber: 'C-9', customerIdentifiers: { customerId: 5 } })).toBe('5');
    expect(
      personOf({ cardNumber: 'C-9', entityInformation: { entityType: 'USER', entityId: 7 } }),
    ).toBeUndefined();
  });
});

describe('laneKeyOf', () => {
  it('uses the customer, else a stable identifier of the person, else the group', () => {
    const instore = { mobile: '+44 7700-900123', email: 'A@B.co', externalId: 'X-1' };

    expect(laneKeyOf({ customerIdentifiers: { customerId: 5, instore } })).toBe('5');
    expect(laneKeyOf({ customerIdentifiers: { instore } })).toBe('externalId:X-1');
    expect(laneKeyOf({ customerIdentifiers: { instore: { ...instore, externalId: '' } } })).toBe(
      'email:a@b.co',
    );
    expect(laneKeyOf({ customerIdentifiers: { instore: { mobile: instore.mobile } } })).toBe(
      'phone:447700900123',
    );
    expect(laneKeyOf({ customerIdentifiers: { instore: { cardNumbers: ['C9'] } } })).toBe('cardNumber:C9');
    expect(laneKeyOf({ entityInformation: { entityType: 'USERGROUP2', entityId: 88 } })).toBe('group:88');
    expect(laneKeyOf({ rewardId: 3 })).toBeUndefined();
  });

  it('is hashed separately for each organisation', () => {
    expect(laneOf(1, '5')).toMatch(/^[0-9a-f]{64}$/);
    expect(laneOf(1, '5')).not.toBe(laneOf(2, '5'));
  });
});
