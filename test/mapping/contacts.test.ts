import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/capillary/json.ts';
import { contactKey, fingerprint, maskContact } from '../../src/mapping/contact-key.ts';
import { isKnownContact } from '../../src/mapping/customer/known-contacts.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import { codesOf, contextOf, eventWith, messagesOf } from './mapping-rig.ts';
import { ANN, applyChange, entityOf, profileChange } from './customer/customer-rig.ts';

const AT = 1_794_000_000_000;

function updated(instore: JsonObject, customerId: number | undefined = 5) {
  return eventWith('customerUpdated', {
    firstName: 'Asha',
    customerIdentifiers: { ...(customerId === undefined ? {} : { customerId }), instore },
  });
}

/** Namespace → ids of a record. */
function idsOf(entity: JsonObject): Record<string, string[]> {
  const map = (entity['identityMap'] ?? {}) as Record<string, { id: string }[]>;
  return Object.fromEntries(Object.entries(map).map(([name, items]) => [name, items.map(({ id }) => id)]));
}

describe('contacts.ignore', () => {
  const ignore = [
    '*@store.example.com',
    '+919888877771',
    '98 4501-2345',
    '+9170000*',
    'Kiosk-*',
    'desk@x.org',
  ];
  const context = contextOf({ source: { contacts: { ignore } } });

  it.each([
    ['email', 'Till.4@Store.Example.com'],
    ['email', 'desk@x.org'],
    ['mobile', '9888877771'],
    ['mobile', '+91 98450 12345'],
    ['mobile', '917000012345'],
    ['externalId', 'KIOSK-12'],
    ['cardnumber', 'kiosk-1'],
  ])('makes %s %s neither an identity nor a contact attribute', async (field, value) => {
    const mapped = await messagesOf(updated({ [field]: value }), context);
    expect(idsOf(mapped.event)).toEqual({ capillaryId: ['5'] });
    expect(Object.fromEntries(mapped.profile?.attributes ?? [])).toEqual({
      '@id[customerId].slot[own]': '5',
      'person.name.firstName': 'Asha',
    });
    expect(codesOf(mapped)).toEqual([`ignored-contact data.customerIdentifiers.instore.${field}`]);
  });

  it.each([
    ['email', 'a@store.example.com.org', 'Email'],
    ['email', 'a@mystore.example.com', 'Email'],
    ['email', 'xdesk@x.org', 'Email'],
    ['mobile', '9888877772', 'Phone'],
    ['externalId', 'myKiosk-1', 'loyaltyId'],
  ])('leaves %s %s alone', async (field, value, namespace) => {
    const mapped = await messagesOf(updated({ [field]: value }), context);
    expect(Object.keys(idsOf(mapped.event))).toContain(namespace);
    expect(codesOf(mapped)).toEqual([]);
  });

  it('does not concern customer ids', async () => {
    const all = contextOf({ source: { contacts: { ignore: ['5'] } } });
    expect(idsOf((await messagesOf(updated({}), all)).event)).toEqual({ capillaryId: ['5'] });
  });

  it('applies to identities that were stored before', () => {
    const change = profileChange(AT, {
      'identityMap.Email': ['till@store.example.com', 'no@no.com', 'asha@example.org'],
      'identityMap.Phone': ['+919876500000', '+919845012346'],
    });
    const update = applyChange(change, { context });
    expect(idsOf(entityOf(update))).toEqual({
      capillaryId: ['5'],
      Email: ['asha@example.org'],
      Phone: ['+919845012346'],
    });
    expect(update.profile?.notes.map(({ code, path }) => `${code} ${path}`)).toEqual([
      'placeholder identityMap.email',
      'placeholder identityMap.phone',
      'ignored-contact identityMap.email',
    ]);
  });

  it.each([
    ['till@store.example.com', '+919876500000', 'KIOSK-1'],
    ['no@no.com', '+919888877771', 'NOT-CAPTURED'],
  ])('applies to contact attributes that were stored before: %s, %s, %s', (email, phone, externalId) => {
    const change = profileChange(AT, {
      'personalEmail.address': email,
      'mobilePhone.number': phone,
      'identityMap.loyaltyId': [externalId],
      '@id[cardNumber].slot[C-1]': 'C-1',
    });
    const entity = entityOf(applyChange(change, { context }));
    expect(entity).not.toHaveProperty('personalEmail');
    expect(entity).not.toHaveProperty('mobilePhone');
    expect(entity).toMatchObject({ loyalty: { loyaltyID: ['C-1'] } });
  });
});

