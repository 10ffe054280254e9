import { TENANT_OFFER_FIELDS, TENANT_ENGAGEMENT_FIELDS } from './tenant-family-fields.ts';
import { list, object, type ObjectShape, openObject } from './shape.ts';

const CODE_AND_NAME = { code: 'string', name: 'string' } as const;

/**
 * The fields that the relay writes below `<tenant>.capillary` of an ExperienceEvent.
 * docs/mapping.md abbreviates that path as `T.`.
 */
export const TENANT_EVENT_FIELDS = openObject({
  event: object({
    name: 'string',
    id: 'string',
    orgId: 'string',
    referenceId: 'string',
    requestId: 'string',
    loyaltyEventId: 'string',
  }),
  customerId: 'string',
  store: object({ ...CODE_AND_NAME, externalId: 'string', externalId1: 'string', externalId2: 'string' }),
  till: object(CODE_AND_NAME),
  /** What caused the event. */
  activity: object({
    name: 'string',
    requestId: 'string',
    identifiers: list(object({ key: 'string', value: 'string' })),
    attributes: list(object({ key: 'string', value: 'string' })),
  }),
  /** Capillary's id of the till or user that entered it. */
  enteredBy: object({ id: 'string' }),
  program: object({ id: 'string', name: 'string', pointsToCurrencyRatio: 'number' }),
  customer: object({
    source: 'string',
    accountId: 'string',
    loyaltyType: 'string',
    status: 'string',
    previousStatus: 'string',
    statusLabel: 'string',
    previousStatusLabel: 'string',
    statusReason: 'string',
  }),
  changes: list(
    object({
      field: 'string',
      previous: 'string',
      current: 'string',
      source: 'string',
      accountId: 'string',
      type: 'string',
    }),
  ),
  transaction: object({
    id: 'string',
    type: 'string',
    deliveryStatus: 'string',
    grossAmount: 'number',
    lineItemCount: 'integer',
    lineItemsOmitted: 'integer',
    number: 'string',
    /** The id that the till gave to the bill. */
    clientId: 'string',
    outlierStatus: 'string',
    retro: 'boolean',
    date: 'date-time',
    enteredDate: 'date-time',
    /** Only of a bill whose amounts are not in `commerce.order`. */
    amount: 'number',
    discount: 'number',
    /** When the API said what the event does not. */
    readDate: 'date-time',
    /** Points of the bill at `readDate`. */
    points: list(
      object({
        programId: 'string',
        programName: 'string',
        issued: 'number',
        redeemed: 'number',
        returned: 'number',
        promised: 'number',
      }),
    ),
  }),
  points: object({
    issued: 'number',
    regular: 'number',
    redeemed: 'number',
    expired: 'number',
    scheduledToExpire: 'number',
    balance: 'number',
    lifetime: 'number',
    currencyValue: 'number',
    expiryDate: 'date-time',
    issuedReversed: 'number',
    promisedReversed: 'number',
    returned: 'number',
    redeemedReversed: 'number',
    redeemedReversedExpired: 'number',
    transferred: 'number',
    converted: 'number',
    deducted: 'number',
    redemptionId: 'string',
    redemptionBillNumber: 'string',
    isGroupRedemption: 'boolean',
    notes: 'string',
  }),
  /** Points that the customer gets later. */
  promisedPoints: list(
    object({
      points: 'number',
      conversionDate: 'date-time',
      promotionId: 'string',
      isExternalTriggerBased: 'boolean',
    }),
  ),
  expiries: list(object({ points: 'number', date: 'date-time' })),
  expiryChanges: list(
    object({
      points: 'number',
      previousDate: 'date-time',
      newDate: 'date-time',
      reason: 'string',
      programId: 'string',
      type: 'string',
      note: 'string',
      setType: 'string',
      awardId: 'string',
      promotionId: 'string',
    }),
  ),
  tier: object({
    previous: 'string',
    current: 'string',
    number: 'integer',
    previousNumber: 'integer',
    expiryDate: 'date-time',
    scheduledDowngradeDate: 'date-time',
    changeType: 'string',
    notes: 'string',
  }),
  promotion: object({
    id: 'string',
    name: 'string',
    earnedId: 'string',
    issueId: 'string',
    startDate: 'date-time',
    endDate: 'date-time',
    earnedDate: 'date-time',
    expiryDate: 'date-time',
    offerType: 'string',
    description: 'string',
    earnSource: 'string',
    earnCriteria: 'string',
    restrictions: list(
      object({
        /** `issue`, `earn` or `redemption`. */
        of: 'string',
        limitOn: 'string',
        kpi: 'string',
        type: 'string',
        periodType: 'string',
        periodUnit: 'string',
        maxLimit: 'number',
        refreshDate: 'date-time',
      }),
    ),
    linkedTargets: list(object({ groupId: 'string', ruleIds: list('string') })),
    issuedDate: 'date-time',
    redeemedDate: 'date-time',
  }),
  merge: object({ survivorId: 'string', victimId: 'string' }),
  release: object({ mergeEventId: 'string', date: 'date-time' }),
  ...TENANT_OFFER_FIELDS,
  ...TENANT_ENGAGEMENT_FIELDS,
  payload: 'string',
  /** `incomplete` if what Capillary's API could have added is missing. */
  enrichment: 'string',
});

const OWNED = {
  id: 'string',
  name: 'string',
  series: 'string',
  state: 'string',
  startDate: 'date-time',
  endDate: 'date-time',
} as const;

/** What is missing to a tier by one criterion, such as `CURRENT_POINTS`. */
const GAPS = list(object({ by: 'string', gap: 'number' }));

/** The fields that the relay writes below `<tenant>.capillary` of a profile. */
export const TENANT_PROFILE_FIELDS = openObject({
  programs: list(
    object(
      {
        id: 'string',
        points: 'number',
        lifetime: 'number',
        name: 'string',
        tier: 'string',
        tierNumber: 'integer',
        tierExpiryDate: 'date-time',
        tierUpgradeDate: 'date-time',
        nextTier: 'string',
        gapsToUpgrade: GAPS,
        gapsToRenew: GAPS,
        lifetimePurchases: 'number',
      },
      ['id'],
    ),
  ),
  coupons: list(object({ ...OWNED, code: 'string', discountValue: 'number' })),
  rewards: list(
    object({
      ...OWNED,
      type: 'string',
      partnerId: 'string',
      partnerName: 'string',
      transactionId: 'string',
      code: 'string',
      codeExpiryDate: 'date-time',
      issuedDate: 'date-time',
      fulfillmentStatus: 'string',
    }),
  ),
  badges: list(
    object({ id: 'string', state: 'string', startDate: 'date-time', issueId: 'string', earnedId: 'string' }),
  ),
  challenges: list(
    object({
      ...OWNED,
      description: 'string',
      tasks: list(
        object({ name: 'string', type: 'string', goal: 'number', progress: 'number', state: 'string' }),
      ),
    }),
  ),
  member: 'boolean',
  loyaltyType: 'string',
  active: 'boolean',
  tier: object({
    /** Set while the customer is about to lose the tier. */
    atRisk: 'boolean',
    downgradeDate: 'date-time',
    gapsToUpgrade: GAPS,
    gapsToRenew: GAPS,
  }),
  /** Only if `loyalty` of the schema has no field for them. */
  lifetimePurchases: 'number',
  cards: list(object({ number: 'string', series: 'string', status: 'string' })),
});

/** The tenant's object: the relay's fields, and any fields of the brand. */
export function tenantShape(capillary: ObjectShape): ObjectShape {
  return openObject({ capillary });
}
