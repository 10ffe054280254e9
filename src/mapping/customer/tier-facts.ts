import { isNever, toTimestamp } from '../../capillary/times.ts';
import { type AttributeVersion, isNewer } from './attribute-version.ts';
import { type Fact, factNamed } from './facts.ts';
import type { Dated } from './dated.ts';
import { type TierSnapshot, tierSnapshotIn } from './tier-snapshot.ts';

/** A customer's tier in one program, as far as it is known. */
export interface TierStanding {
  /** The tier's name is not stored: it can become known later. */
  readonly tier: Dated<number> | undefined;
  /** null: the tier never expires. */
  readonly tierExpiry: Dated<string | null> | undefined;
  /** When the customer reached the tier; undefined after a downgrade. */
  readonly upgraded: Dated<string> | undefined;
  /** Set while the customer is about to lose the tier: when, or true if that is not known. */
  readonly risk: Dated<string | true> | undefined;
  /** What Capillary's API said last. */
  readonly snapshot: TierSnapshot | undefined;
}

/**
 * A customer's tier in one program: of what events and the newest snapshot say, the newer one
 * counts, for number, expiry and date of the upgrade separately.
 */
export function tierStandingOf(facts: readonly Fact[] | undefined): TierStanding {
  const stated = typed(factNamed(facts, 'tier'), 'number');
  const snapshot = tierSnapshotIn(facts);
  const expiry = expiryIn(typed(factNamed(facts, 'tierExpiry'), 'string'));
  return {
    tier: newerOf(stated, dated(snapshot, snapshot?.tier)),
    tierExpiry: newerOf(expiry, dated(snapshot, timestampOf(snapshot?.expiresAt))),
    upgraded: upgradedIn(facts, snapshot),
    risk: riskIn(facts, stated, snapshot),
    snapshot,
  };
}

/** An event says a date about a hundred years ahead if the tier never expires. */
function expiryIn(stated: Dated<string> | undefined): Dated<string | null> | undefined {
  return stated !== undefined && isNever(Date.parse(stated.value), stated.at)
    ? { ...stated, value: null }
    : stated;
}

function typed<Type extends 'number' | 'string'>(
  fact: Fact | undefined,
  type: Type,
): Dated<Type extends 'number' ? number : string> | undefined {
  return fact !== undefined && typeof fact.value === type
    ? { value: fact.value as Type extends 'number' ? number : string, at: fact.at, by: fact.by }
    : undefined;
}

function dated<Value extends number | string | null>(
  snapshot: TierSnapshot | undefined,
  value: Value | undefined,
): Dated<Value> | undefined {
  return snapshot === undefined || value === undefined
    ? undefined
    : { value, at: snapshot.at, by: snapshot.by };
}

function newerOf<Value extends number | string | null>(
  stated: Dated<Value> | undefined,
  ofSnapshot: Dated<Value> | undefined,
): Dated<Value> | undefined {
  return stated === undefined || (ofSnapshot !== undefined && isNewer(ofSnapshot, stated))
    ? ofSnapshot
    : stated;
}

function timestampOf(epochMs: number | null | undefined): string | null | undefined {
  return typeof epochMs === 'number' ? toTimestamp(epochMs) : epochMs;
}

/** Undefined after a downgrade. */
function upgradedIn(
  facts: readonly Fact[] | undefined,
  snapshot: TierSnapshot | undefined,
): Dated<string> | undefined {
  const upgraded = typed(factNamed(facts, 'upgraded'), 'string');
  const downgraded = factNamed(facts, 'downgraded');
  const stated =
    upgraded !== undefined && (downgraded === undefined || !isNewer(downgraded, upgraded))
      ? upgraded
      : undefined;
  const ofSnapshot = dated(snapshot, timestampOf(snapshot?.upgradedAt));
  const last = newerOf<string | null>(stated ?? blank(downgraded), ofSnapshot);
  return last === undefined || last.value === null ? undefined : { ...last, value: last.value };
}

function blank(fact: AttributeVersion | undefined): Dated<null> | undefined {
  return fact && { value: null, at: fact.at, by: fact.by };
}

/** A snapshot can expire at the end of a day and an announcement at its beginning. */
const SAME_EXPIRY_MS = 2 * 86_400_000;

/**
 * A newer event about the tier ends the risk. A newer snapshot does if the tier has changed since
 * the announcement, expires later than announced, or should have been lost by then.
 */
function riskIn(
  facts: readonly Fact[] | undefined,
  tier: Dated | undefined,
  snapshot: TierSnapshot | undefined,
): Dated<string | true> | undefined {
  const risk = factNamed(facts, 'risk');
  const { value, at, by } = risk ?? { value: null, at: 0, by: '' };
  const isOver = (tier !== undefined && !isNewer({ at, by }, tier)) || isEnded({ value, at, by }, snapshot);
  return !isOver && (typeof value === 'string' || value === true) ? { value, at, by } : undefined;
}

function isEnded({ value, at, by }: Dated, snapshot: TierSnapshot | undefined): boolean {
  if (snapshot === undefined || isNewer({ at, by }, snapshot)) {
    return false;
  }
  const { changedAt, expiresAt } = snapshot;
  const lossAt = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return (
    (changedAt !== undefined && changedAt > at) ||
    lossAt < snapshot.at ||
    expiresAt === null ||
    (expiresAt !== undefined && expiresAt > lossAt + SAME_EXPIRY_MS)
  );
}
