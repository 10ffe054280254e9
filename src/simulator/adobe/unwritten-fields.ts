import { eventShape } from '../../xdm/event-shape.ts';
import { profileShape } from '../../xdm/profile-shape.ts';
import {
  isObjectShape,
  type Leaf,
  list,
  object,
  type ObjectShape,
  type SchemaFeatures,
  type Shape,
  shapeAt,
} from '../../xdm/shape.ts';

/** A value that Adobe accepts in a field of a record. */
export type AcceptedField = Leaf | 'anything' | AcceptedObject | AcceptedList | AcceptedMap;

/** An object with these fields and no others. */
export interface AcceptedObject {
  readonly fields: Readonly<Record<string, AcceptedField>>;
  readonly required: readonly string[];
}

export interface AcceptedList {
  readonly items: AcceptedField;
}

/** An object with any keys. */
export interface AcceptedMap {
  readonly values: AcceptedField;
}

/** Fields by path, such as `commerce.cart` or `productListItems[].product`. */
export type Additions = Readonly<Record<string, AcceptedField>>;

const ALL_FEATURES: SchemaFeatures = {
  loyalty2026: true,
  loyaltyEvents: true,
  placeContext: true,
  sourceAudit: true,
  consents: true,
};

/** The fields that the relay writes if the schemas have every optional part. */
export const WRITTEN_EVENT = eventShape(ALL_FEATURES, undefined);
export const WRITTEN_PROFILE = profileShape(ALL_FEATURES, undefined);

/** The shape of a field that the relay writes, reused for another of Adobe's fields. */
function shapeOf(record: ObjectShape, ...path: string[]): Shape {
  const shape = shapeAt(record, path);
  if (shape === undefined || shape === 'any') throw new Error(`${path.join('.')} has no shape`);
  return shape;
}

function sameField(field: AcceptedField, ...paths: string[]): Additions {
  return Object.fromEntries(paths.map((path) => [path, field]));
}

/**
 * Fields that Adobe accepts in an event and the relay never writes
 * (docs/platforms/adobe.md#xdm-fields). `eventType` is here because our own rule for it is
 * stricter.
 */
export const EVENT_ADDITIONS: Additions = {
  eventType: 'string',
  environment: 'anything',
  device: 'anything',
  ...sameField(
    shapeOf(WRITTEN_EVENT, 'commerce', 'purchases'),
    'commerce.cartAbandons',
    'commerce.productListAdds',
    'commerce.productListOpens',
    'commerce.productListRemovals',
    'commerce.productListReopens',
    'commerce.productListViews',
    'commerce.productViews',
    'commerce.saveForLaters',
    'commerce.instantPurchase',
  ),
  ...sameField(
    'anything',
    'commerce.cart',
    'commerce.shipping',
    'commerce.billing',
    'commerce.requisitionList',
  ),
  'commerce.order.returns': 'anything',
  'productListItems[]._id': 'uri-reference',
  'productListItems[].product': 'uri-reference',
  'productListItems[].productAddMethod': 'string',
  ...sameField(
    'string',
    'productListItems[].returnItem.returnStatus',
    'productListItems[].returnItem.returnReason',
    'productListItems[].returnItem.returnItemCondition',
    'productListItems[].returnItem.returnResolution',
  ),
  ...sameField(
    'integer',
    'productListItems[].returnItem.returnQuantityRequested',
    'productListItems[].returnItem.returnQuantityAuthorized',
    'productListItems[].returnItem.returnQuantityApproved',
  ),
  ...sameField(
    'anything',
    'placeContext.IPLocalTime',
    'placeContext.IPLocalTimezoneOffset',
    'placeContext.geo',
    'placeContext.activePOIs',
    'placeContext.POIinteraction.POIDetail',
    'placeContext.POIinteraction.poiEntries',
    'placeContext.POIinteraction.poiExits',
    'placeContext.POIinteraction.poiDetail.POIID',
    'placeContext.POIinteraction.poiDetail.distanceToPOICenter',
    'placeContext.POIinteraction.poiDetail.locatingType',
    'placeContext.POIinteraction.poiDetail.beaconInteractionDetails',
    'placeContext.POIinteraction.poiDetail.geoInteractionDetails',
    'placeContext.POIinteraction.poiDetail.metadata',
  ),
};

const DATED = { startDate: 'date-time', endDate: 'date-time' } as const;
const NAMED = { id: 'string', name: 'string', series: 'string', state: 'string' } as const;

