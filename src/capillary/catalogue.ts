/** Part of Capillary that an event comes from. */
export type EventArea =
  | 'customer'
  | 'transaction'
  | 'points'
  | 'alternate-currency'
  | 'tier'
  | 'promotion'
  | 'cart-promotion'
  | 'coupon'
  | 'reward'
  | 'badge'
  | 'card'
  | 'target'
  | 'streak'
  | 'group'
  | 'partner-program'
  | 'request'
  | 'label'
  | 'communication';

/**
 * Every event name that is publicly known, by area (reference: capillary.md §4.1). Case-sensitive; the list
 * grows over time.
 */
const NAMES_BY_AREA: Readonly<Record<EventArea, readonly string[]>> = {
  customer: [
    'customerAdded',
    'customerUpdated',
    'loyaltyCustomerMerge',
    'identifierReleased',
    'customerSubscription',
  ],
  transaction: [
    'transactionAdded',
    'transactionUpdated',
    'transactionRejected',
    'rejectedTransactionRetrigger',
    'notInterestedBillAdded',
    'retroBillAdded',
  ],
  points: [
    'pointsIssued',
    'pointsRedeemed',
    'pointsExpired',
    'pointsExpiryReminder',
    'pointsExpiryChange',
    'singlePointsExpiryUpdated',
    'issuedPointsReversed',
    'redeemedPointsReversed',
    'pointsTransferredInitiated',
    'pointsTransferredReceived',
    'promisedToCurrentPointsConversion',
    'manualPointsAdjustment',
  ],
  'alternate-currency': [
    'alternateCurrenciesIssued',
    'issuedAlternateCurrenciesReversed',
    'promisedToCurrentAlternateCurrencyConversion',
    'manualAlternateCurrencyAdjustment',
  ],
  tier: ['tierUpgraded', 'tierDowngraded', 'tierRenewed', 'tierDowngradeReminder'],
  promotion: [
    'promotionIssued',
    'promotionEarned',
    'promotionCreated',
    'promotionUpdated',
    'revokeIssuedPromotion',
    'revokeEarnedPromotion',
  ],
  'cart-promotion': [
    'cartPromotionIssued',
    'cartPromotionEarned',
    'cartPromotionRedeemed',
    'cartPromotionRevoked',
  ],
  coupon: ['CouponIssue', 'CouponRedeem', 'IssueBulkCoupon'],
  reward: [
    'rewardCreated',
    'rewardUpdated',
    'rewardIssued',
    'issueRewardFailure',
    'issueRewardPermanentFailure',
    'updateRewardTransaction',
    'rewardRedeemed',
    'rewardRedemptionReversed',
    'rewardRevoked',
    'rewardExpiryReminder',
  ],
  badge: ['badgeEarned'],
  card: ['cardUpdated'],
  target: [
    'targetCustomerEnrolment',
    'targetCustomerUnenrolment',
    'targetPeriodStarted',
    'targetPeriodCompleted',
    'targetValueUpdated',
    'targetAchievedValueUpdated',
    'targetValueAchieved',
    'unifiedTargetsAchieved',
    'unifiedTargetsUnAchieved',
  ],
  streak: [
    'streakCustomerEnrolment',
    'streakCustomerUnEnrolment',
    'streakStart',
    'streakEnd',
    'streakLevelAchieved',
    'streakLevelUnAchieved',
  ],
  group: [
    'groupCreated',
    'groupUpdated',
    'groupMemberAdded',
    'groupMemberRemoved',
    'pointsContributionToGroup',
  ],
  'partner-program': [
    'partnerProgramLinked',
    'partnerProgramUpdated',
    'partnerProgramDelinked',
    'supplementaryMembershipExpiryReminder',
  ],
  request: ['requestUpdated', 'requestWorkflowEvent'],
  label: [
    'labelCreated',
    'labelUpdated',
    'labelAssignmentCreated',
    'labelAssignmentUpdated',
    'labelAssignmentRemoved',
  ],
  communication: [
    'communicationMessageOpened',
    'communicationMessageClicked',
    'communicationMessageUndelivered',
  ],
};

const areas = Object.entries(NAMES_BY_AREA) as [EventArea, readonly string[]][];

/** Known event names and the area of each. */
export const CATALOGUE: ReadonlyMap<string, EventArea> = new Map(
  areas.flatMap(([area, names]) => names.map((name) => [name, area] as const)),
);

/**
 * The name as a metric label: a known name, else `other`, so that a sender cannot make endless time series.
 */
export const metricEventName = (name: string): string => (CATALOGUE.has(name) ? name : 'other');
