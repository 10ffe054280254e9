import type { IdentifierKind } from '../capillary/identifiers.ts';
import type { JsonObject } from '../capillary/json.ts';
import { MAX_IDENTITIES } from '../xdm/xdm-record.ts';
import type { Identity } from './identities.ts';
import type { Notes } from './mapping-notes.ts';
import type { MappingContext } from './mapping-result.ts';

type IdentityConfig = MappingContext['destination']['identity'];

/** An identity with the code of its namespace in AEP. */
export interface NamespacedIdentity extends Identity {
  readonly namespace: string;
}

/** The order of the namespaces in a record, and of the fallbacks for a missing primary identity. */
const KINDS: readonly IdentifierKind[] = ['customerId', 'externalId', 'email', 'phone', 'cardNumber'];

/**
 * Assigns the configured namespaces, the primary kind first; kinds without a namespace are left
 * out.
 */
export function assignNamespaces(
  identities: readonly Identity[],
  config: IdentityConfig,
): readonly NamespacedIdentity[] {
  const named: NamespacedIdentity[] = [];
  if (identities.length === 0) {
    return named;
  }
  for (const kind of KIND_ORDER[config.primary]) {
    const namespace = config.namespaces[kind];
    if (namespace === undefined) {
      continue;
    }
    for (const identity of identities) {
      if (identity.kind === kind) {
        named.push({ kind, id: identity.id, namespace });
      }
    }
  }
  return uniqueIdentities(named);
}

function kindsInOrder(primary: IdentifierKind): readonly IdentifierKind[] {
  return [primary, ...KINDS.filter((other) => other !== primary)];
}

/** The order of the kinds for each possible primary kind. */
const KIND_ORDER: Readonly<Record<IdentifierKind, readonly IdentifierKind[]>> = {
  customerId: kindsInOrder('customerId'),
  externalId: kindsInOrder('externalId'),
  email: kindsInOrder('email'),
  phone: kindsInOrder('phone'),
  cardNumber: kindsInOrder('cardNumber'),
};

/** So many identities are compared one by one faster than by a set of their texts. */
const FEW = 8;

function isSame(a: NamespacedIdentity, b: NamespacedIdentity): boolean {
  return a.id === b.id && a.namespace === b.namespace;
}

/** The identities without repetitions in a namespace. */
export function uniqueIdentities(identities: readonly NamespacedIdentity[]): readonly NamespacedIdentity[] {
  if (identities.length < 2) {
    return identities;
  }
  if (identities.length <= FEW) {
    const isFirst = (identity: NamespacedIdentity, index: number): boolean =>
      identities.findIndex((other) => isSame(other, identity)) === index;
    return identities.every(isFirst) ? identities : identities.filter(isFirst);
  }
  const seen = new Set<string>();
  return identities.filter(({ namespace, id }) => {
    const key = `${namespace} ${id}`;
    return seen.has(key) ? false : seen.add(key);
  });
}

/**
 * The identityMap of a record: namespace → identities. The first identity is primary; a note is
 * added if it is not of the configured kind. At most 20 are sent
 * (docs/platforms/adobe.md#record-limits, docs/platforms/adobe.md#identity-map). Undefined if there
 * are none.
 */
export function buildIdentityMap(
  identities: readonly NamespacedIdentity[],
  config: IdentityConfig,
  notes: Notes,
): JsonObject | undefined {
  const primary = identities[0];
  if (primary === undefined) {
    return undefined;
  }
  if (primary.kind !== config.primary) {
    notes.add('identityMap', 'primary-fallback', `${primary.kind} instead of ${config.primary}`);
  }
  const isTooMany = identities.length > MAX_IDENTITIES;
  if (isTooMany) {
    notes.add('identityMap', 'too-many-identities');
  }
  const map = new Map<string, JsonObject[]>();
  for (const identity of isTooMany ? selectWithinLimit(identities) : identities) {
    const item = { id: identity.id, authenticatedState: 'ambiguous', primary: identity === primary };
    const items = map.get(identity.namespace);
    if (items === undefined) {
      map.set(identity.namespace, [item]);
    } else {
      items.push(item);
    }
  }
  return Object.fromEntries(map);
}

/**
 * All customer ids (a merge has two) and the first of each other kind, then the others in their
 * order.
 */
function selectWithinLimit(identities: readonly NamespacedIdentity[]): readonly NamespacedIdentity[] {
  const kinds = identities.map(({ kind }) => kind);
  const first = identities.filter(
    ({ kind }, index) => kind === 'customerId' || kinds.indexOf(kind) === index,
  );
  const selected = new Set([...new Set([...first, ...identities])].slice(0, MAX_IDENTITIES));
  return identities.filter((identity) => selected.has(identity));
}
