import { describe, expect, it } from 'vitest';
import { laneOf } from '../../src/capillary/event-identity.ts';
import type { JsonObject, JsonValue } from '../../src/capillary/json.ts';
import { victimLaneOf } from '../../src/mapping/identities.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import { codesOf, contextOf, eventWith, messagesOf } from './mapping-rig.ts';

async function identityMapOf(person: JsonObject, identity: object = {}) {
  const event = eventWith('pointsExpired', { customerIdentifiers: person });
  const mapped = await messagesOf(event, contextOf({ destination: { identity } }));
  return {
    map: mapped.event['identityMap'] as Record<string, { id: string; primary: boolean }[]>,
    codes: codesOf(mapped),
  };
}

const full = {
  customerId: 11,
  instore: { mobile: '9845012345', email: ' A.B@Example.ORG ', externalId: 'X-1', cardNumbers: ['C-1'] },
};

describe('identityMap', () => {
  it('has every identity with a namespace, normalized, once and as ambiguous', async () => {
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

  it('makes the configured kind primary, whatever the names of the namespaces', async () => {
    const { map, codes } = await identityMapOf(full, {
      primary: 'cardNumber',
      namespaces: { cardNumber: 'card', email: 'Email' },
    });

    expect(map).toMatchObject({ card: [{ id: 'C-1', primary: true }], Email: [{ primary: false }] });
    expect(Object.keys(map)).toEqual(['card', 'Email']);
    expect(codes).toEqual([]);
  });

  it('falls back to the customerId, then to any other identity, with a note', async () => {
    const primary = { primary: 'email' };
    const withId = await identityMapOf({ customerId: 11, instore: { externalId: 'X-1' } }, primary);
    const without = await identityMapOf({ instore: { mobile: '9845012345' } }, primary);

    expect(withId.map).toMatchObject({ capillaryId: [{ primary: true }], loyaltyId: [{ primary: false }] });
    expect(without.map).toMatchObject({ Phone: [{ primary: true }] });
    expect(withId.codes).toEqual(['primary-fallback identityMap']);
    expect(without.codes).toEqual(['primary-fallback identityMap']);
  });

  it('has one primary identity if two kinds share a namespace', async () => {
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

  it('has at most 20 identities, with the primary one', async () => {
    const cardNumbers = Array.from({ length: 40 }, (_, index) => `C-${index}`);
    const { map, codes } = await identityMapOf(
      { customerId: 11, instore: { cardNumbers } },
      { namespaces: { customerId: 'capillaryId', cardNumber: 'card' } },
    );

    expect(Object.values(map).flat()).toHaveLength(20);
    expect(map['capillaryId']).toMatchObject([{ primary: true }]);
    expect(codes).toEqual(['too-many-identities identityMap']);
  });

  it('prefers the customer ids and one of each kind over a second of any kind', async () => {
    const cardNumbers = Array.from({ length: 40 }, (_, index) => `C-${index}`);
    const { map } = await identityMapOf(
      { customerId: 11, instore: { cardNumbers, email: 'a@example.org', mobile: '9845012345' } },
      {
        primary: 'cardNumber',
        namespaces: { customerId: 'crm', cardNumber: 'card', email: 'Email', phone: 'Phone' },
      },
    );

    expect(Object.fromEntries(Object.entries(map).map(([name, items]) => [name, items.length]))).toEqual({
      card: 17,
      crm: 1,
      Email: 1,
      Phone: 1,
    });
    expect(map['card']?.map(({ id, primary }) => `${id} ${primary}`).slice(0, 2)).toEqual([
      'C-0 true',
      'C-1 false',
    ]);
  });

  it('uses the configured codes and leaves out kinds without one', async () => {
    const { map, codes } = await identityMapOf(
      { customerId: 11, instore: { mobile: '9845012345', email: 'a@example.org', externalId: 'X-1' } },
      { primary: 'email', namespaces: { email: 'acmeMail', phone: 'acme-tel' } },
    );

    expect(map).toEqual({
      acmeMail: [{ id: 'a@example.org', authenticatedState: 'ambiguous', primary: true }],
      'acme-tel': [{ id: '+919845012345', authenticatedState: 'ambiguous', primary: false }],
    });
    expect(codes).toEqual([]);
  });

  it.each([
    ['email', ' First.Last+Tag@Sub.Example.ORG ', 'Email', 'first.last+tag@sub.example.org'],
    ['email', "o'neil_7@example.co", 'Email', "o'neil_7@example.co"],
    ['email', 'x@xn--bcher-kva.example', 'Email', 'x@xn--bcher-kva.example'],
    ['externalId', '379499720.0', 'loyaltyId', '379499720'],
    ['externalId', 379499720, 'loyaltyId', '379499720'],
    ['externalId', '007', 'loyaltyId', '007'],
    ['externalId', '1111', 'loyaltyId', '1111'],
    ['externalId', 'X'.repeat(3), 'loyaltyId', 'XXX'],
    ['externalId', 'id '.repeat(341), 'loyaltyId', 'id '.repeat(341).trim()],
    ['externalId', 'é'.repeat(1_024), 'loyaltyId', 'é'.repeat(1_024)],
    ['externalId', '5d41402abc4b2a76b9719d911017c592', 'loyaltyId', '5d41402abc4b2a76b9719d911017c592'],
  ])('accepts %s %s', async (field, value, namespace, id) => {
    const { map, codes } = await identityMapOf({ customerId: 11, instore: { [field]: value } });

    expect(map[namespace]?.map((identity) => identity.id)).toEqual([id]);
    expect(codes).toEqual([]);
  });

  it.each([
    ['mobile', 'e3b0c44298fc1c149afbf4c8996fb924', 'not-a-phone'],
    ['mobile', 'a9993e364706816aba3e25717850c26c9cd0d89d', 'not-a-phone'],
    ['mobile', '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=', 'not-a-phone'],
    ['mobile', '9999999999', 'placeholder'],
    ['mobile', '98******45', 'masked'],
    ['mobile', '98XXXXXX45', 'masked'],
    ['mobile', '*'.repeat(100_000), 'too-long'],
    ['email', '5d41402abc4b2a76b9719d911017c592', 'not-an-email'],
    ['email', 'noemail@example.org', 'placeholder'],
    ['email', 'No_Email@example.com', 'placeholder'],
    ['email', 'NA@example.com', 'placeholder'],
    ['email', 'test@example.com', 'placeholder'],
    ['email', 'no-reply@example.com', 'placeholder'],
    ['email', 'xxx@example.com', 'placeholder'],
    ['email', '0000@example.com', 'placeholder'],
    ['email', '1234567890@example.com', 'placeholder'],
    ['email', 'a***a@example.org', 'masked'],
    ['email', 'a*@example.org', 'masked'],
    ['email', 'axxxxxa@example.org', 'masked'],
    ['email', 'asha@bücher.example', 'not-an-email'],
    ['email', 'asha@💌.example', 'not-an-email'],
    ['email', '💌@example.org', 'not-an-email'],
    ['email', 'asha@localhost', 'not-an-email'],
    ['email', 'asha@192.168.0.1', 'not-an-email'],
    ['email', '\u212aim@example.org', 'not-an-email'],
    ['email', 'asha@example.org, kim@example.org', 'not-an-email'],
    ['email', `${'a'.repeat(1_024)}@example.org`, 'too-long'],
    ['externalId', 'NA', 'placeholder'],
    ['externalId', 'n/a', 'placeholder'],
    ['externalId', 'Not Available', 'placeholder'],
    ['externalId', 'unknown', 'placeholder'],
    ['externalId', 0, 'placeholder'],
    ['externalId', '0.0', 'placeholder'],
    ['externalId', -1, 'placeholder'],
    ['externalId', '---', 'placeholder'],
    ['externalId', '000', 'placeholder'],
    ['externalId', '1111111111111111', 'placeholder'],
    ['externalId', '1234567890', 'placeholder'],
    ['externalId', 'XXXXXXXXXXXX1234', 'masked'],
    ['externalId', '************1234', 'masked'],
    ['externalId', '••••1234', 'masked'],
    ['externalId', 'id\ud800', 'not-an-id'],
    ['externalId', 'id\u0000', 'not-an-id'],
    ['externalId', 'a'.repeat(1_025), 'too-long'],
    ['cardnumber', 'NA', 'placeholder'],
    ['cardnumber', '0000000000000000', 'placeholder'],
  ])('leaves out %s %s', async (field, value, code) => {
    const { map, codes } = await identityMapOf({ customerId: 11, instore: { [field]: value } });

    expect(Object.keys(map)).toEqual(['capillaryId']);
    expect(codes).toEqual([`${code} data.customerIdentifiers.instore.${field}`]);
  });

  it.each([0, -1, '0', 'NA', 1.5, '12345678901234567890', true])(
    'does not accept the customerId %j',
    async (customerId) => {
      const { map } = await identityMapOf({ customerId, instore: { externalId: 'X-1' } });

      expect(map).toEqual({ loyaltyId: [{ id: 'X-1', authenticatedState: 'ambiguous', primary: true }] });
    },
  );
});

function merge(victim: JsonValue) {
  return eventWith('loyaltyCustomerMerge', {
    customerIdentifiers: null,
    survivorCustomerIdentifiers: { customerId: 5 },
    victimCustomerIdentifiers: victim,
  });
}

describe('a merge', () => {
  it('links the two customers and names the lane of the victim', async () => {
    const mapped = await messagesOf(merge({ customerId: 6 }));

    expect(mapped.event['identityMap']).toMatchObject({
      capillaryId: [
        { id: '5', primary: true },
        { id: '6', primary: false },
      ],
    });
    expect([...(mapped.profile?.attributes ?? [])]).toEqual([
      ['@merged[6]', 1],
      ['@id[customerId].slot[own]', '5'],
    ]);
    expect(victimLaneOf(merge({ customerId: 6 }))).toBe(laneOf(204731, '6'));
  });

  it('has the survivor only if the namespace is unique, and merges the lanes all the same', async () => {
    const context = contextOf({ destination: { identity: { linkMerged: false } } });
    const mapped = await messagesOf(merge({ customerId: 6 }), context);

    expect(mapped.event['identityMap']).toEqual({
      capillaryId: [{ id: '5', authenticatedState: 'ambiguous', primary: true }],
    });
    expect(mapped.event).toMatchObject({
      _acme: { capillary: { merge: { survivorId: '5', victimId: '6' } } },
    });
    expect(victimLaneOf(merge({ customerId: 6 }))).toBe(laneOf(204731, '6'));
  });

  it.each(['identifierReleased', 'customerMergeRequested'])(
    'is the only event that links two customers: %s does not',
    async (eventName) => {
      const { event } = await messagesOf({ ...merge({ customerId: 6 }), eventName });

      expect(event['identityMap']).toEqual({
        capillaryId: [{ id: '5', authenticatedState: 'ambiguous', primary: true }],
      });
    },
  );

  it('belongs to the survivor, even if only the victim has the primary kind of identity', async () => {
    const event = eventWith('loyaltyCustomerMerge', {
      customerIdentifiers: null,
      survivorCustomerIdentifiers: { instore: { email: 'asha@example.org' } },
      victimCustomerIdentifiers: { customerId: 6 },
    });
    const namespaces = { customerId: 'crm', externalId: 'loyaltyId' };
    const withoutEmail = contextOf({ destination: { identity: { namespaces } } });

    expect((await messagesOf(event)).event['identityMap']).toMatchObject({
      Email: [{ id: 'asha@example.org', primary: true }],
      capillaryId: [{ id: '6', primary: false }],
    });
    expect(await mapEvent(event, withoutEmail)).toMatchObject({ outcome: 'ignored', reason: 'no-identity' });
  });

  it('keeps the victim if there are more than 20 identities', async () => {
    const cardNumbers = Array.from({ length: 40 }, (_, index) => `C-${index}`);
    const event = eventWith('loyaltyCustomerMerge', {
      customerIdentifiers: null,
      survivorCustomerIdentifiers: { customerId: 5, instore: { cardNumbers } },
      victimCustomerIdentifiers: { customerId: 6 },
    });
    const namespaces = { customerId: 'crm', cardNumber: 'card' };
    const { event: entity } = await messagesOf(
      event,
      contextOf({ destination: { identity: { namespaces } } }),
    );
    const map = entity['identityMap'] as Record<string, unknown[]>;

    expect(map['crm']).toMatchObject([{ id: '5', primary: true }, { id: '6' }]);
    expect(map['card']).toHaveLength(18);
  });

  it('merges neither an unknown customer nor a customer with itself', async () => {
    const nobodies: JsonValue[] = [{}, null, { customerId: 'x' }, { customerId: 5 }];
    for (const victim of nobodies) {
      const mapped = await messagesOf(merge(victim));
      expect(mapped.profile).toBeUndefined();
      expect(victimLaneOf(merge(victim))).toBeUndefined();
      expect(mapped.event['identityMap']).toMatchObject({ capillaryId: [{ id: '5' }] });
    }
  });
});
