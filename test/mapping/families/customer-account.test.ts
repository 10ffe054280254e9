import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { codesOf, contextOf, eventWith, messagesOf, plainRecords } from '../mapping-rig.ts';

async function recordOf(eventName: string, data: JsonObject, context = contextOf()) {
  const event = eventWith(eventName, data);
  const mapped = await messagesOf(event, context);
  const plain = plainRecords(event, mapped, context);
  const { record } = plain['profile'] as { record: Record<string, JsonObject> };
  return { record, event: mapped.event, codes: codesOf(mapped), changes: mapped.profile?.attributes };
}

function changed(fieldName: string, currentValue: string | number | null, more: object = {}) {
  return { updatedFields: [{ fieldName, currentValue, ...more }] };
}

describe('a changed date of birth', () => {
  it.each(['dob', 'DOB', 'dob_date', 'dateOfBirth'])('is read from %s', async (name) => {
    const { record } = await recordOf('customerUpdated', changed(name, '1984-12-31T18:30:00.000Z'));
    expect(record['person']).toEqual({ birthDate: '1985-01-01' });
  });

  it('is left out with a note if it is none, or one of two', async () => {
    const codes = async (value: string) => {
      const { changes, codes: notes } = await recordOf('customerUpdated', {
        firstName: 'A',
        ...changed('dob', value),
      });
      expect(changes?.has('person.birthDate')).toBe(false);
      return notes;
    };
    expect(await codes('0001-01-01')).toEqual(['not-a-date data.updatedFields[0].currentValue']);
    expect(await codes('04/03/1990')).toEqual(['ambiguous-date data.updatedFields[0].currentValue']);
  });
});

describe('extended fields of the standard set', () => {
  const extendedFields = [
    { key: 'Gender', value: 'F' },
    { key: 'dob_date', value: 'Tue Mar 04 15:27:00 GMT 1990' },
    { key: 'CITY', value: ' Bengaluru ' },
  ];

  it.each(['customerAdded', 'customerUpdated'])('of %s are mapped by default', async (name) => {
    const { record, codes } = await recordOf(name, { extendedFields });

    expect(record).toMatchObject({
      person: { gender: 'female', birthDate: '1990-03-04' },
      homeAddress: { city: 'Bengaluru' },
    });
    expect(codes).toEqual([]);
  });

  it('are left to the source if it gives them or their paths another use', async () => {
    const fields = {
      customFields: { town: 'homeAddress.city' },
      extendedFields: { Gender: '_acme.gender', dob_date: '_acme.born' },
    };
    const { record } = await recordOf('customerAdded', { extendedFields }, contextOf({ source: { fields } }));

    expect(record['person']).toBeUndefined();
    expect(record['homeAddress']).toBeUndefined();
    expect(record['_acme']).toMatchObject({ gender: 'F', born: 'Tue Mar 04 15:27:00 GMT 1990' });
  });

  it('are read alike where the source gives the path to another field', async () => {
    const fields = { customFields: { born: 'person.birthDate', sex: 'person.gender' } };
    const context = contextOf({ source: { fields } });
    const customFields = [
      { key: 'born', value: '1984-12-31T18:30:00.000Z' },
      { key: 'sex', value: 'M' },
    ];
    const { record } = await recordOf('customerAdded', { customFields, extendedFields }, context);
    expect(record['person']).toEqual({ birthDate: '1985-01-01', gender: 'male' });

    customFields[0]!.value = '04/03/1990';
    const { codes } = await recordOf('customerAdded', { customFields }, context);
    expect(codes).toEqual(['ambiguous-date data.customFields[0].value']);
  });

  it('yield to a change of the same event', async () => {
    const { record } = await recordOf('customerUpdated', { extendedFields, ...changed('city', 'Mysuru') });
    expect(record['homeAddress']).toEqual({ city: 'Mysuru' });
  });

  it.each([
    ['M', 'male', []],
    ['FEMALE', 'female', []],
    ['Not Specified', 'not_specified', []],
    ['Other', undefined, ['not-in-enum person.gender']],
    ['W', undefined, ['not-in-enum person.gender']],
  ])('the gender %s is %s', async (value, gender, notes) => {
    const { changes, codes } = await recordOf('customerAdded', {
      firstName: 'A',
      extendedFields: [{ key: 'gender', value }],
    });
    expect(changes?.get('person.gender')).toBe(gender);
    expect(codes).toEqual(notes);
  });
});

describe('a detail that is stated as blank', () => {
  it.each([
    ['firstName', 'person.name.firstName'],
    ['last_name', 'person.name.lastName'],
    ['gender', 'person.gender'],
    ['dob', 'person.birthDate'],
    ['city', 'homeAddress.city'],
  ])('is cleared: %s', async (name, path) => {
    const { changes } = await recordOf('customerUpdated', changed(name, ' ', { previousValue: 'x' }));
    expect(changes?.get(path)).toBeNull();
    const none = await recordOf('customerUpdated', changed(name, null, { previousValue: 'x' }));
    expect(none.changes?.get(path)).toBeNull();
  });

  it('is not cleared by null or a missing value alone', async () => {
    const { changes } = await recordOf('customerUpdated', {
      lastName: null,
      firstName: 'Asha',
      updatedFields: [
        { fieldName: 'gender', currentValue: null },
        { fieldName: 'dob', previousValue: '1990-01-01' },
      ],
    });
    expect([...(changes ?? [])].filter(([, value]) => value === null)).toEqual([]);
  });

  it('is not cleared if it was blank before and the event states it elsewhere', async () => {
    const { changes } = await recordOf('customerUpdated', {
      firstName: 'Asha',
      extendedFields: [{ key: 'gender', value: 'F' }],
      updatedFields: ['firstName', 'gender'].map((fieldName) => ({
        fieldName,
        previousValue: null,
        currentValue: '',
      })),
    });
    expect(changes?.get('person.name.firstName')).toBe('Asha');
    expect(changes?.get('person.gender')).toBe('female');
  });

  it('is cleared by a blank name', async () => {
    const { changes } = await recordOf('customerUpdated', { firstName: '', lastName: 'Rao' });
    expect(changes?.get('person.name.firstName')).toBeNull();
    expect(changes?.get('person.name.lastName')).toBe('Rao');
  });
});

