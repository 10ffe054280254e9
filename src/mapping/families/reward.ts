import type { Reader } from '../reader.ts';
import { ownItems } from './common-fields.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';

/**
 * rewardIssued and rewardExpiryReminder (docs/platforms/capillary.md#coupons-and-rewards).
 * rewardRedeemed, rewardRedemptionReversed and rewardRevoked have no documented payload and are
 * read by the same field names.
 */
export function mapReward({ event, data }: FamilyInput): FamilyResult {
  return {
    eventType: `loyalty.${event.eventName}`,
    tenant: { reward: rewardFields(data) },
  };
}

/**
 * updateRewardTransaction: the fulfilment status of rewards
 * (docs/platforms/capillary.md#coupons-and-rewards).
 */
export function mapRewardTransactions(input: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.updateRewardTransaction',
    tenant: {
      rewardTransactions: ownItems(input, input.data.list('transactionUpdates'), (update) =>
        update.id('customerId'),
      ).map((update) => ({
        id: update.id('transactionId'),
        rewardId: update.id('rewardId'),
        fulfillmentStatus: update.text('fulfillmentStatus'),
      })),
    },
  };
}

/**
 * issueRewardFailure and issueRewardPermanentFailure: rewards that could not be issued
 * (docs/platforms/capillary.md#coupons-and-rewards).
 */
export function mapRewardFailure(input: FamilyInput): FamilyResult {
  return {
    eventType: `loyalty.${input.event.eventName}`,
    tenant: {
      rewardFailure: { requestId: input.data.id('requestId'), points: input.data.number('totalPoints') },
      failedRewards: failedRewards(input),
    },
  };
}

function rewardFields(data: Reader): Draft {
  const coupon = data.object('intouchRewardDetails');
  return {
    id: data.id('rewardId'),
    name: data.list('rewardDetails')[0]?.text('name'),
    type: data.text('type'),
    group: data.text('group'),
    label: data.text('label'),
    tier: data.text('tier'),
    redemptionType: data.text('redemptionType'),
    seriesId: data.id('intouchSeriesId'),
    transactionId: data.id('transactionId'),
    couponCode: coupon.id('intouchCouponCode'),
    codeExpiryDate: coupon.time('codeExpiry'),
    voucher: data.object('vendorRewardDetails').id('vendorVoucher'),
    vendor: data.object('vendorDetails').text('name'),
    points: data.number('intouchPoints'),
    startDate: data.startTime('startDate'),
    endDate: data.time('endDate'),
    issuedDate: data.startTime('issueDateTime'),
  };
}

/** Each reward with the step that failed; only the step if it names no reward. */
function failedRewards({ data }: FamilyInput): readonly Draft[] {
  return data.list('erroredSteps').flatMap((step) => {
    const failure = {
      step: step.text('name'),
      errorCode: step.id('errorCode'),
      errorMessage: step.text('errorMessage'),
    };
    const rewards = step.list('rewards').map((reward) => ({
      id: reward.id('id'),
      type: reward.text('type'),
      reference: reward.id('rewardReference'),
      transactionId: reward.id('transactionId'),
      quantity: reward.number('qty'),
      points: reward.number('points'),
      ...failure,
    }));
    return rewards.length > 0 ? rewards : [failure];
  });
}
