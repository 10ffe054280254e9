import { mapBadgeEarned } from './badge.ts';
import { mapCartPromotion, mapCartPromotionRedeemed } from './cart-promotion.ts';
import { mapCouponIssue, mapCouponRedeem } from './coupon.ts';
import {
  mapAlternateCurrenciesIssued,
  mapAlternateCurrenciesReversed,
  mapManualCurrencyAdjustment,
  mapPromisedCurrencyConversion,
} from './currency.ts';
import type { Family } from './family.ts';
import { mapGeneric } from './generic.ts';
import { mapManualPointsAdjustment, mapPromisedPointsConversion } from './points-conversion.ts';
import { mapSinglePointsExpiryUpdated } from './points-expiry.ts';
import { mapIssuedPointsReversed, mapRedeemedPointsReversed } from './points-reversal.ts';
import { mapPointsTransferredInitiated, mapPointsTransferredReceived } from './points-transfer.ts';
import { mapEarnedPromotionRevoked, mapIssuedPromotionRevoked, mapPromotionIssued } from './promotion.ts';
import { mapReward, mapRewardFailure, mapRewardTransactions } from './reward.ts';

/**
 * For an event whose payload is documented nowhere: what its siblings' field names find, and the whole data
 * as text as before, so that nothing is lost where the names differ.
 */
function withPayload(family: Family): Family {
  return (input) => {
    const result = family(input);
    return { ...result, tenant: { ...result.tenant, ...mapGeneric(input).tenant } };
  };
}

/** Corrections of points, alternate currencies, promotions, coupons, rewards and badges (reference: capillary.md §4.1). */
export const OFFER_FAMILIES: ReadonlyMap<string, Family> = new Map([
  ['issuedPointsReversed', mapIssuedPointsReversed],
  ['redeemedPointsReversed', mapRedeemedPointsReversed],
  ['pointsTransferredInitiated', mapPointsTransferredInitiated],
  ['pointsTransferredReceived', mapPointsTransferredReceived],
  ['promisedToCurrentPointsConversion', mapPromisedPointsConversion],
  ['manualPointsAdjustment', mapManualPointsAdjustment],
  ['singlePointsExpiryUpdated', mapSinglePointsExpiryUpdated],
  ['alternateCurrenciesIssued', mapAlternateCurrenciesIssued],
  ['issuedAlternateCurrenciesReversed', mapAlternateCurrenciesReversed],
  ['promisedToCurrentAlternateCurrencyConversion', mapPromisedCurrencyConversion],
  ['manualAlternateCurrencyAdjustment', withPayload(mapManualCurrencyAdjustment)],
  ['promotionIssued', mapPromotionIssued],
  ['revokeIssuedPromotion', mapIssuedPromotionRevoked],
  ['revokeEarnedPromotion', mapEarnedPromotionRevoked],
  ['cartPromotionIssued', mapCartPromotion],
  ['cartPromotionEarned', mapCartPromotion],
  ['cartPromotionRevoked', mapCartPromotion],
  ['cartPromotionRedeemed', mapCartPromotionRedeemed],
  ['CouponIssue', mapCouponIssue],
  ['IssueBulkCoupon', mapCouponIssue],
  ['CouponRedeem', mapCouponRedeem],
  ['rewardIssued', mapReward],
  ['rewardExpiryReminder', mapReward],
  ['rewardRedeemed', withPayload(mapReward)],
  ['rewardRedemptionReversed', withPayload(mapReward)],
  ['rewardRevoked', withPayload(mapReward)],
  ['updateRewardTransaction', mapRewardTransactions],
  ['issueRewardFailure', mapRewardFailure],
  ['issueRewardPermanentFailure', withPayload(mapRewardFailure)],
  ['badgeEarned', mapBadgeEarned],
]);
