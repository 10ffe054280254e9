import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/capillary/json.ts';
import { codesOf, contextOf, eventWith, messagesOf } from './mapping-rig.ts';

const identityMapOf = async (person: JsonObject, identity: object = {}) => {
  const event = eventWith('pointsExpired', { customerIdentifiers: person });
  const mapped = await messagesOf(event, contextOf({ destination: { identity } }));
  return {
    map: mapped.event['identityMap'] as Record<string, { id: string; primary: boolean }[]>,
    codes: codesOf(mapped),
  };
};

const full = {
  customerId: 11,
  instore: { mobile: '9845012345', email: ' A.B@Example.ORG ', externalId: 'X-1', cardNumbers: ['C-1'] },
};

describe('identityMap', () => {
  it('holds every identity that has a namespace, normalised, once, none of them claimed as authenticated', async () => {
    const { map, codes } = await identityMapOf({
      ...full,
      line: {
        accounts: [{ identifiers: [{ identifierType: 'email', identifierValue: 'a.b@example.org' }] }],
      },
    });

    expect(map).toEqual({
      capillaryId: [{ id: '11', authenticatedState: 'ambiguous', primary: true }],
      loyaltyId: [{ id: 'X-1', authenticatedState: 'ambiguous', primary: false }],
      Email: [{ id: 'a.b@example.org', authenticatedState: 'ambiguous', primary: false }],
      Phone: [{ id: '+919845012345', authenticatedState: 'ambiguous', primary: false }],
    });
    expect(codes).toEqual([]);
  });

  it('makes the configured kind primary, whatever the namespaces are called', async () => {
    const { map, codes } = await identityMapOf(full, {
      primary: 'cardNumber',
      namespaces: { cardNumber: 'card', email: 'Email' },
    });

    expect(map).toMatchObject({ card: [{ id: 'C-1', primary: true }], Email: [{ primary: false }] });
    expect(Object.keys(map)).toEqual(['card', 'Email']);
    expect(codes).toEqual([]);
  });

  it('falls back on the customerId, then on what there is, and says so', async () => {
    const primary = { primary: 'email' };
    const withId = await identityMapOf({ customerId: 11, instore: { externalId: 'X-1' } }, primary);
    const without = await identityMapOf({ instore: { mobile: '9845012345' } }, primary);

    expect(withId.map).toMatchObject({ capillaryId: [{ primary: true }], loyaltyId: [{ primary: false }] });
    expect(without.map).toMatchObject({ Phone: [{ primary: true }] });
    expect(withId.codes).toEqual(['primary-fallback identityMap']);
    expect(without.codes).toEqual(['primary-fallback identityMap']);
  });

  it('has one primary where two kinds share a namespace', async () => {
    const { map } = await identityMapOf(
      { customerId: 11, instore: { externalId: 'X-1', cardNumbers: ['X-1', 'C-2'] } },
      {
        primary: 'externalId',
        namespaces: { externalId: 'loyaltyId', cardNumber: 'loyaltyId', customerId: 'loyaltyId' },
      },
    );

    expect(map['loyaltyId']?.map(({ id, primary }) => `${id} ${primary}`)).toEqual([
      'X-1 true',
      '11 false',
      'C-2 false',
    ]);
  });

  it('takes 20 identities, the primary among them', async () => {
    const cardNumbers = Array.from({ length: 40 }, (_, index) => `C-${index}`);
    const { map, codes } = await identityMapOf(
      { customerId: 11, instore: { cardNumbers } },
      { namespaces: { customerId: 'capillaryId', cardNumber: 'card' } },
    );

    expect(Object.values(map).flat()).toHaveLength(20);
    expect(map['capillaryId']).toMatchObject([{ primary: true }]);
    expect(codes).toEqual(['too-many-identities identityMap']);
  });

  it.each([
    ['mobile', 'e3b0c44298fc1c149afbf4c8996fb924', 'not-a-phone'],
    ['mobile', '9999999999', 'not-a-phone'],
    ['email', '5d41402abc4b2a76b9719d911017c592', 'not-an-email'],
    ['email', 'noemail@example.org', 'placeholder'],
    ['externalId', 'NA', 'placeholder'],
    ['externalId', '000', 'placeholder'],
    ['externalId', 'x'.repeat(1_025), 'too-long'],
  ])('leaves out %s %s', async (field, value, code) => {
    const { map, codes } = await identityMapOf({ customerId: 11, instore: { [field]: value } });

    expect(Object.keys(map)).toEqual(['capillaryId']);
    expect(codes).toEqual([`${code} data.customerIdentifiers.instore.${field}`]);
  });
});

const merge = (victim: JsonValue) =>
  eventWith('loyaltyCustomerMerge', {
    customerIdentifiers: null,
    survivorCustomerIdentifiers: { customerId: 5 },
    victimCustomerIdentifiers: victim,
  });

describe('a merge', () => {
  it('links the two customers and folds the one into the other', async () => {
    const mapped = await messagesOf(merge({ customerId: 6 }));

    expect(mapped.event['identityMap']).toMatchObject({
      capillaryId: [
        { id: '5', primary: true },
        { id: '6', primary: false },
      ],
    });
    expect(mapped.profile?.attributes.get('identityMap.capillaryId')).toEqual(['5']);
    expect(mapped.profile?.foldFrom).toMatch(/^[0-9a-f]{64}$/);
  });

  it('folds nothing of nobody, nor a customer into itself', async () => {
    const nobodies: JsonValue[] = [{}, null, { customerId: 'x' }, { customerId: 5 }];
    for (const victim of nobodies) {
      const mapped = await messagesOf(merge(victim));
      expect(mapped.profile).toBeUndefined();
      expect(mapped.event['identityMap']).toMatchObject({ capillaryId: [{ id: '5' }] });
    }
  });
});
