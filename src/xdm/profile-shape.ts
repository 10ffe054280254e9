import { list, map, object, memoizePerSchema } from './shape.ts';
import { TENANT_PROFILE_FIELDS, tenantShape } from './tenant-fields.ts';

const CONSENT_VALUE = { oneOf: ['y', 'n', 'p', 'u', 'dy', 'dn', 'LI', 'CT', 'CP', 'VI', 'PI'] } as const;

const CONSENT_FIELDS = {
  val: CONSENT_VALUE,
  time: 'date-time',
  reason: { matching: /^.{1,255}$/su },
} as const;

const CONSENT = object(CONSENT_FIELDS, ['val']);

/** Only some channels have subscriptions (docs/platforms/adobe.md#consents). */
const CONSENT_WITH_SUBSCRIPTIONS = object(
  {
    ...CONSENT_FIELDS,
    subscriptions: map(
      object({
        val: CONSENT_VALUE,
        type: { matching: /^.{1,15}$/su },
        topics: list({ matching: /^.{1,25}$/su }),
      }),
    ),
  },
  ['val'],
);

const PERSON = object({
  name: object({
    firstName: 'string',
    lastName: 'string',
    middleName: 'string',
    courtesyTitle: 'string',
    suffix: 'string',
    fullName: 'string',
  }),
  birthDate: 'date',
  birthDayAndMonth: { matching: /^[01]\d-[0-3]\d$/ },
  gender: { oneOf: ['male', 'female', 'not_specified', 'non_specific'] },
  maritalStatus: { oneOf: ['married', 'single', 'divorced', 'widowed', 'not_specified'] },
  nationality: { matching: /^[A-Z]{2}$/ },
});

const EMAIL = object({
  primary: 'boolean',
  address: 'email',
  label: 'string',
  type: 'string',
  status: 'string',
  statusReason: 'string',
});

const PHONE = object({
  primary: 'boolean',
  countryCode: { matching: /^[0-9]{1,3}?$/ },
  number: 'string',
  extension: 'string',
  status: 'string',
  statusReason: 'string',
  validity: 'string',
});

const ADDRESS = object({
  primary: 'boolean',
  label: 'string',
  street1: 'string',
  street2: 'string',
  street3: 'string',
  street4: 'string',
  region: 'string',
  city: 'string',
  state: 'string',
  // Adobe's pattern, anchored: without anchors it accepts every string.
  stateProvince: { matching: /^([A-Z]{2}-[A-Z0-9]{1,3}|)$/ },
  postalCode: 'string',
  country: 'string',
  countryCode: { matching: /^[A-Z]{2}$/ },
});

/**
 * The fields that every sandbox has. One without the fields of 2026 refuses records with them
 * (docs/platforms/adobe.md#profile-loyalty).
 */
const LOYALTY_CLASSIC = {
  joinDate: 'date-time',
  loyaltyID: list('string'),
  points: 'number',
  pointsExpiration: list(object({ pointsExpiring: 'number', pointsExpirationDate: 'date-time' })),
  pointsRedeemed: 'number',
  program: 'string',
  status: 'string',
  tier: 'string',
  upgradeDate: 'string',
} as const;

const DATED = { startDate: 'date-time', endDate: 'date-time' } as const;

const REWARD = { id: 'string', name: 'string', series: 'string', state: 'string', ...DATED } as const;

const REWARDS = object({
  coupons: list(
    object({
      ...REWARD,
      discountValue: 'number',
      redemptionCount: 'integer',
      redemptionLimit: 'integer',
      storeName: 'string',
    }),
  ),
  giveaways: list(object({ ...REWARD, type: 'string', partnerId: 'string', partnerName: 'string' })),
  badges: list(object(REWARD)),
  referrals: list(object({ ...REWARD, recipient: 'string' })),
});

const CHALLENGE = object({
  ...REWARD,
  description: 'string',
  frequencyType: 'string',
  tasks: list(
    object({
      name: 'string',
      type: 'string',
      entity: 'string',
      goal: 'number',
      progress: 'number',
      state: 'string',
      ...DATED,
    }),
  ),
});

const LOYALTY_2026 = {
  nextTier: 'string',
  pointsToNextTier: 'number',
  tierUpgradeDate: 'date-time',
  tierExpiryDate: 'date-time',
  adjustedPoints: 'number',
  expiredPoints: 'number',
  lifetimePoints: 'number',
  lifetimePurchases: 'number',
  promisedPoints: 'number',
  returnedPoints: 'number',
  cardsDetails: list(object({ number: 'string', series: 'string', status: 'string' })),
  challenges: list(CHALLENGE),
  rewards: REWARDS,
} as const;

const CONSENTS = object({
  collect: object({ val: CONSENT_VALUE }, ['val']),
  share: object({ val: CONSENT_VALUE }, ['val']),
  marketing: object({
    any: CONSENT,
    email: CONSENT_WITH_SUBSCRIPTIONS,
    sms: CONSENT_WITH_SUBSCRIPTIONS,
    push: CONSENT_WITH_SUBSCRIPTIONS,
    whatsApp: CONSENT_WITH_SUBSCRIPTIONS,
    call: CONSENT,
    postalMail: CONSENT,
  }),
});

/**
 * The fields that a profile record of a destination may have, apart from `identityMap`
 * (docs/platforms/adobe.md#xdm-fields). They include fields that the built-in mapping does not
 * write, so that a brand can map its custom fields to them.
 */
export const profileShape = memoizePerSchema((features, tenant) =>
  object({
    _id: 'uri-reference',
    person: PERSON,
    personalEmail: EMAIL,
    mobilePhone: PHONE,
    homePhone: PHONE,
    homeAddress: ADDRESS,
    mailingAddress: ADDRESS,
    billingAddress: ADDRESS,
    shippingAddress: ADDRESS,
    loyalty: object(features.loyalty2026 ? { ...LOYALTY_CLASSIC, ...LOYALTY_2026 } : LOYALTY_CLASSIC),
    preferredLanguage: { matching: /^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?$/ },
    timeZone: 'string',
    ...(features.consents ? { consents: CONSENTS } : {}),
    ...(features.sourceAudit
      ? { extSourceSystemAudit: object({ lastUpdatedDate: 'date-time', createdDate: 'date-time' }) }
      : {}),
    ...(tenant === undefined ? {} : { [tenant]: tenantShape(TENANT_PROFILE_FIELDS) }),
  }),
);
