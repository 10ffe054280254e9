import type { IdentityRules } from '../identity-rules.ts';
import type { Notes } from '../mapping-notes.ts';
import type { MappingContext } from '../mapping-result.ts';
import type { Programs } from '../program-catalogue.ts';
import { deriveChallenges } from './challenges.ts';
import type { AttributeVersion, CustomerState } from './customer-state.ts';
import type { FactGroups } from './facts.ts';
import {
  activeIn,
  isMemberType,
  isNonMember,
  JOIN_DATE,
  joinDateIn,
  loyaltyTypeIn,
} from './loyalty-membership.ts';
import { type Dated, isAfter, PROGRAM_FACTS, type ProgramStanding, standingIn } from './program-standing.ts';
import { deriveRewards } from './rewards.ts';

/** What a record depends on besides the state of the customer. */
export interface RecordContext {
  readonly source: Pick<MappingContext['source'], 'program'>;
  readonly destination: Pick<
    MappingContext['destination'],
    'identity' | 'tenant' | 'schemaFeatures' | 'consents'
  >;
  /** The programs of the customer's organisation. */
  readonly programs: Programs;
  /** Absent: every stored identity is sent as it is. */
  readonly rules?: IdentityRules;
}

/** The facts of each customer of a lane: its own, then those of the customers merged into it. */
export type FactsByCustomer = readonly FactGroups[];

/** Collects the attributes of a record that are computed from facts. */
export interface DerivedAttributes {
  readonly attributes: Map<string, AttributeVersion>;
  set(path: string, value: Dated | undefined): void;
}

/**
 * The attributes that are computed from the facts of a lane's customers. Each has the version of
 * the newest fact that it is based on. A value that is not known to be true is left out.
 *
 * @param clock the clock of the state, by which items are over
 */
export function deriveAttributes(
  facts: FactsByCustomer,
  context: RecordContext,
  notes: Notes,
  clock: number,
): ReadonlyMap<string, AttributeVersion> {
  const attributes = new Map<string, AttributeVersion>();
  const derived: DerivedAttributes = {
    attributes,
    set(path, dated) {
      if (dated !== undefined) {
        attributes.set(path, { value: dated.value, at: dated.at, by: dated.by });
      }
    },
  };
  deriveProgramAttributes(facts, context, notes, derived);
  const items = { destination: context.destination, clock };
  const set = (path: string, dated: Dated | undefined): void => derived.set(path, dated);
  deriveRewards(facts, items, set);
  deriveChallenges(facts, items, set);
  deriveMembership(facts, context, derived);
  return attributes;
}

/** A customer outside the loyalty program has joined nothing. */
function deriveMembership(
  facts: FactsByCustomer,
  { destination: { tenant } }: RecordContext,
  derived: DerivedAttributes,
): void {
  if (!isNonMember(facts)) {
    derived.set(JOIN_DATE, joinDateIn(facts));
  }
  if (tenant === undefined) {
    return;
  }
  const type = loyaltyTypeIn(facts);
  derived.set(`${tenant}.capillary.loyaltyType`, type);
  const isMember = typeof type?.value === 'string' ? isMemberType(type.value) : undefined;
  if (type !== undefined && isMember !== undefined) {
    derived.set(`${tenant}.capillary.member`, { value: isMember, at: type.at, by: type.by });
  }
  derived.set(`${tenant}.capillary.active`, activeIn(facts));
}

/** `loyalty` follows the main program; the balances of the others are below the tenant. */
function deriveProgramAttributes(
  facts: FactsByCustomer,
  context: RecordContext,
  notes: Notes,
  derived: DerivedAttributes,
): void {
  const ids = new Set(facts.flatMap((groups) => [...(groups.get(PROGRAM_FACTS)?.keys() ?? [])]));
  if (ids.size === 0) {
    return;
  }
  const main = mainProgramId(context, notes);
  for (const id of [...ids].toSorted()) {
    const standing = firstKnown(facts.map((groups) => standingIn(groups.get(PROGRAM_FACTS)?.get(id))));
    if (id === main) {
      setMainProgram(id, standing, context, notes, derived);
    } else {
      setOtherProgram(id, standing, context, derived);
    }
  }
}

/** Each value of the lane's own customer; of those merged into it, the newest. */
function firstKnown([own = {}, ...merged]: readonly ProgramStanding[]): ProgramStanding {
  const newest = new Map<string, Dated>();
  for (const standing of merged) {
    for (const [name, dated] of Object.entries(standing) as [string, Dated][]) {
      const known = newest.get(name);
      if (known === undefined || isAfter(dated, known)) {
        newest.set(name, dated);
      }
    }
  }
  return { ...Object.fromEntries(newest), ...own };
}

function mainProgramId({ source, programs }: RecordContext, notes: Notes): string | undefined {
  if (source.program !== undefined) {
    return String(source.program);
  }
  const main = programs.mainProgram();
  if (main?.isCertain === false) {
    notes.add('loyalty.program', 'default-program-unknown');
  }
  return main?.id;
}

function setMainProgram(
  id: string,
  { points, lifetime, tier, tierExpiry, upgraded }: ProgramStanding,
  { destination: { schemaFeatures }, programs }: RecordContext,
  notes: Notes,
  derived: DerivedAttributes,
): void {
  const newest = [points, lifetime, tier].filter((dated) => dated !== undefined);
  const [latest] = newest.toSorted((a, b) => b.at - a.at);
  derived.set('loyalty.points', points);
  derived.set('loyalty.program', latest && named(programs.nameOf(id), latest, 'loyalty.program', notes));
  if (tier !== undefined) {
    derived.set('loyalty.tier', named(programs.tierNameOf(id, tier.value), tier, 'loyalty.tier', notes));
  }
  if (schemaFeatures.loyalty2026) {
    derived.set('loyalty.lifetimePoints', lifetime);
    derived.set('loyalty.tierExpiryDate', tierExpiry);
    derived.set('loyalty.tierUpgradeDate', upgraded);
  } else {
    derived.set('loyalty.upgradeDate', upgraded);
  }
}

function named(name: string | undefined, { at, by }: Dated, path: string, notes: Notes): Dated | undefined {
  if (name === undefined) {
    notes.add(path, 'unknown-name');
    return undefined;
  }
  return { value: name, at, by };
}

function setOtherProgram(
  id: string,
  { points, lifetime }: ProgramStanding,
  { destination: { tenant } }: RecordContext,
  derived: DerivedAttributes,
): void {
  if (tenant !== undefined) {
    derived.set(`${tenant}.capillary.programs[${id}].points`, points);
    derived.set(`${tenant}.capillary.programs[${id}].lifetime`, lifetime);
  }
}

/** The customers of a lane, the one with the newest value first after its own. */
export function customersInOrder({
  own,
  merged,
}: CustomerState): readonly ReadonlyMap<string, AttributeVersion>[] {
  const fragments = [...merged].map(([lane, { attributes }]) => ({
    lane,
    attributes,
    newest: Math.max(...[...attributes.values()].map(({ at }) => at)),
  }));
  const inOrder = fragments.toSorted((a, b) => b.newest - a.newest || (a.lane < b.lane ? -1 : 1));
  return [own.attributes, ...inOrder.map(({ attributes }) => attributes)];
}
