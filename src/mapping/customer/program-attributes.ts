import { toTimestamp } from '../../capillary/times.ts';
import type { Notes } from '../mapping-notes.ts';
import type { ReadonlyAttributes } from './attribute-version.ts';
import type { FactsByCustomer } from './facts.ts';
import { statedLifetimeOf } from './lifetime-values.ts';
import { newestIn, PROGRAM_FACTS } from './points-history.ts';
import { UNKNOWN_PROGRAM } from './points-log.ts';
import { type PointsTotals, totalsOf } from './points-totals.ts';
import { type Dated, isAfter, newestOf, type ProgramStanding, standingOf } from './program-standing.ts';
import type { DerivedAttributes, RecordContext } from './record-context.ts';
import { nextTierOf, setOtherTier, setSnapshot } from './tier-attributes.ts';

/** What the attributes of programs depend on besides the facts. */
interface ProgramContext extends RecordContext {
  readonly notes: Notes;
  /** Attributes that are stored as such, for example by an older relay. */
  readonly stored: ReadonlyAttributes;
}

/** `loyalty` follows the main program; the balances of the others are below the tenant. */
export function deriveProgramAttributes(
  facts: FactsByCustomer,
  context: ProgramContext,
  derived: DerivedAttributes,
): void {
  const ids = new Set(facts.flatMap((groups) => [...(groups.get(PROGRAM_FACTS)?.keys() ?? [])]));
  ids.delete(UNKNOWN_PROGRAM);
  if (ids.size === 0) {
    return;
  }
  const main = mainProgramId(context);
  for (const id of [...ids].toSorted()) {
    if (id === main) {
      setMainProgram(id, facts, context, derived);
    } else {
      setOtherProgram(id, facts, context, derived);
    }
  }
}

function mainProgramId({ source, programs, notes }: ProgramContext): string | undefined {
  if (source.program !== undefined) {
    return String(source.program);
  }
  const main = programs.mainProgram();
  if (main?.isCertain === false) {
    notes.add('loyalty.program', 'default-program-unknown');
  }
  return main?.id;
}

/**
 * Each value of the lane's own customer; of those merged into it, the newest.
 *
 * @param path where an older relay stored the balance
 */
function standingIn(
  id: string,
  path: string,
  facts: FactsByCustomer,
  { stored }: ProgramContext,
): ProgramStanding {
  const [own, ...merged] = facts;
  const standing = standingOf(own ?? new Map(), id, numberIn(stored, path));
  if (merged.length === 0) {
    return standing;
  }
  const others = merged.map((customer) => ({
    ...standingOf(customer, id),
    lifetime: statedLifetimeOf(customer, id),
  }));
  const newestOther = <Name extends keyof ProgramStanding>(name: Name): ProgramStanding[Name] =>
    others.reduce<ProgramStanding[Name]>((newest, { [name]: dated }) => {
      const isNewest = dated !== undefined && (newest === undefined || isAfter(dated, newest));
      return isNewest ? dated : newest;
    }, undefined);
  return {
    points: standing.points ?? newestOther('points'),
    lifetime: standing.lifetime ?? newestOther('lifetime'),
    purchases: standing.purchases,
    tier: standing.tier ?? newestOther('tier'),
    tierExpiry: standing.tierExpiry ?? newestOther('tierExpiry'),
    upgraded: standing.upgraded ?? newestOther('upgraded'),
    risk: standing.risk ?? newestOther('risk'),
    snapshot: standing.snapshot,
  };
}

function numberIn(stored: ProgramContext['stored'], path: string): Dated<number> | undefined {
  const version = stored.get(path);
  return typeof version?.value === 'number'
    ? { value: version.value, at: version.at, by: version.by }
    : undefined;
}

