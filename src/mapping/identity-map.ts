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
  const kinds = [config.primary, ...KINDS.filter((kind) => kind !== config.primary)];
  const named = kinds.flatMap((kind) => {
    const namespace = config.namespaces[kind];
    const ofKind = namespace === undefined ? [] : identities.filter((identity) => identity.kind === kind);
    return ofKind.map((identity) => ({ ...identity, namespace: namespace ?? '' }));
  });
  const seen = new Set<string>();
  return named.filter(({ namespace, id }) => {
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
  if (identities.length > MAX_IDENTITIES) {
    notes.add('identityMap', 'too-many-identities');
  }
  const map = new Map<string, JsonObject[]>();
  for (const identity of mostTelling(identities)) {
    const item = { id: identity.id, authenticatedState: 'ambiguous', primary: identity === primary };
    map.set(identity.namespace, [...(map.get(identity.namespace) ?? []), item]);
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
