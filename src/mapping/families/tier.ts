import { toTimestamp } from '../../capillary/times.ts';
import type { Reader } from '../reader.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';
import { ownProgramRole } from './program-balance.ts';

/** tierUpgraded (docs/platforms/capillary.md#tiers). */
export function mapTierUpgraded(input: FamilyInput): FamilyResult {
  return tierChange(input, {
    eventType: 'loyalty.tierUpgraded',
    number: input.data.integer('upgradedTierNumber'),
    previousNumber: input.data.integer('previousTierNumber'),
    changeType: input.data.text('upgradeType'),
    upgradedAt: toTimestamp(input.occurredAt),
  });
}

/** tierDowngraded: `downgradedTierNumber` is the new tier (docs/platforms/capillary.md#tiers). */
export function mapTierDowngraded(input: FamilyInput): FamilyResult {
  return tierChange(input, {
    eventType: 'loyalty.tierDowngraded',
    number: input.data.integer('downgradedTierNumber'),
    previousNumber: input.data.integer('previousTierNumber'),
  });
}

/** tierRenewed (docs/platforms/capillary.md#tiers). */
export function mapTierRenewed(input: FamilyInput): FamilyResult {
  return tierChange(input, {
    eventType: 'loyalty.tierRenewed',
    number: input.data.integer('currentTierNumber'),
    changeType: input.data.text('renewType'),
  });
}

/**
 * tierDowngradeReminder: an announcement; the profile does not change
 * (docs/platforms/capillary.md#tiers).
 */
export function mapTierDowngradeReminder({ data }: FamilyInput): FamilyResult {
  const number = data.integer('currentTierNumber');
  return {
    eventType: 'loyalty.tierDowngradeReminder',
    tenant: {
      tier: {
        current: tierName(data, number),
        number,
        scheduledDowngradeDate: data.time('scheduledDowngradeDate'),
      },
    },
  };
}

interface TierChange {
  readonly eventType: string;
  readonly number: number | undefined;
  readonly previousNumber?: number | undefined;
  readonly changeType?: string | undefined;
  readonly upgradedAt?: string;
}

function tierChange(input: FamilyInput, change: TierChange): FamilyResult {
  const { number, previousNumber, changeType } = change;
  const expiryDate = input.data.time('tierExpiryDate');
  const current = tierName(input.data, number);
  const previous = tierName(input.data, previousNumber);
  return {
    eventType: change.eventType,
    tenant: { tier: { previous, current, number, previousNumber, expiryDate, changeType } },
    ...(ownProgramRole(input) === 'main'
      ? { attributes: tierAttributes(input, current, change.upgradedAt, expiryDate) }
      : {}),
  };
}

/** `upgradeDate` is the old name of `tierUpgradeDate` (docs/platforms/adobe.md#profile-loyalty). */
function tierAttributes(
  { context }: FamilyInput,
  tier: string | undefined,
  upgradedAt: string | undefined,
  expiryDate: string | undefined,
): Draft {
  return context.destination.schemaFeatures.loyalty2026
    ? { 'loyalty.tier': tier, 'loyalty.tierUpgradeDate': upgradedAt, 'loyalty.tierExpiryDate': expiryDate }
    : { 'loyalty.tier': tier, 'loyalty.upgradeDate': upgradedAt };
}

/** The name from the program's list of tiers; the number as text if the list does not have it. */
function tierName(data: Reader, number: number | undefined): string | undefined {
  if (number === undefined) {
    return undefined;
  }
  const tiers = data.object('loyaltyProgramDetails').list('tiers');
  return tiers.find((tier) => tier.integer('tierNumber') === number)?.text('tierName') ?? String(number);
}
