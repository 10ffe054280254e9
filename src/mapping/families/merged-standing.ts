import type { Facts, FamilyInput } from './family.ts';
import { listedPointsFacts, programFacts } from './program-balance.ts';

/**
 * The survivor's balances and tiers after a merge, as the event states them
 * (docs/platforms/capillary.md#merges).
 */
export function standingAfterMerge(input: FamilyInput): Facts {
  const programs = input.data.list('survivorCustomerLoyaltySummary').map((summary) => ({
    programId: summary.id('loyaltyProgramId'),
    points: summary.number('currentPoints'),
    lifetime: summary.number('lifetimePoints'),
    promised: summary.number('promisedPoints'),
    tier: summary.integer('tierNumber'),
    entry: {},
  }));
  const tiers = programs.flatMap(({ programId, promised, tier }) =>
    programFacts(programId, { promised, tier: tier !== undefined && tier > 0 ? tier : undefined }),
  );
  return [...listedPointsFacts(input, programs, 'data.survivorCustomerLoyaltySummary'), ...tiers];
}
