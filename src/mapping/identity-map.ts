import type { IdentifierKind } from '../capillary/identifiers.ts';
import type { JsonObject } from '../capillary/json.ts';
import { MAX_IDENTITIES } from '../xdm/limits.ts';
import type { Identity } from './identities.ts';
import type { MappingContext } from './mapped.ts';
import type { Notes } from './notes.ts';

type IdentityConfig = MappingContext['destination']['identity'];

/** An identity under the code of its namespace in AEP. */
export interface NamedIdentity extends Identity {
  readonly namespace: string;
}

/** Order of the namespaces in a record, and of what becomes primary when the configured one is not there. */
const KINDS: readonly IdentifierKind[] = ['customerId', 'externalId', 'email', 'phone', 'cardNumber'];

/**
 * Puts identities under their namespaces, the configured primary first; a kind without a namespace is
 * skipped.
 */
export function nameIdentities(
  identities: readonly Identity[],
  config: IdentityConfig,
): readonly NamedIdentity[] {
  const named: NamedIdentity[] = [];
  if (identities.length === 0) {
    return named;
  }
  for (const kind of IN_ORDER[config.primary]) {
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
  return unique(named);
}

function inOrder(primary: IdentifierKind): readonly IdentifierKind[] {
  return [primary, ...KINDS.filter((other) => other !== primary)];
}

/** The kinds in their order for each that may be primary. */
const IN_ORDER: Readonly<Record<IdentifierKind, readonly IdentifierKind[]>> = {
  customerId: inOrder('customerId'),
  externalId: inOrder('externalId'),
  email: inOrder('email'),
  phone: inOrder('phone'),
  cardNumber: inOrder('cardNumber'),
};

/** Identities, each once under its namespace. */
export function unique(identities: readonly NamedIdentity[]): readonly NamedIdentity[] {
  if (identities.length < 2) {
    return identities;
  }
  const seen = new Set<string>();
  return identities.filter(({ namespace, id }) => {
    const key = `${namespace} ${id}`;
    return seen.has(key) ? false : seen.add(key);
  });
}

/**
 * The identityMap of a record: namespace → identities, exactly one of them primary: the first of the
 * configured kind, else the customerId, else whatever comes first. At most 20 (reference: adobe.md §3, §5.2):
 * when there are more, those that tell the most. Undefined when there is none.
 */
export function buildIdentityMap(
  identities: readonly NamedIdentity[],
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
  for (const identity of isTooMany ? mostTelling(identities) : identities) {
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

/** The customer ids (a merge has two) and the first of each other kind, the primary among them; then the others in their order. */
function mostTelling(identities: readonly NamedIdentity[]): readonly NamedIdentity[] {
  const kinds = identities.map(({ kind }) => kind);
  const first = identities.filter(({ kind }, at) => kind === 'customerId' || kinds.indexOf(kind) === at);
  const kept = new Set([...new Set([...first, ...identities])].slice(0, MAX_IDENTITIES));
  return identities.filter((identity) => kept.has(identity));
}
