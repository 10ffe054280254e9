import type { JsonObject } from '../../capillary/json.ts';
import { MAX_PAYLOAD_BYTES } from '../../xdm/xdm-record.ts';
import type { Notes } from '../mapping-notes.ts';
import {
  mapNotInterestedBill,
  mapRejectedBill,
  mapRetroBill,
  mapTransactionAdded,
  mapTransactionUpdated,
} from './bill.ts';
import { mapCouponIssue, mapCouponRedeem } from './coupon.ts';
import {
  mapAlternateCurrenciesIssued,
  mapAlternateCurrenciesReversed,
  mapManualCurrencyAdjustment,
  mapPromisedCurrencyConversion,
} from './currency.ts';
import { mapCustomerAdded, mapCustomerUpdated, mapMerge } from './customer-account.ts';
import type { Family, FamilyInput, FamilyResult } from './family.ts';
import { mapIdentifierRelease } from './released-identifiers.ts';
import { mapBadgeEarned, mapStreak, mapTarget } from './gamification.ts';
import { mapCardUpdated, mapGroup, mapPartnerProgram } from './membership.ts';
import { mapPointsExpired, mapPointsIssued, mapPointsRedeemed } from './points.ts';
import {
  mapIssuedPointsReversed,
  mapManualPointsAdjustment,
  mapPointsTransferredInitiated,
  mapPointsTransferredReceived,
  mapPromisedPointsConversion,
  mapRedeemedPointsReversed,
} from './points-corrections.ts';
import {
  mapPointsExpiryChange,
  mapPointsExpiryReminder,
  mapSinglePointsExpiryUpdated,
} from './points-expiry.ts';
import {
  mapCartPromotion,
  mapCartPromotionRedeemed,
  mapEarnedPromotionRevoked,
  mapIssuedPromotionRevoked,
  mapPromotionEarned,
  mapPromotionIssued,
} from './promotions.ts';
import { mapReward, mapRewardFailure, mapRewardTransactions } from './reward.ts';
import { mapSubscription } from './subscription.ts';
import { mapTierDowngraded, mapTierDowngradeReminder, mapTierRenewed, mapTierUpgraded } from './tier.ts';

/** Event name → its own mapping. */
export const FAMILIES: ReadonlyMap<string, Family> = new Map<string, Family>([
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
  ['identifierReleased', mapIdentifierRelease],

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
  ['manualAlternateCurrencyAdjustment', withPayloadText(mapManualCurrencyAdjustment)],
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
  ['rewardRedeemed', withPayloadText(mapReward)],
  ['rewardRedemptionReversed', withPayloadText(mapReward)],
  ['rewardRevoked', withPayloadText(mapReward)],
  ['updateRewardTransaction', mapRewardTransactions],
  ['issueRewardFailure', mapRewardFailure],
  ['issueRewardPermanentFailure', withPayloadText(mapRewardFailure)],
  ['badgeEarned', mapBadgeEarned],

  ['targetCustomerEnrolment', mapTarget],
  ['targetCustomerUnenrolment', mapTarget],
  ['targetPeriodStarted', mapTarget],
  ['targetPeriodCompleted', mapTarget],
  ['targetValueUpdated', mapTarget],
  ['targetAchievedValueUpdated', mapTarget],
  ['targetValueAchieved', mapTarget],
  ['unifiedTargetsAchieved', mapTarget],
  ['unifiedTargetsUnAchieved', mapTarget],
  ['streakCustomerEnrolment', mapStreak],
  ['streakCustomerUnEnrolment', mapStreak],
  ['streakStart', mapStreak],
  ['streakEnd', mapStreak],
  ['streakLevelAchieved', mapStreak],
  ['streakLevelUnAchieved', mapStreak],
  ['groupCreated', mapGroup],
  ['groupUpdated', mapGroup],
  ['groupMemberAdded', mapGroup],
  ['groupMemberRemoved', mapGroup],
  ['pointsContributionToGroup', mapGroup],
  ['partnerProgramLinked', mapPartnerProgram],
  ['partnerProgramUpdated', mapPartnerProgram],
  ['partnerProgramDelinked', mapPartnerProgram],
  ['supplementaryMembershipExpiryReminder', mapPartnerProgram],
  ['cardUpdated', mapCardUpdated],
  ['customerSubscription', mapSubscription],
  ['transactionRejected', mapRejectedBill],
  ['rejectedTransactionRetrigger', mapRejectedBill],
  ['notInterestedBillAdded', mapNotInterestedBill],
  ['retroBillAdded', mapRetroBill],
]);

/** The mapping of all other events: the common fields, and the data as JSON text for use in AEP. */
export function mapGeneric({ event, context, notes }: FamilyInput): FamilyResult {
  return {
    eventType: `loyalty.${event.eventName}`,
    ...(context.destination.tenant === undefined
      ? {}
      : { tenant: { payload: payloadText(event.data, notes) } }),
  };
}

/** In a text of any kind, other masks (`XXXX`, `###`) can be something else. */
const MASK = '**';

function withoutMasked(_key: string, value: unknown): unknown {
  return typeof value === 'string' && value.includes(MASK) ? undefined : value;
}

/** Truncated JSON cannot be parsed, so the text is either complete or absent. */
function payloadText(data: JsonObject, notes: Notes): string | undefined {
  const whole = Object.keys(data).length === 0 ? undefined : JSON.stringify(data);
  const text = whole?.includes(MASK) === true ? JSON.stringify(data, withoutMasked) : whole;
  if (text !== whole) {
    notes.add('data', 'masked');
  }
  if (text === undefined || Buffer.byteLength(text, 'utf8') <= MAX_PAYLOAD_BYTES) {
    return text;
  }
  notes.add('data', 'payload-left-out');
  return undefined;
}

/**
 * For an event whose payload is not documented: it is read by the field names of similar events,
 * and all of its data is sent as text too, so that nothing is lost where the names differ.
 */
function withPayloadText(family: Family): Family {
  return (input) => {
    const result = family(input);
    return { ...result, tenant: { ...result.tenant, ...mapGeneric(input).tenant } };
  };
}
