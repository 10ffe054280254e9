import type { JsonObject } from '../../capillary/json.ts';
import {
  bareIdentifiers,
  dated,
  type EventContent,
  type EventContext,
  type EventTemplate,
  forAnyCustomer,
  identifiers,
  loyaltyId,
  programDetails,
  userEntity,
} from './event-template.ts';
import { DEFAULT_PROGRAM, endOfDay, localDay } from './world/brand.ts';
import type { PointsAccount } from './world/points-account.ts';
import { canUpgrade, moveTier, type TierChange, type TierMove } from './world/tier-standing.ts';
import { accountOf, type WorldCustomer } from './world/world-customer.ts';

function base({ customer }: EventContext, customerIdentifiers: JsonObject): JsonObject {
  return {
    customerIdentifiers,
    entityInformation: userEntity(customer),
    loyaltyProgramDetails: programDetails(DEFAULT_PROGRAM),
    loyaltyProgramId: DEFAULT_PROGRAM.id,
  };
}

function batchEvent(context: EventContext, data: JsonObject): EventContent {
  return {
    data: { ...base(context, bareIdentifiers(context.customer)), ...data },
    ref: `tierjob-${DEFAULT_PROGRAM.id}-${context.serial}_b1`,
    loyaltyEventId: null,
  };
}

function move({ customer, at }: EventContext, type: TierMove['type'], notes: string): TierChange {
  return moveTier(accountOf(customer), { type, at, notes, storeId: customer.till.store.id });
}

function tierUpgradedContent(context: EventContext): EventContent {
  const { from, to, expiresAt, notes } = move(context, 'UPGRADE', 'moved up after a purchase');
  const data = {
    ...base(context, identifiers(context.customer)),
    previousTierNumber: from.number,
    upgradedTierNumber: to.number,
    ...dated('tierExpiryDate', expiresAt),
    notes,
    upgradeType: 'STRATEGY',
  };
  const id = loyaltyId(context.random);
  return { data, ref: id, loyaltyEventId: id };
}

function tierDowngradedContent(context: EventContext): EventContent {
  const { from, to, expiresAt } = move(context, 'DOWNGRADE', 'too few points in the period');
  return batchEvent(context, {
    downgradedTierNumber: to.number,
    previousTierNumber: from.number,
    ...dated('tierExpiryDate', expiresAt),
  });
}

function tierRenewedContent(context: EventContext): EventContent {
  const { to, expiresAt, notes } = move(context, 'RENEWAL', 'kept for another year');
  return batchEvent(context, {
    currentTierNumber: to.number,
    ...dated('tierExpiryDate', expiresAt),
    notes,
    renewType: 'STRATEGY',
  });
}

function downgradeReminderContent(context: EventContext): EventContent {
  const { tier, expiresAt } = accountOf(context.customer).standing;
  return batchEvent(context, {
    currentTierNumber: tier.number,
    scheduledDowngradeDate: localDay(expiresAt),
  });
}

function promotionEarnedContent(context: EventContext): EventContent {
  const { customer, at, serial } = context;
  return {
    data: {
      customerIdentifiers: identifiers(customer),
      loyaltyProgramId: DEFAULT_PROGRAM.id,
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

function forAccount(fits: (account: PointsAccount) => boolean, make: EventTemplate['make']): EventTemplate {
  return { fits: (customer: WorldCustomer) => fits(accountOf(customer)), make };
}

function isAboveLowest({ standing }: PointsAccount): boolean {
  return standing.tier.number > 1;
}

/**
 * Tier and promotion events by name (docs/platforms/capillary.md#tiers,
 * docs/platforms/capillary.md#promotions).
 */
export const TIER_TEMPLATES: Readonly<Record<string, EventTemplate>> = {
  tierUpgraded: forAccount(canUpgrade, tierUpgradedContent),
  tierDowngraded: forAccount(isAboveLowest, tierDowngradedContent),
  tierRenewed: forAccount(isAboveLowest, tierRenewedContent),
  tierDowngradeReminder: forAccount(isAboveLowest, downgradeReminderContent),
  promotionEarned: forAnyCustomer(promotionEarnedContent),
};
