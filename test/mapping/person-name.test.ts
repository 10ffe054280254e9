import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/capillary/json.ts';
import { codesOf, contextOf, eventWith, messagesOf } from './mapping-rig.ts';

async function namesOf(names: JsonObject, person: JsonObject = {}) {
  const customerIdentifiers = { customerId: 5, ...person };
  const mapped = await messagesOf(eventWith('customerAdded', { ...names, customerIdentifiers }));
  const attributes = mapped.profile?.attributes;
  return {
    first: attributes?.get('person.name.firstName'),
    last: attributes?.get('person.name.lastName'),
    codes: codesOf(mapped),
  };
}

describe('a name', () => {
  it.each([
    'null',
    'undefined',
    '.',
    '-',
    'NA',
    'N/A',
    'n.a.',
    '(null)',
    'None',
    'Unknown',
    'Not Available',
    '...',
    '{{firstName}}',
    '${firstName}',
    '%firstName%',
    '[object Object]',
    '{}',
    '0',
    '12',
    '9845012345',
    '"null"',
  ])('%s is none', async (name) => {
    expect(await namesOf({ firstName: name, lastName: name })).toEqual({
      first: undefined,
      last: undefined,
      codes: ['placeholder data.firstName', 'placeholder data.lastName'],
    });
  });

  it.each(['A****', 'As*', '****', 'XXXXXX', 'A•••'])('%s is masked', async (name) => {
    expect(await namesOf({ firstName: name })).toEqual({
      first: undefined,
      last: undefined,
      codes: ['masked data.firstName'],
    });
  });

  it.each([
    'Nan',
    'Nil',
    'Nadia',
    'Noe',
    'Guest',
    'Blank',
    'Test',
    'O’Neil',
    'आशा',
    '王',
    'A.',
    'J-P',
    'D’Undefined',
  ])('%s is one', async (name) => {
    expect(await namesOf({ firstName: name, lastName: name })).toEqual({
      first: name,
      last: name,
      codes: [],
    });
  });

  it('is taken from the identifiers if the event has none of its own', async () => {
    const found = await namesOf({ firstName: 'NA' }, { firstName: 'Asha', lastName: 'null' });
    expect(found).toEqual({
      first: 'Asha',
      last: undefined,
      codes: ['placeholder data.firstName', 'placeholder data.customerIdentifiers.lastName'],
    });
  });
});

it.each([
  ['NA', undefined, ['placeholder data.enteredBy.store.name']],
  ['{{store}}', undefined, ['placeholder data.enteredBy.store.name']],
  ['24/7', '24/7', []],
])('a store %s as a point of interest is named %s', async (name, expected, codes) => {
  const event = eventWith('pointsExpired', { enteredBy: { store: { code: 'S1', name } } });
  const context = contextOf({ destination: { tenant: '', schemaFeatures: { placeContext: true } } });
  const mapped = await messagesOf(event, context);
  const { poiDetail } = (mapped.event['placeContext'] as { POIinteraction: { poiDetail: JsonObject } })
    .POIinteraction;
  expect(poiDetail['name']).toBe(expected);
  expect(codesOf(mapped)).toEqual(codes);
});

it('of a change is checked too, and a city', async () => {
  const updatedFields: JsonObject[] = [
    { fieldName: 'firstName', previousValue: 'Asha', currentValue: 'null' },
    { fieldName: 'city', currentValue: 'NA' },
  ];
  const mapped = await messagesOf(eventWith('customerUpdated', { lastName: 'Rao', updatedFields }));

  expect(mapped.profile?.attributes.get('person.name.firstName')).toBeUndefined();
  expect(mapped.profile?.attributes.get('homeAddress.city')).toBeUndefined();
  expect(codesOf(mapped).filter((code) => code.startsWith('placeholder'))).toEqual([
    'placeholder data.updatedFields',
    'placeholder data.updatedFields[1].currentValue',
  ]);
});
