import type { IdentifierKind } from '../../capillary/identifiers.ts';
import type { JsonValue } from '../../capillary/json.ts';
import { placeholderFault } from '../../capillary/placeholder-values.ts';
import { attributeFault, PLAIN_IDENTITIES } from '../identity-rules.ts';
import type { Notes } from '../mapping-notes.ts';
import { IDENTITY_PREFIX } from '../profile-attributes.ts';
import type { AttributeVersion, ReadonlyAttributes } from './attribute-version.ts';
import { withoutClearedSlots } from './cleared-slots.ts';
import { type DatedIdentity, identitiesInFacts, IDENTITY_FACTS } from './contacts.ts';
import { type CustomerState, isNewer } from './customer-state.ts';
import { customersInOrder, type RecordContext } from './derived-attributes.ts';
import { type FactGroups, factsIn } from './facts.ts';
import { COMPLETE_FACTS } from './identity-facts.ts';

export const LOYALTY_IDS = 'loyalty.loyaltyID';

/** A customer of a lane: its own one, or one that was merged into it. */
export interface RecordCustomer {
  /** With facts and what an older relay stored. */
  readonly attributes: ReadonlyAttributes;
  readonly facts: FactGroups;
  readonly identities: readonly DatedIdentity[];
}

/** The lane's own customer, then those merged into it, the one with the newest value first. */
export function customersOf(
  state: CustomerState,
  { destination }: RecordContext,
  notes: Notes,
): readonly RecordCustomer[] {
  const fragments = customersInOrder(state);
  const factsOf = withoutClearedSlots(fragments.map(factsIn));
  return fragments.map((attributes, index) => {
    const facts = factsOf[index] ?? new Map();
    const earlier = earlierIdentities(attributes, facts, destination.identity.namespaces);
    const identities = [
      ...identitiesInFacts(facts),
      ...earlier.filter(({ kind, id }) => !isPlaceholder(kind, id, `identityMap.${kind}`, notes)),
    ];
    return { attributes, facts, identities };
  });
}

/**
 * Identities that an older relay stored as one attribute per namespace. They are valid until a
 * newer event has an identity of the same kind; cards add up.
 */
function earlierIdentities(
  attributes: ReadonlyAttributes,
  facts: FactGroups,
  namespaces: RecordContext['destination']['identity']['namespaces'],
): readonly DatedIdentity[] {
  if (!hasEarlierIdentities(attributes)) {
    return [];
  }
  return (Object.keys(namespaces) as IdentifierKind[]).flatMap((kind) => {
    const stored = attributes.get(`${IDENTITY_PREFIX}${namespaces[kind]}`);
    const slots = facts.get(IDENTITY_FACTS)?.get(kind) ?? [];
    const newer = [...(kind === 'cardNumber' ? [] : slots), ...(facts.get(COMPLETE_FACTS)?.get('') ?? [])];
    if (stored === undefined || newer.some((fact) => isNewer(fact, stored))) {
      return [];
    }
    const { value, at, by } = stored;
    return (Array.isArray(value) ? value : []).flatMap((id) =>
      typeof id === 'string' ? [{ kind, id, at, by }] : [],
    );
  });
}

/**
 * For what an older relay stored, by the rules of its time. Facts are checked before they are
 * stored.
 */
export function isPlaceholder(kind: IdentifierKind, value: string, path: string, notes: Notes): boolean {
  const code = kind === 'customerId' ? undefined : placeholderFault(kind, value);
  if (code !== undefined) {
    notes.add(path, code);
  }
  return code !== undefined;
}

function hasEarlierIdentities(attributes: ReadonlyAttributes): boolean {
  for (const path of attributes.keys()) {
    if (path.startsWith(IDENTITY_PREFIX)) {
      return true;
    }
  }
  return false;
}

/** External ids and card numbers of the first customer that has any. */
export function loyaltyIds(
  customers: readonly RecordCustomer[],
  { destination, rules = PLAIN_IDENTITIES }: RecordContext,
): AttributeVersion | undefined {
  for (const { attributes, facts, identities } of customers) {
    const ids = new Set<string>();
    let newest: DatedIdentity | undefined;
    for (const wanted of ['externalId', 'cardNumber'] as const) {
      for (const identity of identities) {
        const { kind, id } = identity;
        if (kind === wanted && attributeFault(kind, id, rules) === undefined) {
          ids.add(id);
          newest = newest === undefined || isNewer(identity, newest) ? identity : newest;
        }
      }
    }
    if (newest !== undefined) {
      const isComplete = facts.get(COMPLETE_FACTS) !== undefined;
      const earlier = isComplete ? [] : earlierCards(attributes, destination.identity.namespaces.externalId);
      for (const card of earlier) {
        ids.add(card);
      }
      return { value: [...ids], at: newest.at, by: newest.by };
    }
  }
  return undefined;
}

/** An older relay stored cards in this list only, beside the external ids. */
function earlierCards(attributes: ReadonlyAttributes, namespace: string | undefined): readonly string[] {
  const stored = attributes.get(LOYALTY_IDS)?.value;
  if (namespace === undefined || !Array.isArray(stored) || !hasEarlierIdentities(attributes)) {
    return [];
  }
  const externalIds = attributes.get(`${IDENTITY_PREFIX}${namespace}`)?.value;
  const isCard = (id: JsonValue): id is string =>
    typeof id === 'string' && !(Array.isArray(externalIds) && externalIds.includes(id));
  return stored.filter(isCard);
}
