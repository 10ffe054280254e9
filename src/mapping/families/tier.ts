import type { JsonValue } from '../../capillary/json.ts';
import { toTimestamp } from '../../capillary/times.ts';
import type { Facts, FamilyInput, FamilyResult } from './family.ts';
import { ownProgramId, ownProgramRole, programFacts } from './program-balance.ts';

/** tierUpgraded (docs/platforms/capillary.md#tiers). */
export function mapTierUpgraded(input: FamilyInput): FamilyResult {
  return tierChange(input, {
    eventType: 'loyalty.tierUpgraded',
    number: input.data.integer('upgradedTierNumber'),
    previousNumber: input.data.integer('previousTierNumber'),
    changeType: input.data.text('upgradeType'),
    facts: { upgraded: toTimestamp(input.occurredAt) },
  });
}

/** tierDowngraded: `downgradedTierNumber` is the new tier (docs/platforms/capillary.md#tiers). */
export function mapTierDowngraded(input: FamilyInput): FamilyResult {
  return tierChange(input, {
    eventType: 'loyalty.tierDowngraded',
    number: input.data.integer('downgradedTierNumber'),
    previousNumber: input.data.integer('previousTierNumber'),
    facts: { downgraded: toTimestamp(input.occurredAt) },
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
 * tierDowngradeReminder: an announcement; the tier is at risk until a newer event about it
 * (docs/platforms/capillary.md#tiers).
 */
export function mapTierDowngradeReminder(input: FamilyInput): FamilyResult {
  const { data } = input;
  const number = data.integer('currentTierNumber');
  const scheduledDowngradeDate = data.time('scheduledDowngradeDate');
  return {
    eventType: 'loyalty.tierDowngradeReminder',
    tenant: { tier: { current: tierName(input, number), number, scheduledDowngradeDate } },
    facts: ownTierFacts(input, { risk: scheduledDowngradeDate ?? true }),
  };
}

interface TierChange {
  readonly eventType: string;
  readonly number: number | undefined;
  readonly previousNumber?: number | undefined;
  readonly changeType?: string | undefined;
  readonly facts?: { readonly [name: string]: string };
}

function tierChange(input: FamilyInput, change: TierChange): FamilyResult {
  const { number, previousNumber, changeType } = change;
  const expiryDate = input.data.time('tierExpiryDate');
  const current = tierName(input, number);
  const previous = tierName(input, previousNumber);
  return {
    eventType: change.eventType,
    tenant: {
      tier: {
        previous,
        current,
        number,
        previousNumber,
        expiryDate,
        changeType,
        notes: input.data.text('notes'),
      },
    },
    facts: ownTierFacts(input, { tier: number, tierExpiry: expiryDate, ...change.facts }),
  };
}

/** None for the tier of a group, or of a program that the event does not say. */
function ownTierFacts(input: FamilyInput, facts: { readonly [name: string]: JsonValue | undefined }): Facts {
  const programId = ownProgramId(input.data);
  if (ownProgramRole(input) === 'group') {
    return [];
  }
  if (programId === undefined) {
    input.notes.add('data.loyaltyProgramId', 'no-program');
  }
  return programFacts(programId, facts);
}

/** The name of a tier of the event's program; left out with a note if no event has said it. */
function tierName(input: FamilyInput, number: number | undefined): string | undefined {
  const programId = ownProgramId(input.data);
  if (number === undefined || programId === undefined) {
    return undefined;
  }
  const name = input.programs.tierNameOf(programId, number);
  if (name === undefined) {
    input.notes.add('data.loyaltyProgramDetails.tiers', 'unknown-name');
  }
  return name;
}
