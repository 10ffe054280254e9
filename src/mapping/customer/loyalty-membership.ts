import { toTimestamp } from '../../capillary/times.ts';
import { type AttributeVersion, type Attributes, isNewer } from './attribute-version.ts';
import { type FactGroups, factNamed, factPath } from './facts.ts';

/*
 * Facts about the membership of a customer:
 * - `@joined[<epoch ms>]`: a registration of that time; the earliest one counts
 * - `@loyalty.type`: the `loyaltyType` as Capillary states it
 * - `@loyalty.active`: whether the brand counts the label of the customer's status as active
 */
const JOINED_FACTS = 'joined';
const LOYALTY_FACTS = 'loyalty';
const JOINED_PREFIX = `@${JOINED_FACTS}[`;

/** @param epochMs time of the registration */
export function joinedFact(epochMs: number): string {
  return factPath(JOINED_FACTS, String(epochMs));
}

export function isJoinedFact(path: string): boolean {
  return path.startsWith(JOINED_PREFIX);
}

export const LOYALTY_TYPE_FACT = factPath(LOYALTY_FACTS, '', 'type');
export const ACTIVE_FACT = factPath(LOYALTY_FACTS, '', 'active');

/** Registrations of one customer that are kept, the earliest ones. */
const MAX_JOINED = 20;

export const JOIN_DATE = 'loyalty.joinDate';

/** A `loyaltyType` in the spelling of Capillary's documentation. */
export function normalLoyaltyType(text: string): string {
  const type = text
    .trim()
    .toUpperCase()
    .replaceAll(/[\s-]+/g, '_');
  return type === 'NONLOYALTY' ? 'NON_LOYALTY' : type;
}

/** Undefined for a type that Capillary does not document. */
export function isMemberType(type: string): boolean | undefined {
  return type === 'LOYALTY' ? true : type === 'NON_LOYALTY' ? false : undefined;
}

/** The loyalty type of the first customer, else the newest one of those merged into it. */
export function loyaltyTypeIn(customers: readonly FactGroups[]): AttributeVersion | undefined {
  return firstFact(customers, 'type');
}

export function activeIn(customers: readonly FactGroups[]): AttributeVersion | undefined {
  return firstFact(customers, 'active');
}

function firstFact([own, ...merged]: readonly FactGroups[], name: string): AttributeVersion | undefined {
  const factOf = (facts: FactGroups | undefined): AttributeVersion | undefined =>
    factNamed(facts?.get(LOYALTY_FACTS)?.get(''), name);
  const others = merged.map(factOf).filter((fact) => fact !== undefined);
  return factOf(own) ?? others.toSorted((a, b) => (isNewer(a, b) ? -1 : 1))[0];
}

/** True if the customer is known to take part in no loyalty program. */
export function isNonMember(customers: readonly FactGroups[]): boolean {
  const type = loyaltyTypeIn(customers)?.value;
  return typeof type === 'string' && isMemberType(type) === false;
}

/** The earliest registration of customers that are one now. */
export function joinDateIn(customers: readonly FactGroups[]): AttributeVersion | undefined {
  let earliest: { readonly epochMs: number; readonly at: number; readonly by: string } | undefined;
  for (const [key, [fact]] of customers
    .filter((facts) => !isNonMember([facts]))
    .flatMap((facts) => [...(facts.get(JOINED_FACTS) ?? [])])) {
    const epochMs = Number(key);
    if (fact !== undefined && (earliest === undefined || epochMs < earliest.epochMs)) {
      earliest = { epochMs, at: fact.at, by: fact.by };
    }
  }
  return earliest && { value: toTimestamp(earliest.epochMs), at: earliest.at, by: earliest.by };
}

/** The earlier of two join dates. One that is no date was set by an override and counts. */
export function earlierJoinDate(a: AttributeVersion, b: AttributeVersion): AttributeVersion {
  const [first, second] = [a, b].map(({ value }) => (typeof value === 'string' ? Date.parse(value) : 0));
  return (second ?? 0) < (first ?? 0) ? b : a;
}

/**
 * Removes registrations that cannot count any more: those for which an earlier one is known from an
 * event that is at least as new. An older event does not suffice, because a deletion can remove it
 * alone.
 */
export function pruneJoinDates(attributes: Attributes): void {
  // Most customers have one registration, and this runs for each event.
  let count = 0;
  for (const path of attributes.keys()) {
    count += isJoinedFact(path) ? 1 : 0;
  }
  if (count < 2) {
    return;
  }
  const joined = [...attributes].filter(([path]) => isJoinedFact(path));
  const earliestFirst = joined.toSorted(([a], [b]) => timeOf(a) - timeOf(b));
  let newest: AttributeVersion | undefined;
  let kept = 0;
  for (const [path, version] of earliestFirst) {
    if (kept === MAX_JOINED || (newest !== undefined && isNewer(newest, version))) {
      attributes.delete(path);
      continue;
    }
    newest = version;
    kept += 1;
  }
}

function timeOf(path: string): number {
  return Number(path.slice(JOINED_PREFIX.length, -1));
}
