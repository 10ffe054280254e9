import type { ProgramEntity } from '../../capillary/entities.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { Fact } from './facts.ts';

/*
 * What Capillary's API says about a customer's tier in one program is one fact,
 * `@p[<program>].standing`, of which the newest counts. It is apart from what events say about the
 * tier, so that neither replaces what only the other one knows.
 */
export const TIER_SNAPSHOT = 'standing';

/** A bound on the state; no program has nearly as many criteria. */
const MAX_GAPS = 20;

/** What is missing to a tier by one criterion, such as `CURRENT_POINTS`. */
export interface TierGap {
  readonly by: string;
  readonly gap: number;
}

/** What a snapshot says about one program. */
export interface TierSnapshot {
  readonly at: number;
  readonly by: string;
  /** Absent: the answer had no tier. */
  readonly tier: number | undefined;
  /** Epoch ms; null: never. */
  readonly expiresAt: number | null | undefined;
  /** Number of the next tier; null: there is none. */
  readonly next: number | null | undefined;
  /** Epoch ms at which the tier was reached; null after a downgrade. */
  readonly upgradedAt: number | null | undefined;
  /** Epoch ms of the last change or renewal of the tier. */
  readonly changedAt: number | undefined;
  readonly upgradeGaps: readonly TierGap[];
  readonly renewalGaps: readonly TierGap[];
}

/** The value of the fact. */
export function storedTier(program: ProgramEntity): JsonValue {
  const { name, isDefault, tier, tierExpiresAt, nextTier, tierChanges, upgradeGaps, renewalGaps } = program;
  const changed = tierChanges?.toSorted((a, b) => b.at - a.at);
  const last = changed?.find(({ type }) => type !== 'RENEWAL');
  const stored: { readonly [name: string]: JsonValue | undefined } = {
    ...(tier === undefined ? {} : { t: tier.number, x: tierExpiresAt ?? null, n: nextTier?.number ?? null }),
    u: last && (last.type === 'UPGRADE' ? last.at : null),
    c: changed?.[0]?.at,
    g: storedGaps(upgradeGaps),
    r: storedGaps(renewalGaps),
    // Records have names from the catalogue; these show when one has become known or changed.
    l: [name ?? null, tier?.name ?? null, nextTier?.name ?? null, isDefault ?? null],
  };
  const entries = Object.entries(stored).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as JsonObject;
}

function storedGaps(gaps: ProgramEntity['upgradeGaps']): JsonValue | undefined {
  return gaps === undefined || gaps.length === 0
    ? undefined
    : gaps.slice(0, MAX_GAPS).map(({ by, gap }) => [by, gap]);
}

/** True for the path of the fact. */
export function isTierSnapshot(path: string): boolean {
  return path.endsWith(`].${TIER_SNAPSHOT}`);
}

/** The snapshot among the facts of a program. */
export function tierSnapshotIn(facts: readonly Fact[] | undefined): TierSnapshot | undefined {
  const fact = facts?.find(({ name }) => name === TIER_SNAPSHOT);
  if (fact === undefined || !isJsonObject(fact.value)) {
    return undefined;
  }
  const { t, x, n, u, c, g, r } = fact.value;
  return {
    at: fact.at,
    by: fact.by,
    tier: numberOf(t),
    expiresAt: x === null ? null : numberOf(x),
    next: n === null ? null : numberOf(n),
    upgradedAt: u === null ? null : numberOf(u),
    changedAt: numberOf(c),
    upgradeGaps: gapsOf(g),
    renewalGaps: gapsOf(r),
  };
}

function numberOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function gapsOf(value: JsonValue | undefined): readonly TierGap[] {
  return (Array.isArray(value) ? value : []).flatMap((item) => {
    const [by, gap] = Array.isArray(item) ? item : [];
    return typeof by === 'string' && typeof gap === 'number' ? [{ by, gap }] : [];
  });
}
