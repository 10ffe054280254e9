import { describe, expect, it } from 'vitest';
import { identifierKindOf, releasedProfilesIn } from '../../src/capillary/identifier-release.ts';
import type { JsonObject, JsonValue } from '../../src/capillary/json.ts';
import { customerIdOf } from '../../src/capillary/person.ts';

const phone = { kind: 'phone', value: '919845099999' };

function releasedIn(profile: JsonValue) {
  return releasedProfilesIn({ mergeEventId: 'm-1', profiles: [profile] }).map(
    ({ customerId, identifiers }) => ({
      customerId,
      identifiers: identifiers.map(({ kind, value }) => ({ kind, value })),
    }),
  );
}

describe('the profiles of an identifierReleased', () => {
  it.each<[string, JsonObject]>([
    ['in-store', { customerId: 7002, instore: { mobile: '919845099999' } }],
    [
      'customerIdentifiers',
      { customerIdentifiers: { customerId: 7002, instore: { mobile: '919845099999' } } },
    ],
    [
      'an account',
      {
        userId: '7002',
        web_engage: {
          accounts: [
            { accountId: '1', identifiers: [{ identifierType: 'mobile', identifierValue: '919845099999' }] },
          ],
        },
      },
    ],
    [
      'accounts of the profile',
      {
        userId: 7002,
        accounts: [
          { accountId: '1', identifiers: [{ identifierType: 'mobile', identifierValue: '919845099999' }] },
        ],
      },
    ],
    [
      'type and value',
      {
        entityInformation: { entityType: 'USER', entityId: 7002 },
        identifiers: [{ type: 'MOBILE', value: '919845099999' }],
      },
    ],
    ['fields', { customerId: 7002, mobile: 919845099999 }],
    ['an object', { customerId: 7002, identifiers: { mobile: '919845099999' } }],
  ])('are read with identifiers as %s', (_form, profile) => {
    expect(releasedIn(profile)).toEqual([{ customerId: '7002', identifiers: [phone] }]);
    expect(customerIdOf({ releasedAt: 1, profiles: [profile] })).toBe('7002');
  });

  it('can be just ids, and the survivor is none of them', () => {
    const profiles: JsonValue[] = [{ customerId: 7001, role: 'SURVIVOR' }, 7002, { customerId: '7003' }];

    expect(releasedProfilesIn({ mergeEventId: 'm', profiles })).toEqual([
      { customerId: '7002', identifiers: [] },
      { customerId: '7003', identifiers: [] },
    ]);
    expect(customerIdOf({ mergeEventId: 'm', profiles })).toBe('7002');
  });

  it('are the customerIdentifiers if there are no others', () => {
    const data = {
      mergeEventId: 'm',
      customerIdentifiers: { customerId: 7002, instore: { email: 'a@b.co' } },
    };

    expect(releasedProfilesIn(data)).toMatchObject([
      { customerId: '7002', identifiers: [{ kind: 'email', value: 'a@b.co' }] },
    ]);
  });

  it('are the customerIdentifiers, with no other field of the event', () => {
    const data = { customerIdentifiers: { customerId: 7002, instore: { mobile: '919845099999' } } };

    expect(releasedProfilesIn(data)).toMatchObject([{ customerId: '7002', identifiers: [phone] }]);
  });

  it('are the victim if the event names both customers of the merge', () => {
    const data = {
      mergeEventId: 'm',
      survivorCustomerIdentifiers: { customerId: 7001 },
      victimCustomerIdentifiers: { customerId: 7002, instore: { mobile: '919845099999' } },
    };

    expect(releasedProfilesIn(data)).toMatchObject([{ customerId: '7002', identifiers: [phone] }]);
  });

  it.each<JsonObject>([{ mergeEventId: 'm', profiles: 'none' }, { mergeEventId: 'm' }])(
    'are none in %j',
    (data) => {
      expect(releasedProfilesIn(data)).toEqual([]);
      expect(customerIdOf(data)).toBeUndefined();
    },
  );

  it('name no customer in the data of another event', () => {
    expect(customerIdOf({ profiles: [{ customerId: 1 }] })).toBeUndefined();
  });
});

it('names of identifiers are read in any spelling', () => {
  const names = [
    'mobile',
    'MOBILE',
    'Mobile Number',
    'emailId',
    'e-mail',
    'external_id',
    'cardnumber',
    'Card-Number',
    'cuid',
  ];
  expect(names.map(identifierKindOf)).toEqual([
    'phone',
    'phone',
    'phone',
    'email',
    'email',
    'externalId',
    'cardNumber',
    'cardNumber',
    undefined,
  ]);
});