describe('a shared contact', () => {
  const shared = new Set(['204731 email a@x.org', '204731 phone +919845012345']);
  const context = {
    ...contextOf(),
    isShared: (orgId: number, kind: string, id: string) => shared.has(`${orgId} ${kind} ${id}`),
  };

  it('is no identity, but stays a contact attribute', async () => {
    const mapped = await messagesOf(
      updated({ email: 'a@x.org', mobile: '9845012345', externalId: 'X-1' }),
      context,
    );
    expect(idsOf(mapped.event)).toEqual({ capillaryId: ['5'], loyaltyId: ['X-1'] });
    const attributes = mapped.profile?.attributes;
    expect(attributes?.get('personalEmail.address')).toBe('a@x.org');
    expect(attributes?.get('mobilePhone.number')).toBe('+919845012345');
    expect(codesOf(mapped)).toEqual(['shared-contact identityMap.phone', 'shared-contact identityMap.email']);
    const update = applyChange(mapped.profile!, { context });
    expect(idsOf(entityOf(update))).toEqual({ capillaryId: ['5'], loyaltyId: ['X-1'] });
    expect(entityOf(update)).toMatchObject({ personalEmail: { address: 'a@x.org' } });
  });

  it('identifies nobody alone', async () => {
    const anonymous = eventWith('customerUpdated', {
      customerIdentifiers: { instore: { email: 'a@x.org' } },
    });
    expect(await mapEvent(anonymous, context)).toMatchObject({ outcome: 'ignored', reason: 'no-identity' });
  });

  it('is shared in its organisation only', async () => {
    const elsewhere = eventWith(
      'customerUpdated',
      { firstName: 'Asha', customerIdentifiers: { customerId: 5, instore: { email: 'a@x.org' } } },
      { orgId: 7 },
    );
    expect(idsOf((await messagesOf(elsewhere, context)).event)).toMatchObject({ Email: ['a@x.org'] });
  });
});

describe('identity.prefix', () => {
  const context = contextOf({
    source: { identity: { prefix: '<orgId>-' } },
    destination: {
      identity: {
        namespaces: { customerId: 'crm', email: 'Email', externalId: 'loyaltyId', cardNumber: 'card' },
      },
    },
  });
  const instore = { email: 'a@x.org', externalId: 'X-1', cardNumbers: ['C-1'] };

  it('is before ids of the organisation in events and profile records, and nowhere else', async () => {
    const mapped = await messagesOf(updated(instore), context);
    const ids = { crm: ['204731-5'], Email: ['a@x.org'], loyaltyId: ['204731-X-1'], card: ['204731-C-1'] };
    expect(idsOf(mapped.event)).toEqual(ids);
    expect(mapped.event['_acme']).toMatchObject({ capillary: { customerId: '5' } });
    const update = applyChange(mapped.profile!, { context });
    expect(idsOf(entityOf(update))).toEqual(ids);
    expect(entityOf(update)).toMatchObject({ loyalty: { loyaltyID: ['X-1', 'C-1'] } });
  });

  it('is before the victim of a merge, and before identities stored without it', async () => {
    const merge = eventWith('loyaltyCustomerMerge', {
      customerIdentifiers: null,
      survivorCustomerIdentifiers: { customerId: 5 },
      victimCustomerIdentifiers: { customerId: 6 },
    });
    const mapped = await messagesOf(merge, context);
    expect(idsOf(mapped.event)).toEqual({ crm: ['204731-5', '204731-6'] });
    expect(mapped.event['_acme']).toMatchObject({ capillary: { merge: { survivorId: '5', victimId: '6' } } });
    const stored = profileChange(AT, { 'identityMap.crm': ['5'] });
    const { state } = applyChange(stored, { context: contextOf() });
    const again = applyChange(profileChange(AT + 1, { 'person.name.firstName': 'Asha' }), {
      context,
      before: { state },
    });
    expect(idsOf(entityOf(again))).toMatchObject({ crm: ['204731-5'] });
  });
});

