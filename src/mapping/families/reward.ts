import { itemKey, type Occurrence } from '../customer/kept-items.ts';
import { GIFTS } from '../customer/rewards.ts';
import type { Reader } from '../reader.ts';
import { ownItems } from './common-fields.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';
import { itemFacts } from './item-facts.ts';

/**
 * rewardIssued and rewardExpiryReminder (docs/platforms/capillary.md#coupons-and-rewards).
 * rewardRedeemed, rewardRedemptionReversed and rewardRevoked have no documented payload and are
 * read by the same field names.
 */
export function mapReward(input: FamilyInput): FamilyResult {
  const { event, data } = input;
  const reward = rewardFields(data);
  const { id, transactionId } = reward;
  const occurrence = OCCURRENCES.get(event.eventName) ?? 'listed';
  return {
    eventType: `loyalty.${event.eventName}`,
    tenant: { reward },
    facts: itemFacts(input, [
      {
        group: GIFTS,
        key: itemKey(transactionId, id),
        occurrence,
        fields: {
          id,
          transactionId,
          name: reward.name,
          series: reward.seriesId,
          type: reward.type,
          partnerId: data.object('vendorDetails').id('id'),
          partnerName: reward.vendor,
          startDate: reward.startDate,
          endDate: reward.endDate,
          code: reward.couponCode,
          codeExpiryDate: reward.codeExpiryDate,
          issuedDate: reward.issuedDate,
        },
      },
    ]),
  };
}

const OCCURRENCES: ReadonlyMap<string, Occurrence> = new Map([
  ['rewardIssued', 'issued'],
  ['rewardRedeemed', 'redeemed'],
  ['rewardRedemptionReversed', 'reversed'],
  ['rewardRevoked', 'revoked'],
  ['rewardExpiryReminder', 'reminded'],
]);

/**
 * updateRewardTransaction: the fulfilment status of rewards
 * (docs/platforms/capillary.md#coupons-and-rewards).
 */
export function mapRewardTransactions(input: FamilyInput): FamilyResult {
  const updates = ownItems(input, input.data.list('transactionUpdates'), (update) => update.id('customerId'));
  const rewardTransactions = updates.map((update) => ({
    id: update.id('transactionId'),
    rewardId: update.id('rewardId'),
    fulfillmentStatus: update.text('fulfillmentStatus'),
    customFields: keysAndValues(update.object('transactionCustomFields')),
  }));
  return {
    eventType: 'loyalty.updateRewardTransaction',
    tenant: { rewardTransactions },
    facts: itemFacts(
      input,
      rewardTransactions.map(({ id, rewardId, fulfillmentStatus }) => ({
        group: GIFTS,
        key: itemKey(id, rewardId),
        occurrence: 'fulfilled',
        fields: { id: rewardId, transactionId: id, fulfillmentStatus },
      })),
    ),
  };
}

/** The brand's own fields of a reward transaction: an object whose keys are their names. */
function keysAndValues(fields: Reader): readonly Draft[] {
  return Object.keys(fields.raw).map((key) => ({ key, value: fields.scalar(key) }));
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

function rewardFields(data: Reader) {
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
    priority: data.number('priority'),
    eventDate: data.startTime('eventDateTime'),
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
