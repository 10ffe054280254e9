import type { Reader } from '../reader.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';

/**
 * promotionEarned: the customer can use a promotion now (docs/platforms/capillary.md#promotions).
 */
export function mapPromotionEarned({ data }: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.promotionEarned',
    tenant: {
      promotion: {
        ...promotionFields(data),
        earnedId: data.id('earnedId'),
        issueId: data.id('issualId'),
        earnedDate: data.startTime('promotionEarnedDate'),
        expiryDate: data.time('promotionEarnedExpiryDate'),
      },
    },
  };
}

/**
 * promotionIssued: the customer can earn a promotion now (docs/platforms/capillary.md#promotions).
 */
export function mapPromotionIssued({ data }: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.promotionIssued',
    tenant: { promotion: { ...promotionFields(data), issueId: data.id('issualId'), ...issueDates(data) } },
  };
}

/** revokeIssuedPromotion: reverses promotionIssued (docs/platforms/capillary.md#promotions). */
export function mapIssuedPromotionRevoked({ data }: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.revokeIssuedPromotion',
    tenant: {
      promotion: { ...promotionFields(data), issueId: data.id('revokedIssualId'), ...issueDates(data) },
    },
  };
}

/**
 * revokeEarnedPromotion: reverses promotionEarned, also several times
 * (docs/platforms/capillary.md#promotions).
 */
export function mapEarnedPromotionRevoked({ data }: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.revokeEarnedPromotion',
    tenant: {
      promotion: promotionFields(data),
      revokedPromotions: data.list('revokedEarnedPromotionDetails').map((revoked) => ({
        earnedId: revoked.id('revokedEarnedId'),
        earnedDate: revoked.startTime('promotionEarnedDate'),
        expiryDate: revoked.time('promotionEarnedExpiryDate'),
      })),
    },
  };
}

function promotionFields(data: Reader): Draft {
  return {
    id: data.id('promotionId'),
    name: data.text('promotionName'),
    startDate: data.startTime('promotionStartDate'),
    endDate: data.time('promotionEndDate'),
    offerType: data.text('pointsOfferType'),
    description: data.text('promotionDescription'),
    earnSource: data.text('promotionEarnSource'),
    earnCriteria: data.text('earnCriteria'),
    restrictions: [
      ...restrictions('issue', data.list('issueRestrictions')),
      ...restrictions('earn', data.list('earnRestrictions')),
      ...restrictions('redemption', data.list('redemptionRestrictions')),
    ],
    linkedTargets: linkedTargets(data.object('linkedTargetGroupVsTargetRuleIdMap')),
  };
}

/** @param of what is restricted */
function restrictions(of: 'issue' | 'earn' | 'redemption', items: readonly Reader[]): readonly Draft[] {
  return items.map((restriction) => ({
    of,
    limitOn: restriction.text('limitOn'),
    kpi: restriction.text('kpi'),
    type: restriction.text('restrictionType'),
    periodType: restriction.text('periodType'),
    periodUnit: restriction.text('periodUnit'),
    maxLimit: restriction.number('maxLimit'),
    refreshDate: restriction.time('restrictionRefreshDate'),
  }));
}

/** The target groups of a promotion, whose ids are keys, with the ids of their rules. */
function linkedTargets(groups: Reader): readonly Draft[] {
  return Object.keys(groups.raw).map((groupId) => ({ groupId, ruleIds: groups.scalars(groupId) }));
}

function issueDates(data: Reader): Draft {
  return {
    issuedDate: data.startTime('promotionIssuedDate'),
    expiryDate: data.time('promotionIssuedExpiryDate'),
  };
}

/**
 * cartPromotionIssued, cartPromotionEarned, cartPromotionRevoked
 * (docs/platforms/capillary.md#promotions).
 */
export function mapCartPromotion({ event, data }: FamilyInput): FamilyResult {
  return {
    eventType: `loyalty.${event.eventName}`,
    tenant: {
      promotion: {
        id: data.id('promotionId'),
        issueId: data.id('issueId'),
        issuedDate: data.startTime('issueDate'),
        earnedId: data.id('earnId'),
        earnedDate: data.startTime('earnedTime'),
      },
    },
  };
}

/**
 * cartPromotionRedeemed: promotions that gave a discount on the whole bill or on lines of it
 * (docs/platforms/capillary.md#promotions). `promotion.id` is set if it is a single promotion.
 */
export function mapCartPromotionRedeemed(input: FamilyInput): FamilyResult {
  const { data, context } = input;
  const applied = appliedPromotions(input);
  const id = new Set(applied.map((promotion) => promotion.id)).size === 1 ? applied[0]?.id : undefined;
  return {
    eventType: 'loyalty.cartPromotionRedeemed',
    ...(context.destination.schemaFeatures.loyaltyEvents
      ? { fields: { loyalty: { discounts: discounts(applied) } } }
      : {}),
    tenant: {
      promotion: { id, redeemedDate: data.startTime('redemptionDateTime') },
      appliedPromotions: applied,
      transaction: { id: data.id('transactionIdentifier') },
    },
  };
}

interface AppliedPromotion {
  readonly id: string | undefined;
  readonly earnedId: string | undefined;
  readonly scope: 'item' | 'total';
  /** SKU of the discounted line. */
  readonly sku: string | undefined;
  readonly productId: string | undefined;
  readonly discount: number | undefined;
  readonly quantity: number | undefined;
  readonly redemptionCount: number | undefined;
  readonly redemptionType: string | undefined;
}

function appliedPromotions({ data }: FamilyInput): readonly AppliedPromotion[] {
  const lines = data
    .list('lineItemInfo')
    .flatMap((line) =>
      line.list('appliedPromotions').map((promotion) => toAppliedPromotion(promotion, 'item', line)),
    );
  return [
    ...data.list('appliedPromotions').map((promotion) => toAppliedPromotion(promotion, 'total')),
    ...lines,
  ];
}

function toAppliedPromotion(
  promotion: Reader,
  scope: AppliedPromotion['scope'],
  line?: Reader,
): AppliedPromotion {
  const productId = line?.id('productId');
  return {
    id: promotion.id('promotionId'),
    earnedId: promotion.id('earnId'),
    scope,
    sku: line?.id('sku') ?? productId,
    productId,
    discount: promotion.number('discount'),
    quantity: promotion.number('discountAppliedOnQuantity'),
    redemptionCount: promotion.integer('redemptionCount'),
    redemptionType: promotion.text('redemptionType'),
  };
}

/**
 * `scope` uses the examples of Adobe's schema; for `source` the schema has no example of a
 * promotion (docs/platforms/adobe.md#event-loyalty).
 */
function discounts(applied: readonly AppliedPromotion[]): readonly Draft[] {
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
