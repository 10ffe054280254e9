import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/capillary/json.ts';
import { conform } from '../../src/xdm/conform.ts';
import { eventShape } from '../../src/xdm/event-shape.ts';
import { profileShape } from '../../src/xdm/profile-shape.ts';
import { referencePath } from '../helpers/reference.ts';
import { closedXdmValidators } from '../helpers/xdm-schema.ts';

const features = {
  loyalty2026: true,
  loyaltyEvents: true,
  placeContext: true,
  sourceAudit: true,
  consents: true,
};
const identityMap = { crm: [{ id: '7', authenticatedState: 'ambiguous', primary: true }] };

const EVENT: JsonObject = {
  _id: 'cap-0a1b',
  timestamp: '2026-11-06T10:00:00.000Z',
  eventType: 'commerce.purchases',
  commerce: {
    order: { priceTotal: 41.25, currencyCode: 'GBP', orderType: 'checkout' },
    purchases: { value: 1 },
  },
  productListItems: [{ SKU: 'S-1', quantity: 2, selectedOptions: [{ attribute: 'size', value: 'L' }] }],
  loyalty: { pointsGained: [{ value: 18, promotionId: 'P-1' }] },
  placeContext: { localTimezoneOffset: 330, POIinteraction: { poiDetail: { poiID: 'S-7' } } },
  _acme: { capillary: { customerId: '7', tier: { number: 2, expiryDate: '2027-01-01T00:00:00.000Z' } } },
};

const PROFILE: JsonObject = {
  _id: 'cap-0a1b',
  person: { name: { firstName: 'Asha' }, birthDate: '1991-04-17', gender: 'female', nationality: 'IN' },
  personalEmail: { address: 'asha@example.org', primary: true },
  mobilePhone: { number: '+919845012345', countryCode: '91' },
  homeAddress: { countryCode: 'IN', stateProvince: 'IN-KA' },
  loyalty: { points: 12.5, loyaltyID: ['C-1'], joinDate: '2020-02-01T18:29:59.999Z' },
  preferredLanguage: 'kn-IN',
  extSourceSystemAudit: { lastUpdatedDate: '2026-11-06T10:00:00.000Z' },
  _acme: { capillary: { programs: [{ id: '9', points: 3 }] } },
};

/** One wrong value for each kind of rule in Adobe's schemas: the path and the value. */
const PLANTED: readonly (readonly ['event' | 'profile', string, JsonValue])[] = [
  // Types.
  ['event', 'commerce.order.priceTotal', '41.25'],
  ['event', 'commerce.order', 'B-1'],
  ['event', 'productListItems', { SKU: 'S-1' }],
  ['event', 'productListItems.0', 'S-1'],
  ['event', 'productListItems.0.quantity', 1.25],
  ['event', 'loyalty.pointsGained.0.promotionId', 5],
  ['event', 'placeContext.localTimezoneOffset', 5.5],
  ['event', '_acme.capillary.tier.number', '2'],
  ['profile', 'loyalty.loyaltyID', 'C-1'],
  ['profile', 'loyalty.points', null],
  ['profile', 'personalEmail.primary', 'true'],
  ['profile', 'person.name', []],
  // Formats (docs/platforms/adobe.md#date-times).
  ['event', 'timestamp', '2026-11-06 10:00:00.000Z'],
  ['event', 'timestamp', '2026-11-06T10:00:00'],
  ['event', 'timestamp', '2026-11-06T10:00:00+0530'],
  ['event', 'timestamp', '2026-02-30T10:00:00Z'],
  ['event', 'timestamp', 1_794_000_000_000],
  ['event', '_id', 'cap 0a1b'],
  ['event', '_acme.capillary.tier.expiryDate', '2027-01-01'],
  ['profile', 'loyalty.joinDate', '1580581799'],
  ['profile', 'person.birthDate', '1991-04-17T00:00:00Z'],
  ['profile', 'person.birthDate', '1991-02-29'],
  ['profile', 'personalEmail.address', 'asha@example'],
  ['profile', 'personalEmail.address', '\u212asha@example.org'],
  // Enums and patterns (docs/platforms/adobe.md#xdm-fields).
  ['event', 'commerce.order.orderType', 'sale'],
  ['event', 'commerce.order.currencyCode', 'gbp'],
  ['event', 'commerce.order.currencyCode', 'GBPX'],
  ['profile', 'person.gender', 'F'],
  ['profile', 'person.nationality', 'IND'],
  ['profile', 'mobilePhone.countryCode', '+91'],
  ['profile', 'homeAddress.countryCode', 'in'],
  // Required fields.
  ['event', 'commerce.purchases', { id: 'x' }],
  ['event', 'productListItems.0', { name: 'x' }],
  ['event', 'productListItems.0.selectedOptions.0', { attribute: 'size' }],
  // Unknown fields.
  ['event', 'billNumber', 'B-1'],
  ['event', 'commerce.order.billNumber', 'B-1'],
  ['event', 'productListItems.0.price', 3],
  ['event', 'loyalty.tier', 'Gold'],
  ['event', 'person', { gender: 'female' }],
  ['profile', 'commerce', { promotionID: 'x' }],
  ['profile', 'loyalty.tierName', 'Gold'],
  ['profile', 'person.name.nickName', 'A'],
];

