/**
 * The events of `events: recommended`: those of Adobe's own connector, and what keeps identities,
 * consents and amounts right.
 * Source: docs/platforms/capillary.md#recommended-events
 */
export const RECOMMENDED_EVENTS: readonly string[] = [
  'customerAdded',
  'customerUpdated',
  'transactionAdded',
  'transactionUpdated',
  'pointsIssued',
  'pointsRedeemed',
  'pointsExpired',
  'pointsExpiryReminder',
  'pointsExpiryChange',
  'tierUpgraded',
  'tierDowngraded',
  'tierRenewed',
  'tierDowngradeReminder',
  'promotionEarned',
  'loyaltyCustomerMerge',
  'identifierReleased',
  'requestUpdated',
  'customerSubscription',
  'issuedPointsReversed',
  'redeemedPointsReversed',
];
