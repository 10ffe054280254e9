import type { Notes } from '../mapping-notes.ts';
import type { AttributeVersion, ReadonlyAttributes } from './attribute-version.ts';
import { deriveChallenges } from './challenges.ts';
import type { CustomerState } from './customer-state.ts';
import type { FactsByCustomer } from './facts.ts';
import {
  activeIn,
  isMemberType,
  isNonMember,
  JOIN_DATE,
  joinDateIn,
  loyaltyTypeIn,
} from './loyalty-membership.ts';
import { deriveProgramAttributes } from './program-attributes.ts';
import type { Dated } from './program-standing.ts';
import type { DerivedAttributes, RecordContext } from './record-context.ts';
import { deriveRewards } from './rewards.ts';

export type { FactsByCustomer } from './facts.ts';
export type { DerivedAttributes, RecordContext } from './record-context.ts';

/**
 * The attributes that are computed from the facts of a lane's customers. Each has the version of
 * the newest fact that it is based on. A value that is not known to be true is left out; null: an
 * earlier value is no longer known to be true.
 *
 * @param clock epoch ms of the newest event of the lane
 * @param stored the attributes that are stored as such
 */
export function deriveAttributes(
  facts: FactsByCustomer,
  context: RecordContext,
  notes: Notes,
  clock: number,
  stored: ReadonlyAttributes = new Map(),
): ReadonlyAttributes {
  const attributes = new Map<string, AttributeVersion>();
  const derived: DerivedAttributes = {
    attributes,
    set(path, dated) {
      if (dated !== undefined) {
        attributes.set(path, { value: dated.value, at: dated.at, by: dated.by });
      }
    },
  };
  deriveProgramAttributes(facts, { ...context, stored, notes }, derived);
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

/** The customers of a lane, the one with the newest value first after its own. */
export function customersInOrder({ own, merged }: CustomerState): readonly ReadonlyAttributes[] {
  const fragments = [...merged].map(([lane, { attributes }]) => ({
    lane,
    attributes,
    newest: Math.max(...[...attributes.values()].map(({ at }) => at)),
  }));
  const inOrder = fragments.toSorted((a, b) => b.newest - a.newest || (a.lane < b.lane ? -1 : 1));
  return [own.attributes, ...inOrder.map(({ attributes }) => attributes)];
}
