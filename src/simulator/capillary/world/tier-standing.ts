import { earnedTier, endOfDay, type Program, type Tier, tierOf } from './brand.ts';

export interface TierChange {
  readonly type: 'UPGRADE' | 'DOWNGRADE' | 'RENEWAL';
  readonly from: Tier;
  readonly to: Tier;
  readonly at: number;
  readonly previousExpiresAt: number;
  readonly expiresAt: number;
  readonly notes: string;
  readonly storeId: number;
}

/** A member's tier in one program. */
export interface TierStanding {
  tier: Tier;
  /** A hundred years away in the lowest tier, which never ends. */
  expiresAt: number;
  readonly history: TierChange[];
  /** Points earned since the tier last changed or was renewed: what a renewal is judged by. */
  earnedSinceChange: number;
}

/** What a tier is judged by: an account. */
export interface TierHolder {
  readonly program: Program;
  readonly standing: TierStanding;
  readonly lifetimePoints: number;
}

/** Points that have to be earned in a period of a tier to keep it. */
export const RENEW_THRESHOLD = 300;

const TIER_DAYS = 365;
const NEVER_DAYS = 36_524;

export function expiryOfTier(tier: Tier, at: number): number {
  return endOfDay(at, tier.number === 1 ? NEVER_DAYS : TIER_DAYS);
}

export function nextTier(program: Program, { tier }: TierStanding): Tier | undefined {
  return program.tiers[tier.number];
}

/** Whether the lifetime points are enough for a higher tier. */
export function canUpgrade({ program, standing, lifetimePoints }: TierHolder): boolean {
  return earnedTier(program, lifetimePoints).number > standing.tier.number;
}

export interface TierMove {
  readonly type: TierChange['type'];
  readonly at: number;
  readonly notes: string;
  readonly storeId: number;
}

const STEPS: Readonly<Record<TierChange['type'], number>> = { UPGRADE: 1, DOWNGRADE: -1, RENEWAL: 0 };

/**
 * Moves the member one tier up or down, or renews the tier.
 *
 * @throws RangeError if there is no such tier
 */
export function moveTier({ program, standing }: TierHolder, move: TierMove): TierChange {
  const to = tierOf(program, standing.tier.number + STEPS[move.type]);
  const change = {
    ...move,
    from: standing.tier,
    to,
    previousExpiresAt: standing.expiresAt,
    expiresAt: expiryOfTier(to, move.at),
  };
  standing.tier = to;
  standing.expiresAt = change.expiresAt;
  standing.earnedSinceChange = 0;
  standing.history.push(change);
  return change;
}
