import { mapCustomerAdded, mapCustomerUpdated } from './customer.ts';
import { ENGAGEMENT_FAMILIES } from './engagement.ts';
import type { Family } from './family.ts';
import { mapMerge } from './merge.ts';
import { OFFER_FAMILIES } from './offer-families.ts';
import { mapPointsExpired, mapPointsIssued, mapPointsRedeemed } from './points.ts';
import { mapPointsExpiryChange, mapPointsExpiryReminder } from './points-expiry.ts';
import { mapPromotionEarned } from './promotion.ts';
import { mapTierDowngraded, mapTierDowngradeReminder, mapTierRenewed, mapTierUpgraded } from './tier.ts';
import { mapTransactionAdded, mapTransactionUpdated } from './transaction.ts';

/** The event names that have a mapping of their own. */
export const FAMILIES: ReadonlyMap<string, Family> = new Map([
  ['customerAdded', mapCustomerAdded],
  ['customerUpdated', mapCustomerUpdated],
  ['transactionAdded', mapTransactionAdded],
  ['transactionUpdated', mapTransactionUpdated],
  ['pointsIssued', mapPointsIssued],
  ['pointsRedeemed', mapPointsRedeemed],
  ['pointsExpired', mapPointsExpired],
  ['pointsExpiryReminder', mapPointsExpiryReminder],
  ['pointsExpiryChange', mapPointsExpiryChange],
  ['tierUpgraded', mapTierUpgraded],
  ['tierDowngraded', mapTierDowngraded],
  ['tierRenewed', mapTierRenewed],
  ['tierDowngradeReminder', mapTierDowngradeReminder],
  ['promotionEarned', mapPromotionEarned],
  ['loyaltyCustomerMerge', mapMerge],
  ...OFFER_FAMILIES,
  ...ENGAGEMENT_FAMILIES,
]);
