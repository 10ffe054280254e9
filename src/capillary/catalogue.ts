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
 * Every event name that is publicly known, by area, with what it means (reference: capillary.md §4.1).
 * Case-sensitive; the list grows over time.
 */
const MEANINGS_BY_AREA: Readonly<Record<EventArea, Readonly<Record<string, string>>>> = {
  customer: {
    customerAdded: 'A customer was registered.',
    customerUpdated: "A customer's details or status changed; a deletion is told this way too.",
    loyaltyCustomerMerge: 'Two customers were merged: the survivor takes over the victim.',
    identifierReleased: 'The identifiers of a merged customer are free to be used again.',
    customerSubscription: 'A customer opted in to or out of messages on a channel.',
  },
  transaction: {
    transactionAdded: 'A bill was added for a customer: a purchase, a return or a mix of both.',
    transactionUpdated: 'A bill that is already known changed.',
    transactionRejected: 'A bill was refused and counts for nothing until it is sent again.',
    rejectedTransactionRetrigger: 'A refused bill was tried again.',
    notInterestedBillAdded: 'A bill was added for somebody who is no member of the program.',
    retroBillAdded: 'An older bill was attached to a customer afterwards.',
  },
  points: {
    pointsIssued: 'A customer was given points.',
    pointsRedeemed: 'A customer spent points.',
    pointsExpired: 'Points of a customer expired.',
    pointsExpiryReminder: 'Points of a customer will expire soon.',
    pointsExpiryChange: 'Points will expire on another date than was told before.',
    singlePointsExpiryUpdated: 'The expiry date of one award of points was changed.',
    issuedPointsReversed: 'Points given before were taken back, for example after a return.',
    redeemedPointsReversed: 'Points spent before were given back.',
    pointsTransferredInitiated: 'A customer sent points to another; this is the side of the sender.',
    pointsTransferredReceived: 'A customer was sent points by another; this is the side of the receiver.',
    promisedToCurrentPointsConversion: 'Promised points became points that can be spent.',
    manualPointsAdjustment: "Staff corrected a customer's points by hand.",
  },
  'alternate-currency': {
    alternateCurrenciesIssued: 'A customer was given units of an alternate currency.',
    issuedAlternateCurrenciesReversed: 'Units of an alternate currency given before were taken back.',
    promisedToCurrentAlternateCurrencyConversion: 'Promised units of an alternate currency can be spent now.',
    manualAlternateCurrencyAdjustment: "Staff corrected a customer's alternate currency by hand.",
  },
  tier: {
    tierUpgraded: 'A customer rose to a higher tier.',
    tierDowngraded: 'A customer fell to a lower tier.',
    tierRenewed: 'A customer keeps the tier for another period.',
    tierDowngradeReminder: 'A customer will fall to a lower tier soon.',
  },
  promotion: {
    promotionIssued: 'A customer was made eligible for a promotion and has yet to earn it.',
    promotionEarned: 'A customer earned a promotion and may use it.',
    promotionCreated: 'A loyalty promotion was set up.',
    promotionUpdated: 'The set-up of a loyalty promotion changed.',
    revokeIssuedPromotion: 'A promotion that was issued to a customer was withdrawn.',
    revokeEarnedPromotion: 'A promotion that a customer had earned was withdrawn.',
  },
  'cart-promotion': {
    cartPromotionIssued: 'A customer was made eligible for a promotion on the cart.',
    cartPromotionEarned: 'A customer earned a promotion on the cart.',
    cartPromotionRedeemed: 'A customer used a promotion on a cart.',
    cartPromotionRevoked: 'A promotion on the cart was withdrawn from a customer.',
  },
  coupon: {
    CouponIssue: 'A customer was given a coupon.',
    CouponRedeem: 'A customer used a coupon.',
    IssueBulkCoupon: 'Coupons were given to many customers at once.',
  },
  reward: {
    rewardCreated: 'A reward was added to the catalogue.',
    rewardUpdated: 'A reward of the catalogue changed.',
    rewardIssued: 'A customer was given a reward.',
    issueRewardFailure: 'A reward could not be given; it may be tried again.',
    issueRewardPermanentFailure: 'A reward could not be given and will not be tried again.',
    updateRewardTransaction: 'The state of a reward that a customer was given changed.',
    rewardRedeemed: 'A customer used a reward.',
    rewardRedemptionReversed: 'The use of a reward was undone.',
    rewardRevoked: 'A reward was withdrawn from a customer.',
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
    targetCustomerUnenrolment: 'A customer was taken out of a milestone.',
    targetPeriodStarted: 'A period of a milestone began for a customer.',
    targetPeriodCompleted: 'A period of a milestone ended for a customer.',
    targetValueUpdated: 'The value that a customer has to reach for a milestone changed.',
    targetAchievedValueUpdated: 'A customer came nearer to the value of a milestone.',
    targetValueAchieved: 'A customer reached the value of a milestone.',
    unifiedTargetsAchieved: 'A customer reached a group of milestones that count as one.',
    unifiedTargetsUnAchieved:
      'A customer no longer reaches a group of milestones, for example after a return.',
  },
  streak: {
    streakCustomerEnrolment: 'A customer was enrolled in a streak.',
    streakCustomerUnEnrolment: 'A customer was taken out of a streak.',
    streakStart: 'A streak began for a customer.',
    streakEnd: 'A streak ended for a customer.',
    streakLevelAchieved: 'A customer reached a level of a streak.',
    streakLevelUnAchieved: 'A customer lost a level of a streak, for example after a return.',
  },
  group: {
    groupCreated: 'A group of customers was made, with its primary member.',
    groupUpdated: 'The details of a group changed.',
    groupMemberAdded: 'A customer joined a group.',
    groupMemberRemoved: 'A customer left a group.',
    pointsContributionToGroup: 'A member gave points to the group.',
  },
  'partner-program': {
    partnerProgramLinked: 'A customer joined a partner program.',
    partnerProgramUpdated: "A customer's membership in a partner program changed.",
    partnerProgramDelinked: 'A customer left a partner program.',
    supplementaryMembershipExpiryReminder: 'A supplementary membership of a customer will expire soon.',
  },
  request: {
    requestUpdated: 'The state of a request changed; a request to delete personal data is one.',
    requestWorkflowEvent: 'A request moved on in its approval workflow.',
  },
  label: {
    labelCreated: 'A label was set up.',
    labelUpdated: 'A label changed.',
    labelAssignmentCreated: 'A label was given to a customer or another entity.',
    labelAssignmentUpdated: 'The assignment of a label changed.',
    labelAssignmentRemoved: 'A label was taken away from a customer or another entity.',
  },
  communication: {
    communicationMessageOpened: 'A customer opened a message.',
    communicationMessageClicked: 'A customer clicked a link in a message.',
    communicationMessageUndelivered: 'A message could not be delivered.',
  },
};

const areas = Object.entries(MEANINGS_BY_AREA) as [EventArea, Readonly<Record<string, string>>][];

/** What is publicly known of an event name. */
export interface KnownEvent {
  readonly area: EventArea;
  /** A sentence for the integration engineer. */
  readonly meaning: string;
}

/** Known event names, with the area and the meaning of each. */
export const CATALOGUE: ReadonlyMap<string, KnownEvent> = new Map(
  areas.flatMap(([area, meanings]) =>
    Object.entries(meanings).map(([name, meaning]) => [name, { area, meaning }] as const),
  ),
);

/**
 * The name as a metric label: a known name, else `other`, so that a sender cannot make endless time series.
 */
export function metricEventName(name: string): string {
  return CATALOGUE.has(name) ? name : 'other';
}
