import { list, object } from './shape.ts';

/**
 * Fields below `<tenant>.capillary` of an ExperienceEvent for points corrections, alternate
 * currencies, promotions, coupons, rewards and badges.
 */
export const TENANT_OFFER_FIELDS = {
  /** The event's points by type: the regular ones, then those of each promotion or program. */
  pointsBreakdown: list(
    object({
      points: 'number',
      type: 'string',
      programId: 'string',
      promotionId: 'string',
      promotionName: 'string',
      awardId: 'string',
    }),
  ),
  /** Each id is a customerId, or the id of a group. */
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
      productId: 'string',
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
    handlingType: 'string',
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
    priority: 'number',
    eventDate: 'date-time',
  }),
  rewardTransactions: list(
    object({
      id: 'string',
      rewardId: 'string',
      fulfillmentStatus: 'string',
      customFields: list(object({ key: 'string', value: 'string' })),
    }),
  ),
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
    constraints: list(
      object({
        level: 'string',
        type: 'string',
        rollType: 'string',
        rollValue: 'number',
        maxEarnLimit: 'number',
        currentEarnCount: 'number',
      }),
    ),
  }),
} as const;

const TARGET = {
  id: 'string',
  name: 'string',
  groupId: 'string',
  groupName: 'string',
  periodId: 'string',
  periodName: 'string',
  description: 'string',
  definedValue: 'number',
  achievedValue: 'number',
} as const;

/**
 * Fields below `<tenant>.capillary` of an ExperienceEvent for targets, streaks, groups, partner
 * programs, cards, subscriptions, and bills that are not plain purchases.
 */
export const TENANT_ENGAGEMENT_FIELDS = {
  target: object({
    ...TARGET,
    source: 'string',
    defaultValue: 'number',
    eventValue: 'number',
    periodStartDate: 'date-time',
    cycleStartDate: 'date-time',
    /** The activity that changed the target, by its name and id. */
    eventName: 'string',
    eventId: 'string',
    returnId: 'string',
  }),
  targets: list(object(TARGET)),
  unifiedTarget: object({
    combinationType: 'string',
    aggregation: 'string',
    ruleExpression: 'string',
    thresholdValue: 'number',
  }),
  milestones: list(
    object({
      id: 'string',
      name: 'string',
      valueType: 'string',
      definedValue: 'number',
      achievedDate: 'date-time',
    }),
  ),
  streaks: list(
    object({
      id: 'string',
      userStreakId: 'string',
      name: 'string',
      description: 'string',
      level: 'string',
      levelCount: 'integer',
      levelValues: list('string'),
      achievedLevels: list('string'),
      achievedLevelCount: 'integer',
      value: 'number',
      enrolledDate: 'date-time',
      unenrolledDate: 'date-time',
      startDate: 'date-time',
      endDate: 'date-time',
      levelAchievedDate: 'date-time',
    }),
  ),
  group: object({
    id: 'string',
    name: 'string',
    type: 'string',
    pointsContributed: 'number',
    members: list(object({ customerId: 'string', role: 'string' })),
  }),
  partnerProgram: object({
    id: 'string',
    name: 'string',
    type: 'string',
    updateType: 'string',
    membershipNumber: 'string',
    tierNumber: 'integer',
    tierExpiryDate: 'date-time',
    membershipExpiryDate: 'date-time',
    scheduledExpiryDate: 'date-time',
  }),
  card: object({
    number: 'string',
    type: 'string',
    series: 'string',
    status: 'string',
    previousStatus: 'string',
    statusReason: 'string',
    previousStatusReason: 'string',
  }),
  subscriptions: list(
    object({
      channel: 'string',
      priority: 'string',
      previous: 'string',
      current: 'string',
      source: 'string',
      accountId: 'string',
      orgUnitId: 'string',
      orgUnitCode: 'string',
    }),
  ),
  rejection: object({
    type: 'string',
    retriggerId: 'string',
    attempts: 'integer',
    date: 'date-time',
    reasons: list(object({ reason: 'string', details: 'string' })),
  }),
  /** Lines of a bill that `productListItems` lacks, or has only in part. */
  lineItems: list(
    object({
      sku: 'string',
      name: 'string',
      type: 'string',
      quantity: 'number',
      amount: 'number',
      discount: 'number',
    }),
  ),
  /** Means of payment of a bill that `order.payments` lacks, or whose kind it does not say. */
  tenders: list(object({ id: 'string', mode: 'string', amount: 'number' })),
  retroBill: object({ attachedDate: 'date-time' }),
} as const;
