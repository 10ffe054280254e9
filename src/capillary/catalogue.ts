/** The part of Capillary that an event belongs to. */
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
 * All publicly known event names, by area, with their meanings
 * (docs/platforms/capillary.md#catalogue). Names are case-sensitive; Capillary adds new ones.
 */
const MEANINGS_BY_AREA: Readonly<Record<EventArea, Readonly<Record<string, string>>>> = {
  customer: {
    customerAdded: 'A customer was registered.',
    customerUpdated: "A customer's details or status changed; deletions are reported like this too.",
    loyaltyCustomerMerge: 'Two customers were merged: the survivor replaces the victim.',
    identifierReleased: 'The identifiers of a merged customer can be used again.',
    customerSubscription: 'A customer opted in to or out of messages on a channel.',
  },
  transaction: {
    transactionAdded: 'A bill was added for a customer: a purchase, a return or both.',
    transactionUpdated: 'An existing bill was changed.',
    transactionRejected: 'A bill was rejected and has no effect until it is sent again.',
    rejectedTransactionRetrigger: 'A rejected bill was tried again.',
    notInterestedBillAdded: 'A bill was added for somebody who is not a member of the program.',
    retroBillAdded: 'An older bill was assigned to a customer later.',
  },
  points: {
    pointsIssued: 'A customer received points.',
    pointsRedeemed: 'A customer spent points.',
    pointsExpired: 'Points of a customer expired.',
    pointsExpiryReminder: 'Points of a customer will expire soon.',
    pointsExpiryChange: 'The expiry date of points was changed.',
    singlePointsExpiryUpdated: 'The expiry date of one award of points was changed.',
    issuedPointsReversed: 'Issued points were taken back, for example after a return.',
    redeemedPointsReversed: 'Spent points were given back.',
    pointsTransferredInitiated: 'A customer transferred points to another; this is the event of the sender.',
    pointsTransferredReceived: 'A customer received points from another; this is the event of the receiver.',
    promisedToCurrentPointsConversion: 'Promised points became points that can be spent.',
    manualPointsAdjustment: "Staff adjusted a customer's points manually.",
  },
  'alternate-currency': {
    alternateCurrenciesIssued: 'A customer received units of an alternate currency.',
    issuedAlternateCurrenciesReversed: 'Issued units of an alternate currency were taken back.',
    promisedToCurrentAlternateCurrencyConversion: 'Promised units of an alternate currency can now be spent.',
    manualAlternateCurrencyAdjustment: "Staff adjusted a customer's alternate currency manually.",
  },
  tier: {
    tierUpgraded: 'A customer was upgraded to a higher tier.',
    tierDowngraded: 'A customer was downgraded to a lower tier.',
    tierRenewed: 'A customer keeps the tier for another period.',
    tierDowngradeReminder: 'A customer will soon be downgraded to a lower tier.',
  },
  promotion: {
    promotionIssued: 'A customer became eligible for a promotion but has not earned it yet.',
    promotionEarned: 'A customer earned a promotion and can use it.',
    promotionCreated: 'A loyalty promotion was created.',
    promotionUpdated: 'The settings of a loyalty promotion were changed.',
    revokeIssuedPromotion: 'A promotion that was issued to a customer was revoked.',
    revokeEarnedPromotion: 'A promotion that a customer had earned was revoked.',
  },
  'cart-promotion': {
    cartPromotionIssued: 'A customer became eligible for a cart promotion.',
    cartPromotionEarned: 'A customer earned a cart promotion.',
    cartPromotionRedeemed: 'A customer used a cart promotion.',
    cartPromotionRevoked: 'A cart promotion of a customer was revoked.',
  },
  coupon: {
    CouponIssue: 'A customer received a coupon.',
    CouponRedeem: 'A customer used a coupon.',
    IssueBulkCoupon: 'Coupons were issued to many customers at once.',
  },
  reward: {
    rewardCreated: 'A reward was added to the catalogue.',
    rewardUpdated: 'A reward of the catalogue was changed.',
    rewardIssued: 'A customer received a reward.',
    issueRewardFailure: 'A reward could not be issued; it may be retried.',
    issueRewardPermanentFailure: 'A reward could not be issued and will not be retried.',
    updateRewardTransaction: 'The state of an issued reward changed.',
    rewardRedeemed: 'A customer used a reward.',
    rewardRedemptionReversed: 'The redemption of a reward was reversed.',
    rewardRevoked: 'A reward of a customer was revoked.',
    rewardExpiryReminder: 'A reward of a customer will expire soon.',
  },
  badge: {
    badgeEarned: 'A customer earned a badge.',
  },
  card: {
    cardUpdated: 'The status or the details of a loyalty card changed.',
  },
  target: {
    targetCustomerEnrolment: 'A customer was enrolled in a milestone.',
    targetCustomerUnenrolment: 'A customer was removed from a milestone.',
    targetPeriodStarted: 'A period of a milestone began for a customer.',
    targetPeriodCompleted: 'A period of a milestone ended for a customer.',
    targetValueUpdated: 'The value that a customer has to reach for a milestone changed.',
    targetAchievedValueUpdated: 'A customer made progress towards the value of a milestone.',
    targetValueAchieved: 'A customer reached the value of a milestone.',
    unifiedTargetsAchieved: 'A customer reached a group of milestones that count as one.',
    unifiedTargetsUnAchieved:
      'A customer no longer reaches a group of milestones, for example after a return.',
  },
  streak: {
    streakCustomerEnrolment: 'A customer was enrolled in a streak.',
    streakCustomerUnEnrolment: 'A customer was removed from a streak.',
    streakStart: 'A streak began for a customer.',
    streakEnd: 'A streak ended for a customer.',
    streakLevelAchieved: 'A customer reached a level of a streak.',
    streakLevelUnAchieved: 'A customer lost a level of a streak, for example after a return.',
  },
  group: {
    groupCreated: 'A group of customers was created with its primary member.',
    groupUpdated: 'The details of a group changed.',
    groupMemberAdded: 'A customer joined a group.',
    groupMemberRemoved: 'A customer left a group.',
    pointsContributionToGroup: 'A member contributed points to the group.',
  },
  'partner-program': {
    partnerProgramLinked: 'A customer joined a partner program.',
    partnerProgramUpdated: "A customer's membership in a partner program changed.",
    partnerProgramDelinked: 'A customer left a partner program.',
    supplementaryMembershipExpiryReminder: 'A supplementary membership of a customer will expire soon.',
  },
  request: {
    requestUpdated: 'The state of a request changed, such as one to delete personal data.',
    requestWorkflowEvent: 'A request moved on in its approval workflow.',
  },
  label: {
    labelCreated: 'A label was created.',
    labelUpdated: 'A label was changed.',
    labelAssignmentCreated: 'A label was assigned to a customer or another entity.',
    labelAssignmentUpdated: 'The assignment of a label was changed.',
    labelAssignmentRemoved: 'A label was removed from a customer or another entity.',
  },
  communication: {
    communicationMessageOpened: 'A customer opened a message.',
    communicationMessageClicked: 'A customer clicked a link in a message.',
    communicationMessageUndelivered: 'A message could not be delivered.',
  },
};

const areas = Object.entries(MEANINGS_BY_AREA) as [EventArea, Readonly<Record<string, string>>][];

/** What is publicly known about an event name. */
export interface KnownEvent {
  readonly area: EventArea;
  /** A sentence for the integration engineer. */
  readonly meaning: string;
}

/** Known event names with area and meaning. */
export const CATALOGUE: ReadonlyMap<string, KnownEvent> = new Map(
  areas.flatMap(([area, meanings]) =>
    Object.entries(meanings).map(([name, meaning]) => [name, { area, meaning }] as const),
  ),
);

/**
 * The value of the metric label for an event name: a known name, else `other`, so that a sender
 * cannot create any number of time series.
 */
export function metricEventName(name: string): string {
  return CATALOGUE.has(name) ? name : 'other';
}
