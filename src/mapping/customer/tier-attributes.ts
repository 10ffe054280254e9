import type { JsonValue } from '../../capillary/json.ts';
import type { Programs } from '../program-catalogue.ts';
import { type Dated, isAfter, type ProgramStanding } from './program-standing.ts';
import type { DerivedAttributes, RecordContext } from './record-context.ts';
import type { TierGap, TierSnapshot } from './tier-snapshot.ts';

/*
 * Attributes of a tier that only Capillary's API states, and those of other programs than the main
 * one (docs/mapping.md#enrichment).
 */

/** The name of the next tier: the one that the API says, else the one with the next number. */
export function nextTierOf(
  programId: string,
  { tier, snapshot }: ProgramStanding,
  programs: Programs,
): Dated<string | null> | undefined {
  if (tier === undefined) {
    return undefined;
  }
  const next = isOfTier(snapshot, tier) ? snapshot.next : undefined;
  if (next === null) {
    return { ...tier, value: null };
  }
  const name = programs.tierNameOf(programId, next ?? tier.value + 1);
  return name === undefined ? undefined : { ...tier, value: name };
}

/** The gaps of the main program, and its purchases if `loyalty` has no field for them. */
export function setSnapshot(
  standing: ProgramStanding,
  { schemaFeatures, tenant }: RecordContext['destination'],
  derived: DerivedAttributes,
): void {
  const { snapshot } = standing;
  if (snapshot === undefined) {
    return;
  }
  const { upgradeGaps } = gapsOf(standing);
  if (schemaFeatures.loyalty2026) {
    const ofPoints = upgradeGaps.filter(({ by }) => isOfPoints(by)).map(({ gap }) => gap);
    derived.set('loyalty.pointsToNextTier', {
      ...versionOf(snapshot),
      value: ofPoints.length === 0 ? null : Math.min(...ofPoints),
    });
  }
  if (tenant !== undefined) {
    setGaps(`${tenant}.capillary.tier`, standing, derived);
    if (!schemaFeatures.loyalty2026) {
      derived.set(`${tenant}.capillary.lifetimePurchases`, standing.purchases);
    }
  }
}

/** The tier in a program other than the main one, once the API has said it. @param path its item */
export function setOtherTier(
  path: string,
  programId: string,
  standing: ProgramStanding,
  programs: Programs,
  derived: DerivedAttributes,
): void {
  const { tier, tierExpiry, upgraded, purchases, snapshot } = standing;
  if (snapshot === undefined) {
    return;
  }
  derived.set(`${path}.name`, valueOf(snapshot, programs.nameOf(programId)));
  derived.set(`${path}.lifetimePurchases`, purchases);
  if (tier === undefined) {
    return;
  }
  const name = programs.tierNameOf(programId, tier.value);
  derived.set(`${path}.tier`, name === undefined ? undefined : { ...tier, value: name });
  derived.set(`${path}.tierNumber`, tier);
  derived.set(`${path}.tierExpiryDate`, tierExpiry);
  derived.set(`${path}.tierUpgradeDate`, upgraded);
  derived.set(`${path}.nextTier`, nextTierOf(programId, standing, programs));
  setGaps(path, standing, derived);
}

function setGaps(path: string, standing: ProgramStanding, derived: DerivedAttributes): void {
  const { snapshot } = standing;
  if (snapshot !== undefined) {
    const { upgradeGaps, renewalGaps } = gapsOf(standing);
    derived.set(`${path}.gapsToUpgrade`, { ...versionOf(snapshot), value: listOf(upgradeGaps) });
    derived.set(`${path}.gapsToRenew`, { ...versionOf(snapshot), value: listOf(renewalGaps) });
  }
}

function listOf(gaps: readonly TierGap[]): JsonValue {
  return gaps.length === 0 ? null : gaps.map(({ by, gap }) => ({ by, gap }));
}

/**
 * The gaps that still hold: none after a newer event about the tier, and none in points after one
 * about points.
 */
function gapsOf({ tier, points, snapshot }: ProgramStanding): {
  readonly upgradeGaps: readonly TierGap[];
  readonly renewalGaps: readonly TierGap[];
} {
  if (snapshot === undefined || (tier !== undefined && !isOfTier(snapshot, tier))) {
    return { upgradeGaps: [], renewalGaps: [] };
  }
  const hasMoved = points !== undefined && isAfter(points, snapshot);
  const holds = ({ by }: TierGap): boolean => !hasMoved || !isOfPoints(by);
  return {
    upgradeGaps: snapshot.upgradeGaps.filter(holds),
    renewalGaps: snapshot.renewalGaps.filter(holds),
  };
}

/** Criteria such as `CURRENT_POINTS` and `LIFETIME_POINTS`. */
function isOfPoints(criterion: string): boolean {
  return /points/i.test(criterion);
}

function isOfTier(snapshot: TierSnapshot | undefined, tier: Dated): snapshot is TierSnapshot {
  return snapshot !== undefined && tier.at === snapshot.at && tier.by === snapshot.by;
}

function versionOf({ at, by }: TierSnapshot): Pick<Dated, 'at' | 'by'> {
  return { at, by };
}

function valueOf<Value extends string | number>(
  snapshot: TierSnapshot,
  value: Value | undefined,
): Dated<Value> | undefined {
  return value === undefined ? undefined : { ...versionOf(snapshot), value };
}
