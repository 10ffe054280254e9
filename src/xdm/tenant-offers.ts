import { list, object } from './shape.ts';

/**
 * What the relay writes below `<tenant>.capillary` of an ExperienceEvent on corrections of points, alternate
 * currencies, promotions, coupons, rewards and badges.
 */
export const OFFER_EVENT_FIELDS = {
  /** Where points of the event belong: the regular ones, then those of each promotion or program. */
  pointsBreakdown: list(
    object({
      points: 'number',
      type: 'string',
      programId: 'string',
      promotionId: 'string',
      promotionName: 'string',
    }),
  ),
  /** The other party of a transfer: a customerId, or the id of a group. */
  transfer: object({
    senderId: 'string',
    senderType: 'string',
    recipientId: 'string',
    recipientType: 'string',
  }),
  conversion: object({ type: 'string', source: 'string', billId: 'string' }),
  adjustment: object({ reason: 'string' }),
  currencies: list(
    object({
      id: 'string',
      name: 'string',
      issued: 'number',
      reversed: 'number',
      promisedReversed: 'number',
      returned: 'number',
      converted: 'number',
      balance: 'number',
      lifetime: 'number',
    }),
  ),
  currencyExpiries: list(object({ currencyId: 'string', amount: 'number', date: 'date-time' })),
  revokedPromotions: list(object({ earnedId: 'string', earnedDate: 'date-time', expiryDate: 'date-time' })),
  appliedPromotions: list(
    object({
      id: 'string',
      earnedId: 'string',
      /** `item` or `total`. */
      scope: 'string',
      sku: 'string',
      discount: 'number',
      quantity: 'number',
      redemptionCount: 'integer',
      redemptionType: 'string',
    }),
  ),
  coupons: list(
    object({
      id: 'string',
      code: 'string',
      issuedDate: 'date-time',
      expiryDate: 'date-time',
      redemptionId: 'string',
      redeemedDate: 'date-time',
    }),
  ),
  couponSeries: object({
    id: 'string',
    description: 'string',
    type: 'string',
    discountCode: 'string',
    discountType: 'string',
    discountValue: 'number',
    expiryDate: 'date-time',
  }),
  couponIssueType: 'string',
  reward: object({
    id: 'string',
    name: 'string',
    type: 'string',
    group: 'string',
    label: 'string',
    tier: 'string',
    redemptionType: 'string',
    seriesId: 'string',
    transactionId: 'string',
    couponCode: 'string',
    voucher: 'string',
    vendor: 'string',
    points: 'number',
    startDate: 'date-time',
    endDate: 'date-time',
    issuedDate: 'date-time',
    codeExpiryDate: 'date-time',
  }),
  rewardTransactions: list(object({ id: 'string', rewardId: 'string', fulfillmentStatus: 'string' })),
  rewardFailure: object({ requestId: 'string', points: 'number' }),
  failedRewards: list(
    object({
      id: 'string',
      type: 'string',
      reference: 'string',
      transactionId: 'string',
      quantity: 'number',
      points: 'number',
      step: 'string',
      errorCode: 'string',
      errorMessage: 'string',
    }),
  ),
  badge: object({
    id: 'string',
    issueId: 'string',
    issuedDate: 'date-time',
    earnedId: 'string',
    earnedDate: 'date-time',
  }),
} as const;
