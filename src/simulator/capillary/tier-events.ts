import type { JsonObject } from '../../capillary/json.ts';
import {
  forAnyCustomer,
  bareIdentifiers,
  dated,
  endOfDay,
  type EventContent,
  type EventContext,
  type EventTemplate,
  identifiers,
  localDay,
  loyaltyId,
  PROGRAM_ID,
  programDetails,
  TOP_TIER,
  userEntity,
} from './event-template.ts';

function base({ customer }: EventContext, customerIdentifiers: JsonObject): JsonObject {
  return {
    customerIdentifiers,
    entityInformation: userEntity(customer),
    loyaltyProgramDetails: programDetails(),
    loyaltyProgramId: PROGRAM_ID,
  };
}

function batchEvent(context: EventContext, data: JsonObject): EventContent {
  return {
    data: { ...base(context, bareIdentifiers(context.customer)), ...data },
    ref: `tierjob-${PROGRAM_ID}-${context.serial}_b1`,
    loyaltyEventId: null,
  };
}

function expiry(at: number, days: number): JsonObject {
  return dated('tierExpiryDate', endOfDay(at, days));
}

function tierUpgradedContent(context: EventContext): EventContent {
  const { customer, random, at } = context;
  const previousTierNumber = customer.tier;
  customer.tier += 1;
  const data = {
    ...base(context, identifiers(customer)),
    previousTierNumber,
    upgradedTierNumber: customer.tier,
    ...expiry(at, 365),
    notes: 'moved up after a purchase',
    upgradeType: 'STRATEGY',
  };
  const id = loyaltyId(random);
  return { data, ref: id, loyaltyEventId: id };
}

function tierDowngradedContent(context: EventContext): EventContent {
  const previousTierNumber = context.customer.tier;
  context.customer.tier -= 1;
  // The lowest tier has no end: its expiry date is a hundred years away.
  const days = context.customer.tier === 1 ? 36_524 : 365;
  return batchEvent(context, {
    downgradedTierNumber: context.customer.tier,
    previousTierNumber,
    ...expiry(context.at, days),
  });
}

function tierRenewedContent(context: EventContext): EventContent {
  return batchEvent(context, {
    currentTierNumber: context.customer.tier,
    ...expiry(context.at, 365),
    notes: 'kept for another year',
    renewType: 'STRATEGY',
  });
}

function downgradeReminderContent(context: EventContext): EventContent {
  return batchEvent(context, {
    currentTierNumber: context.customer.tier,
    scheduledDowngradeDate: localDay(endOfDay(context.at, 30)),
  });
}

function promotionEarnedContent(context: EventContext): EventContent {
  const { customer, at, serial } = context;
  return {
    data: {
      customerIdentifiers: identifiers(customer),
      loyaltyProgramId: PROGRAM_ID,
      promotionId: 7_701,
      promotionName: 'Double points on green tea',
      ...dated('promotionStartDate', endOfDay(at, -30)),
      ...dated('promotionEndDate', endOfDay(at, 60)),
      promotionEarnedDate: localDay(at),
      ...dated('promotionEarnedExpiryDate', endOfDay(at, 60)),
      promotionDescription: '',
      pointsOfferType: 'LOYALTY_EARNING',
      customFields: [],
      issualId: 12_000_000 + serial,
      earnedId: 13_000_000 + serial,
      earnRestrictions: [{ limitOn: 'CUSTOMER', kpi: 'MAX_NUMBER_OF_EARNS_PER_CUSTOMER', maxLimit: 3 }],
      redemptionRestrictions: [],
    },
    ref: loyaltyId(context.random),
    loyaltyEventId: null,
  };
}

function forTiers(lowest: number, highest: number, make: EventTemplate['make']): EventTemplate {
  return {
    fits: ({ tier }) => tier >= lowest && tier <= highest,
    prepare: (customer) => {
      customer.tier = lowest;
    },
    make,
  };
}

/**
 * Tier and promotion events by name (docs/platforms/capillary.md#tiers,
 * docs/platforms/capillary.md#promotions).
 */
export const TIER_TEMPLATES: Readonly<Record<string, EventTemplate>> = {
  tierUpgraded: forTiers(1, TOP_TIER - 1, tierUpgradedContent),
  tierDowngraded: forTiers(2, TOP_TIER, tierDowngradedContent),
  tierRenewed: forTiers(2, TOP_TIER, tierRenewedContent),
  tierDowngradeReminder: forTiers(2, TOP_TIER, downgradeReminderContent),
  promotionEarned: forAnyCustomer(promotionEarnedContent),
};