function setMainProgram(
  id: string,
  facts: FactsByCustomer,
  context: ProgramContext,
  derived: DerivedAttributes,
): void {
  const { schemaFeatures, tenant } = context.destination;
  const { programs, notes } = context;
  const standing = standingIn(id, 'loyalty.points', facts, context);
  const { points, lifetime, purchases, tier, tierExpiry, upgraded, risk } = standing;
  derived.set('loyalty.points', points);
  if (points?.value === null) {
    notes.add('loyalty.points', 'balance-unknown');
  }
  const totals = totalsOf(facts, id, newestIn(facts));
  setTotals(totals, context, derived);
  const latest = newestOf<Pick<Dated, 'at' | 'by'>>(
    [points, lifetime, tier, risk, totals],
    (a, b) => a.at - b.at,
  );
  setName('loyalty.program', { name: programs.nameOf(id), id, based: latest }, context, derived);
  if (tier !== undefined) {
    const number = String(tier.value);
    const name = programs.tierNameOf(id, tier.value);
    setName('loyalty.tier', { name, id: number, based: tier }, context, derived);
  }
  if (schemaFeatures.loyalty2026) {
    derived.set('loyalty.lifetimePoints', lifetime);
    derived.set('loyalty.lifetimePurchases', purchases);
    derived.set('loyalty.tierExpiryDate', tierExpiry);
    derived.set('loyalty.tierUpgradeDate', upgraded);
    derived.set('loyalty.nextTier', nextTierOf(id, standing, programs));
  } else {
    derived.set('loyalty.upgradeDate', upgraded);
  }
  setSnapshot(standing, context.destination, derived);
  if (risk !== undefined && tenant !== undefined) {
    derived.set(`${tenant}.capillary.tier.atRisk`, { ...risk, value: true });
    derived.set(`${tenant}.capillary.tier.downgradeDate`, risk.value === true ? undefined : risk);
  }
}

/**
 * What is computed from the log of the program. An earlier list of expiring points is removed when
 * not all of them are known any more.
 */
function setTotals(
  totals: PointsTotals | undefined,
  { destination: { schemaFeatures }, notes }: ProgramContext,
  derived: DerivedAttributes,
): void {
  if (totals === undefined) {
    return;
  }
  const { at, by, lots, hasLots, sums, promised } = totals;
  if (lots === undefined && hasLots) {
    notes.add('loyalty.pointsExpiration', 'lots-unknown');
  }
  const list = (lots ?? []).map(([expiresAt, pointsExpiring]) => ({
    pointsExpiring,
    pointsExpirationDate: toTimestamp(expiresAt),
  }));
  derived.set('loyalty.pointsExpiration', { value: list.length === 0 ? null : list, at, by });
  const set = (path: string, value: number | undefined): void => {
    derived.set(path, value === undefined ? undefined : { value, at, by });
  };
  set('loyalty.pointsRedeemed', sums?.redeemed);
  if (schemaFeatures.loyalty2026) {
    set('loyalty.expiredPoints', sums?.expired);
    set('loyalty.adjustedPoints', sums?.adjusted);
    set('loyalty.returnedPoints', sums?.returned);
    set('loyalty.promisedPoints', promised);
  }
}

/**
 * A name that no event has said is left out. What an older relay wrote instead, the id, is removed;
 * so is the name of an earlier tier.
 */
function setName(
  path: string,
  { name, id, based }: { name: string | undefined; id: string; based: Pick<Dated, 'at' | 'by'> | undefined },
  { notes, stored }: ProgramContext,
  derived: DerivedAttributes,
): void {
  if (based === undefined) {
    return;
  }
  const { at, by } = based;
  if (name !== undefined) {
    derived.set(path, { value: name, at, by });
    return;
  }
  notes.add(path, 'unknown-name');
  if (path === 'loyalty.tier' || stored.get(path)?.value === id) {
    derived.set(path, { value: null, at, by });
  }
}

function setOtherProgram(
  id: string,
  facts: FactsByCustomer,
  context: ProgramContext,
  derived: DerivedAttributes,
): void {
  const { tenant } = context.destination;
  if (tenant === undefined) {
    return;
  }
  const path = `${tenant}.capillary.programs[${id}]`;
  const standing = standingIn(id, `${path}.points`, facts, context);
  const { points, lifetime } = standing;
  if (points?.value === null) {
    context.notes.add(`${path}.points`, 'balance-unknown');
  }
  derived.set(`${path}.points`, points);
  derived.set(`${path}.lifetime`, lifetime);
  if (standing.snapshot !== undefined) {
    setOtherTier(path, id, standing, context.programs, derived);
  }
}