describe('membership', () => {
  const identifiers = {
    customerIdentifiers: { customerId: 7, instore: { externalId: 'X-1', cardnumber: 'C-1' } },
  };

  it.each([
    ['LOYALTY', true],
    ['loyalty', true],
    ['NON_LOYALTY', false],
    ['non-loyalty', false],
    ['PROSPECT', undefined],
  ])('of the loyalty type %s is %s', async (loyaltyType, member) => {
    const { record } = await recordOf('customerAdded', { loyaltyType });
    expect(record['_acme']).toEqual({
      capillary: {
        loyaltyType: loyaltyType.toUpperCase().replace('-', '_'),
        ...(member === undefined ? {} : { member }),
      },
    });
  });

  it('can be stated with the identifiers', async () => {
    const { record } = await recordOf('customerUpdated', {
      customerIdentifiers: { customerId: 7, loyaltyType: 'NON_LOYALTY' },
    });
    expect(record['_acme']).toEqual({ capillary: { loyaltyType: 'NON_LOYALTY', member: false } });
  });

  it('decides whether a customer has a join date and loyalty ids', async () => {
    const data = { ...identifiers, enteredAt: 1_793_000_000_000 };
    const member = await recordOf('customerAdded', { ...data, loyaltyType: 'LOYALTY' });
    const other = await recordOf('customerAdded', { ...data, loyaltyType: 'NON_LOYALTY' });

    expect(member.record['loyalty']).toEqual({
      joinDate: '2026-10-26T07:33:20.000Z',
      loyaltyID: ['X-1', 'C-1'],
    });
    expect(other.record['loyalty']).toBeUndefined();
    expect(other.record['identityMap']).toMatchObject({ loyaltyId: [{ id: 'X-1' }] });
  });

  it('needs a tenant', async () => {
    const context = contextOf({ destination: { tenant: undefined } });
    const { record, codes } = await recordOf(
      'customerAdded',
      { ...identifiers, loyaltyType: 'LOYALTY' },
      context,
    );
    expect(Object.keys(record).toSorted()).toEqual(['_id', 'identityMap', 'loyalty']);
    expect(codes).toEqual([]);
  });
});

describe('the status of a customer', () => {
  const customerStatus = {
    previousStatus: 'INACTIVE',
    previousLabel: 'Schläft',
    currentStatus: 'ACTIVE',
    currentLabel: 'aktiv',
    reason: 'called the shop',
  };

  it('is on the event with the source and the loyalty type', async () => {
    const { event } = await recordOf('customerUpdated', {
      customerStatus,
      source: 'INSTORE',
      loyaltyType: 'loyalty',
    });
    expect(event['_acme']).toMatchObject({
      capillary: {
        customer: {
          source: 'INSTORE',
          loyaltyType: 'loyalty',
          status: 'ACTIVE',
          previousStatus: 'INACTIVE',
          statusLabel: 'aktiv',
          previousStatusLabel: 'Schläft',
          statusReason: 'called the shop',
        },
      },
    });
  });

  it.each([
    [{}, false],
    [{ labels: { active: ['Aktiv'] } }, true],
  ])('is active by the labels of the source: %j', async (source, active) => {
    const { record } = await recordOf('customerUpdated', { customerStatus }, contextOf({ source }));
    expect(record).toMatchObject({ loyalty: { status: 'aktiv' }, _acme: { capillary: { active } } });
  });
});

it('nothing of these fields is unread, whichever place counts', async () => {
  const event = eventWith('customerUpdated', {
    customerIdentifiers: { customerId: 7, firstName: 'A', lastName: 'B', loyaltyType: 'loyalty' },
    firstName: 'A',
    lastName: 'B',
    loyaltyType: 'loyalty',
    source: 'INSTORE',
    accountId: '1',
    updatedFields: ['firstName', 'lastName', 'gender'].map((fieldName) => ({
      fieldName,
      previousValue: 'x',
      currentValue: 'M',
      source: 'INSTORE',
      accountId: '1',
      fieldType: 'StandardField',
    })),
    extendedFields: [
      { key: 'gender', value: 'M' },
      { key: 'pet', value: 'cat' },
    ],
    customerStatus: {
      previousStatus: 'A',
      previousLabel: 'a',
      currentStatus: 'B',
      currentLabel: 'b',
      reason: 'asked',
    },
  });
  const { unread } = await messagesOf(event);
  expect([...(unread?.fields.keys() ?? [])]).toEqual(['data.extendedFields[pet]']);
});

it('a join date is never after the event that reports it', async () => {
  const { record } = await recordOf('customerAdded', { enteredAt: 1_794_000_000_000 + 86_400_000 });
  expect(record['loyalty']).toEqual({ joinDate: '2026-11-06T21:20:00.000Z' });
});