describe('a contact for the journal', () => {
  it('has a key that depends on organisation, kind and value', () => {
    const keys = [
      contactKey(1, 'email', 'a@x.org'),
      contactKey(2, 'email', 'a@x.org'),
      contactKey(1, 'externalId', 'a@x.org'),
      contactKey(1, 'email', 'b@x.org'),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(keys.every((key) => Number.isSafeInteger(key) && key >= 0)).toBe(true);
    expect(contactKey(1, 'email', 'a@x.org')).toBe(keys[0]);
  });

  it('has the key under which stores of earlier versions have it', () => {
    expect(contactKey(100_458, 'email', 'a@b.example')).toBe(3_472_275_133_795_775);
  });

  it('has a fingerprint of its own among the customers of a relay', () => {
    const texts = Array.from({ length: 100_000 }, (_, index) => `${index % 2} email c${index}@shop.example`);
    const fingerprints = texts.map(fingerprint);

    expect(new Set(fingerprints).size).toBe(texts.length);
    expect(fingerprints.every(Number.isSafeInteger)).toBe(true);
  });

  it.each([
    ['email', 'counter.12@store.example.com', 'c***@store.example.com'],
    ['phone', '+919845012345', '+91***45'],
    ['externalId', 'NOT-ASSIGNED-YET', 'NO***ET'],
    ['cardNumber', 'C-1', 'C***'],
  ] as const)('is masked: %s %s', (kind, id, masked) => expect(maskContact(kind, id)).toBe(masked));
});

it('a contact is known from a fact, not from what an older relay stored; nothing is counted after a deletion', () => {
  const { state } = applyChange(profileChange(AT, { '@id[email].slot[instore]': 'a"b@x.org' }), {
    before: { lane: ANN },
  });
  const older = applyChange(
    profileChange(AT, { 'identityMap.Email': ['a"b@x.org'], 'personalEmail.address': 'a"b@x.org' }),
    { before: { lane: ANN } },
  );
  expect(isKnownContact(state, 'a"b@x.org')).toBe(true);
  expect(isKnownContact(state, 'b@x.org')).toBe(false);
  expect(isKnownContact(older.state, 'a"b@x.org')).toBe(false);
  expect(isKnownContact(undefined, 'a"b@x.org')).toBe(false);
  expect(isKnownContact('{"deletedAt":5}', 'b@x.org')).toBe(true);
});

describe('an event without a customer id', () => {
  const context = {
    ...contextOf({ source: { contacts: { ignore: ['kiosk*'] } } }),
    isShared: (_orgId: number, _kind: string, id: string) => id === 'family@x.org',
  };
  const profileOf = async (instore: JsonObject) => {
    const event = eventWith('customerUpdated', { firstName: 'Asha', customerIdentifiers: { instore } });
    const mapped = await messagesOf(event, context);
    return { profile: mapped.profile, Phone: idsOf(mapped.event)['Phone'] };
  };

  it.each([
    ['ignored', { email: 'kiosk@x.org' }],
    ['shared', { email: 'family@x.org' }],
    ['no address', { email: 'asha' }],
    ['an ignored id', { externalId: 'KIOSK-1' }],
  ])('has no profile record if the identifier of its lane is %s', async (_name, instore) => {
    expect(await profileOf({ mobile: '9845012345', ...instore })).toEqual({
      profile: undefined,
      Phone: ['+919845012345'],
    });
  });

  it.each([
    ['an address', { email: 'Asha@x.org' }],
    ['a phone number', { mobile: '098450 12345' }],
    ['a placeholder and a phone number', { email: 'no@no.com', mobile: '98450-12345' }],
    ['an id and an ignored address', { externalId: 'X-1', email: 'kiosk@x.org' }],
    ['a card', { cardnumber: 'C-1', mobile: '9845012345' }],
  ])('has one with %s', async (_name, instore) => {
    expect((await profileOf(instore)).profile?.attributes.get('person.name.firstName')).toBe('Asha');
  });
});
