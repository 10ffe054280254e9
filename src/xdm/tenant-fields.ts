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
  store: object({ ...CODE_AND_NAME, externalId: 'string' }),
  till: object(CODE_AND_NAME),
  program: object({ id: 'string', name: 'string', pointsToCurrencyRatio: 'number' }),
  customer: object({ source: 'string', loyaltyType: 'string' }),
  changes: list(object({ field: 'string', previous: 'string', current: 'string' })),
  transaction: object({
    id: 'string',
    type: 'string',
    deliveryStatus: 'string',
    grossAmount: 'number',
    lineItemCount: 'integer',
    lineItemsOmitted: 'integer',
    number: 'string',
  }),
  points: object({
    issued: 'number',
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
      awardId: 'string',
      promotionId: 'string',
      setType: 'string',
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
    issuedDate: 'date-time',
    redeemedDate: 'date-time',
  }),
  merge: object({ survivorId: 'string', victimId: 'string' }),
  ...TENANT_OFFER_FIELDS,
  ...TENANT_ENGAGEMENT_FIELDS,
  payload: 'string',
});

/** The fields that the relay writes below `<tenant>.capillary` of a profile. */
export const TENANT_PROFILE_FIELDS = openObject({
  programs: list(object({ id: 'string', points: 'number', lifetime: 'number' }, ['id'])),
  /** Set while the customer is about to lose the tier. */
  tier: object({ atRisk: 'boolean', downgradeDate: 'date-time' }),
});

/** The tenant's object: the relay's fields, and any fields of the brand. */
export function tenantShape(capillary: ObjectShape): ObjectShape {
  return openObject({ capillary });
}
