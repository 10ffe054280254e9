import type { Draft, Family, FamilyInput } from './family.ts';
import type { Reader } from '../reader.ts';

/** cartPromotionIssued, cartPromotionEarned, cartPromotionRevoked (reference: events/documented). */
export const mapCartPromotion: Family = ({ event, data }) => ({
  eventType: `loyalty.${event.eventName}`,
  fields: { commerce: { promotionID: data.id('promotionId') } },
  tenant: {
    promotion: {
      id: data.id('promotionId'),
      issueId: data.id('issueId'),
      issuedDate: data.time('issueDate'),
      earnedId: data.id('earnId'),
      earnedDate: data.time('earnedTime'),
    },
  },
});

/**
 * cartPromotionRedeemed: promotions that gave a discount on a bill, as a whole or line by line (reference:
 * events/documented). `promotion.id` is there when it is a single one.
 */
export const mapCartPromotionRedeemed: Family = (input) => {
  const { data, context } = input;
  const applied = appliedPromotions(input);
  const id = new Set(applied.map((one) => one.id)).size === 1 ? applied[0]?.id : undefined;
  return {
    eventType: 'loyalty.cartPromotionRedeemed',
    fields: {
      commerce: { promotionID: id },
      ...(context.destination.schemaFeatures.loyaltyEvents
        ? { loyalty: { discounts: discounts(applied) } }
        : {}),
    },
    tenant: {
      promotion: { id, redeemedDate: data.time('redemptionDateTime') },
      appliedPromotions: applied,
      transaction: { id: data.id('transactionIdentifier') },
    },
  };
};

interface Applied {
  readonly id: string | undefined;
  readonly earnedId: string | undefined;
  readonly scope: 'item' | 'total';
  /** Of the line that got the discount. */
  readonly sku: string | undefined;
  readonly discount: number | undefined;
  readonly quantity: number | undefined;
  readonly redemptionCount: number | undefined;
  readonly redemptionType: string | undefined;
}

function appliedPromotions({ data }: FamilyInput): readonly Applied[] {
  const lines = data.list('lineItemInfo').flatMap((line) => {
    const sku = line.id('sku') ?? line.id('productId');
    return line.list('appliedPromotions').map((promotion) => appliedOf(promotion, 'item', sku));
  });
  return [...data.list('appliedPromotions').map((promotion) => appliedOf(promotion, 'total')), ...lines];
}

function appliedOf(promotion: Reader, scope: Applied['scope'], sku?: string): Applied {
  return {
    id: promotion.id('promotionId'),
    earnedId: promotion.id('earnId'),
    scope,
    sku,
    discount: promotion.number('discount'),
    quantity: promotion.number('discountAppliedOnQuantity'),
    redemptionCount: promotion.integer('redemptionCount'),
    redemptionType: promotion.text('redemptionType'),
  };
}

/** `scope` is in the words of Adobe's schema, which has none for a promotion as the source (reference: adobe.md §5.4). */
function discounts(applied: readonly Applied[]): readonly Draft[] {
  return applied
    .filter(({ discount }) => discount !== undefined)
    .map(({ id, scope, sku, discount }) => ({
      value: discount,
      source: 'promotion',
      scope,
      triggeredForItem: sku,
      promotionId: id,
    }));
}
