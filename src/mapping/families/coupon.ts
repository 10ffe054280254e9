import type { Reader } from '../reader.ts';
import { ownItems } from './common-fields.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';

/**
 * CouponIssue, and IssueBulkCoupon, whose payload can be named CouponIssue as well
 * (docs/platforms/capillary.md#coupons-and-rewards).
 */
export function mapCouponIssue(input: FamilyInput): FamilyResult {
  const { event, data } = input;
  const coupons = ownItems(input, data.list('coupons'), (coupon) =>
    coupon.object('customerIdentifiers').id('customerId'),
  );
  return {
    eventType: `loyalty.${event.eventName}`,
    tenant: {
      coupons: coupons.map((coupon) => ({
        id: coupon.id('id'),
        code: coupon.id('code'),
        issuedDate: coupon.startTime('issued_on'),
        expiryDate: coupon.time('valid_till'),
      })),
      couponSeries: seriesFields(data.object('series_info')),
      couponIssueType: data.text('issualType'),
    },
  };
}

/** CouponRedeem (docs/platforms/capillary.md#coupons-and-rewards). */
export function mapCouponRedeem({ data, context }: FamilyInput): FamilyResult {
  const coupon = data.object('coupon');
  const series = coupon.object('series_info');
  const bill = data.object('transaction');
  const redemption = {
    id: coupon.id('code') ?? coupon.id('id'),
    series: series.id('id'),
    seriesName: series.text('description'),
  };
  return {
    eventType: 'loyalty.CouponRedeem',
    ...(context.destination.schemaFeatures.loyaltyEvents
      ? { fields: { loyalty: { couponRedemption: [redemption] } } }
      : {}),
    tenant: {
      coupons: [
        {
          id: coupon.id('id'),
          code: coupon.id('code'),
          redemptionId: coupon.id('redemptionId'),
          redeemedDate: coupon.startTime('redemptionDate'),
        },
      ],
      couponSeries: seriesFields(series),
      transaction: { id: bill.id('bill_id'), number: bill.id('number') },
    },
  };
}

function seriesFields(series: Reader): Draft {
  return {
    id: series.id('id'),
    description: series.text('description'),
    type: series.text('seriesType'),
    discountCode: series.id('discount_code'),
    discountType: series.text('discount_type'),
    discountValue: series.number('discount_value'),
    expiryDate: series.time('valid_till'),
  };
}
