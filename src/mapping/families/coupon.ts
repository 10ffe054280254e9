import { itemKey } from '../customer/kept-items.ts';
import { COUPONS } from '../customer/rewards.ts';
import type { Reader } from '../reader.ts';
import { ownItems } from './common-fields.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';
import { itemFacts, type ItemStatement } from './item-facts.ts';

/**
 * CouponIssue, and IssueBulkCoupon, whose payload can be named CouponIssue as well
 * (docs/platforms/capillary.md#coupons-and-rewards).
 */
export function mapCouponIssue(input: FamilyInput): FamilyResult {
  const { event, data } = input;
  const coupons = ownItems(input, data.list('coupons'), (coupon) =>
    coupon.object('customerIdentifiers').id('customerId'),
  );
  const series = data.object('series_info');
  const issued = coupons.map((coupon) => ({
    id: coupon.id('id'),
    code: coupon.id('code'),
    issuedDate: coupon.startTime('issued_on'),
    expiryDate: coupon.time('valid_till'),
  }));
  return {
    eventType: `loyalty.${event.eventName}`,
    tenant: {
      coupons: issued,
      couponSeries: seriesFields(series),
      couponIssueType: data.text('issualType'),
    },
    facts: itemFacts(
      input,
      issued.map(({ issuedDate, expiryDate, ...coupon }) =>
        couponStatement('issued', coupon, series, { startDate: issuedDate, endDate: expiryDate }),
      ),
    ),
  };
}

/** CouponRedeem (docs/platforms/capillary.md#coupons-and-rewards). */
export function mapCouponRedeem(input: FamilyInput): FamilyResult {
  const { data, context } = input;
  const coupon = data.object('coupon');
  const series = coupon.object('series_info');
  const bill = data.object('transaction');
  const [id, code] = [coupon.id('id'), coupon.id('code')];
  const redemption = {
    id: code ?? id,
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
          id,
          code,
          redemptionId: coupon.id('redemptionId'),
          redeemedDate: coupon.startTime('redemptionDate'),
        },
      ],
      couponSeries: seriesFields(series),
      transaction: { id: bill.id('bill_id'), number: bill.id('number') },
    },
    facts: itemFacts(input, [couponStatement('redeemed', { id, code }, series)]),
  };
}

/** The words for a discount that is an amount of money; others are percentages or gifts. */
const ABSOLUTE = /^abs(?:olute)?$/i;

function couponStatement(
  occurrence: 'issued' | 'redeemed',
  { id, code }: { readonly id: string | undefined; readonly code: string | undefined },
  series: Reader,
  dates: Draft = {},
): ItemStatement {
  const isAbsolute = ABSOLUTE.test(series.text('discount_type') ?? '');
  return {
    group: COUPONS,
    key: itemKey(id, code),
    occurrence,
    fields: {
      id,
      code,
      name: series.text('description'),
      series: series.id('id'),
      discountValue: isAbsolute ? series.number('discount_value') : undefined,
      ...dates,
    },
  };
}

function seriesFields(series: Reader): Draft {
  return {
    id: series.id('id'),
    description: series.text('description'),
    type: series.text('seriesType'),
    handlingType: series.text('clientHandlingType'),
    discountCode: series.id('discount_code'),
    discountType: series.text('discount_type'),
    discountValue: series.number('discount_value'),
    expiryDate: series.time('valid_till'),
  };
}