const TASK = object({
  ...DATED,
  name: 'string',
  type: 'string',
  entity: 'string',
  goal: 'number',
  progress: 'number',
  state: 'string',
});
const CHALLENGE = object({
  ...DATED,
  ...NAMED,
  description: 'string',
  frequencyType: 'string',
  tasks: list(TASK),
});
const COUPON = object({
  ...DATED,
  ...NAMED,
  discountValue: 'number',
  redemptionCount: 'integer',
  redemptionLimit: 'integer',
  storeName: 'string',
});
const GIVEAWAY = object({ ...DATED, ...NAMED, type: 'string', partnerId: 'string', partnerName: 'string' });
const REWARDS = object({
  badges: list(object({ ...DATED, ...NAMED })),
  coupons: list(COUPON),
  giveaways: list(GIVEAWAY),
  referrals: list(object({ ...DATED, ...NAMED, recipient: 'string' })),
});

const ADDRESSES = ['homeAddress', 'mailingAddress', 'billingAddress', 'shippingAddress'];
/** The channels with subscriptions (docs/platforms/adobe.md#consents). */
const CHANNELS = ['email', 'push', 'sms', 'whatsApp'];

/** Only some fields of a subscription are written. */
function subscriptions(): AcceptedMap {
  const written = shapeOf(WRITTEN_PROFILE, 'consents', 'marketing', 'email', 'subscriptions', 'name');
  if (!isObjectShape(written)) throw new Error('a subscription is no object');
  return { values: { fields: { ...written.fields, subscribers: 'anything' }, required: [] } };
}

const SUBSCRIPTIONS = subscriptions();

const PREFERRED_CHANNELS = {
  oneOf: [
    'email',
    'push',
    'inApp',
    'sms',
    'whatsApp',
    'phone',
    'phyMail',
    'inVehicle',
    'inHome',
    'iot',
    'social',
    'other',
    'none',
    'unknown',
  ],
};

/**
 * Fields that Adobe accepts in a profile and the relay never writes
 * (docs/platforms/adobe.md#xdm-fields). `birthDayAndMonth` and `preferredLanguage` are here because
 * our own rules for them are stricter.
 */
export const PROFILE_ADDITIONS: Additions = {
  personID: 'string',
  _repo: 'anything',
  testProfile: 'boolean',
  preferredLanguage: 'string',
  ...sameField(
    shapeOf(WRITTEN_PROFILE, 'homePhone'),
    'faxPhone',
    'shippingAddressPhone',
    'billingAddressPhone',
  ),
  ...sameField('string', 'profilePictureLink', 'emailFormat'),
  optInOut: 'anything',
  'person.birthDayAndMonth': { matching: /[0-1][0-9]-[0-9][0-9]/ },
  'person.birthYear': 'integer',
  'person.type': 'string',
  'person.taxId': 'string',
  ...Object.assign(
    {},
    ...ADDRESSES.map((name) => ({
      ...sameField('string', `${name}.postOfficeBox`, `${name}.status`, `${name}.statusReason`),
      [`${name}.lastVerifiedDate`]: 'date',
    })),
  ),
  ...sameField(
    shapeOf(WRITTEN_PROFILE, 'consents', 'marketing', 'any'),
    'consents.marketing.fax',
    'consents.marketing.commercialEmail',
  ),
  ...sameField(SUBSCRIPTIONS, ...CHANNELS.map((name) => `consents.marketing.${name}.subscriptions`)),
  'consents.marketing.preferred': PREFERRED_CHANNELS,
  'consents.personalize': object({ content: shapeOf(WRITTEN_PROFILE, 'consents', 'collect') }),
  'consents.idSpecific': 'anything',
  'consents.metadata': object({ time: 'date-time' }),
  ...sameField(
    'string',
    'extSourceSystemAudit.createdBy',
    'extSourceSystemAudit.lastUpdatedBy',
    'extSourceSystemAudit.externalID',
  ),
  ...sameField(
    'date-time',
    'extSourceSystemAudit.lastActivityDate',
    'extSourceSystemAudit.lastReferencedDate',
    'extSourceSystemAudit.lastViewedDate',
  ),
  'extSourceSystemAudit.externalKey': 'anything',
  'loyalty.challenges': list(CHALLENGE),
  'loyalty.rewards': REWARDS,
};
