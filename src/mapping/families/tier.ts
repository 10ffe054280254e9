import { toTimestamp } from '../../capillary/times.ts';
import type { Draft, Family, FamilyInput } from './family.ts';
import { ownStanding } from './program.ts';
import type { Reader } from '../reader.ts';

/** tierUpgraded (reference: capillary.md §4.11). */
export const mapTierUpgraded: Family = (input) =>
  tierChange(input, {
    eventType: 'loyalty.tierUpgraded',
    number: input.data.integer('upgradedTierNumber'),
    previousNumber: input.data.integer('previousTierNumber'),
    changeType: input.data.text('upgradeType'),
    upgradedAt: toTimestamp(input.at),
  });

/** tierDowngraded (reference: capillary.md §4.11): `downgradedTierNumber` is the new tier. */
export const mapTierDowngraded: Family = (input) =>
  tierChange(input, {
    eventType: 'loyalty.tierDowngraded',
    number: input.data.integer('downgradedTierNumber'),
    previousNumber: input.data.integer('previousTierNumber'),
  });

/** tierRenewed (reference: capillary.md §4.11). */
export const mapTierRenewed: Family = (input) =>
  tierChange(input, {
    eventType: 'loyalty.tierRenewed',
    number: input.data.integer('currentTierNumber'),
    changeType: input.data.text('renewType'),
  });

/** tierDowngradeReminder (reference: capillary.md §4.11): announces, changes nothing. */
export const mapTierDowngradeReminder: Family = ({ data }) => {
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
};

interface TierChange {
  readonly eventType: string;
  readonly number: number | undefined;
  readonly previousNumber?: number | undefined;
  readonly changeType?: string | undefined;
  readonly upgradedAt?: string;
}

function tierChange(input: FamilyInput, change: TierChange) {
  const { number, previousNumber, changeType } = change;
  const expiryDate = input.data.time('tierExpiryDate');
  const current = tierName(input.data, number);
  const previous = tierName(input.data, previousNumber);
  return {
    eventType: change.eventType,
    tenant: { tier: { previous, current, number, previousNumber, expiryDate, changeType } },
    ...(ownStanding(input) === 'main'
      ? { attributes: tierAttributes(input, current, change.upgradedAt, expiryDate) }
      : {}),
  };
}

/**
 * `upgradeDate` is the old name of `tierUpgradeDate`; a schema has the new one or not (reference: adobe.md
 * §5.3).
 */
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

/** Tier events give numbers only; the program's list names them. The number itself where it does not. */
function tierName(data: Reader, number: number | undefined): string | undefined {
  if (number === undefined) {
    return undefined;
  }
  const tiers = data.object('loyaltyProgramDetails').list('tiers');
  return tiers.find((tier) => tier.integer('tierNumber') === number)?.text('tierName') ?? String(number);
}