/** Adobe's pattern of a state accepts every string, because it has no anchors; ours has. */
const PLANTED_IN_OURS = [...PLANTED, ['profile', 'homeAddress.stateProvince', 'Karnataka'] as const];

/** The record with a value planted at a path. */
function planted(record: JsonValue, [name = '', ...rest]: readonly string[], value: JsonValue): JsonValue {
  if (Array.isArray(record)) {
    return record.map((item, index) => (String(index) === name ? inner(item, rest, value) : item));
  }
  const fields = record as JsonObject;
  return { ...fields, [name]: inner(fields[name] ?? {}, rest, value) };
}

function inner(record: JsonValue, rest: readonly string[], value: JsonValue): JsonValue {
  return rest.length === 0 ? value : planted(record, rest, value);
}

const RECORDS = { event: EVENT, profile: PROFILE };
const SHAPES = { event: eventShape(features, '_acme'), profile: profileShape(features, '_acme') };

describe('the relay’s own shapes', () => {
  const faultsIn = (kind: 'event' | 'profile', record: JsonValue) => {
    const codes: string[] = [];
    const conformed = conform(record, SHAPES[kind], '', (_path, code) => codes.push(code));
    return { conformed, codes };
  };

  it.each(['event', 'profile'] as const)('leave a valid %s unchanged', (kind) => {
    expect(faultsIn(kind, RECORDS[kind])).toEqual({ conformed: RECORDS[kind], codes: [] });
  });

  it.each(PLANTED_IN_OURS)('leave out of an %s: %s %j', (kind, path, value) => {
    const record = planted(RECORDS[kind], path.split('.'), value);
    const { conformed, codes } = faultsIn(kind, record);
    const isSilent = value === null || (Array.isArray(value) && value.length === 0);

    expect(conformed).not.toEqual(record);
    expect(codes.length > 0).toBe(!isSilent);
  });
});

const root = referencePath('xdm/', 'the validators of the tests');

/** Other tests rely on them, so they must refuse what they are meant to refuse. */
describe.runIf(root)('the validators used by the tests', () => {
  const validators =
    root === undefined ? undefined : closedXdmValidators({ features, tenant: '_acme', root });
  const isValid = (kind: 'event' | 'profile', record: JsonValue) =>
    validators?.[kind]({ ...(record as JsonObject), identityMap });

  it.each(['event', 'profile'] as const)('accept a valid %s', (kind) => {
    expect(isValid(kind, RECORDS[kind])).toBe(true);
  });

  it.each(PLANTED)('refuse an %s with %s %j', (kind, path, value) => {
    expect(isValid(kind, planted(RECORDS[kind], path.split('.'), value))).toBe(false);
  });

  it.each(['_id', 'timestamp'])('refuse an event without %s', (name) => {
    const { [name]: _, ...rest } = EVENT;

    expect(isValid('event', rest)).toBe(false);
  });

  it.each<[string, JsonValue]>([
    ['state', [{ id: '7', authenticatedState: 'known', primary: true }]],
    ['primary flag', [{ id: '7', primary: 'yes' }]],
    ['id', [{ id: 7 }]],
    ['field', [{ id: '7', type: 'crm' }]],
    ['list', { id: '7' }],
  ])('refuse an identity with an invalid %s', (_name, crm) => {
    expect(validators?.event({ ...EVENT, identityMap: { crm } })).toBe(false);
  });

  it.each([
    ['event', 'loyalty', { loyaltyEvents: false }],
    ['event', 'placeContext', { placeContext: false }],
    ['profile', 'extSourceSystemAudit', { sourceAudit: false }],
  ] as const)('refuse an %s with %s where that is switched off', (kind, _field, off) => {
    const without = closedXdmValidators({
      features: { ...features, ...off },
      tenant: '_acme',
      root: root!,
    });

    expect(without[kind]({ ...RECORDS[kind], identityMap })).toBe(false);
  });
});
