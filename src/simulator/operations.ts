import { customerIdOf, customerIdText } from '../capillary/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { type Identity, primaryIdentity } from './identity.ts';

/** What a raw record does to the profile: `create` is the default. */
export type Operation = 'create' | 'merge' | 'delete';

/** `header.operations` as Data Prep reads it, or what is wrong with it. */
export type ReadOperations =
  | { readonly ok: true; readonly operation: Operation }
  | { readonly ok: false; readonly reason: string };

const OPERATIONS: readonly unknown[] = ['create', 'merge', 'delete'] satisfies Operation[];

/** The namespace that the mapping set played here gives to a customer id. */
const CUSTOMER_NAMESPACE = 'capillaryId';

function fail(reason: string): ReadOperations {
  return { ok: false, reason: `operations: ${reason}` };
}

/** Reads `header.operations` (reference: adobe.md §4.3): identities can only be created, and then in a dataset of their own. */
export function readOperations(operations: JsonValue | undefined): ReadOperations {
  if (operations === undefined) return { ok: true, operation: 'create' };
  if (!isJsonObject(operations)) return fail('must be an object');
  const { data = 'create', identity, identityDatasetId } = operations;
  if (!OPERATIONS.includes(data)) return fail('data must be create, merge or delete');
  if (identity !== undefined && identity !== 'create') return fail('identity must be create');
  const isNamed = typeof identityDatasetId === 'string' && identityDatasetId !== '';
  if (identity === 'create' && !isNamed) return fail('identity create needs an identityDatasetId');
  return { ok: true, operation: data as Operation };
}

/**
 * Whose profile a raw payload is about. The mapping set of AEP is played in its simplest form: it takes the payload over as it is, finds the
 * person in an identityMap, else by Capillary's customer id.
 */
export function rawIdentity(payload: JsonObject): Identity | undefined {
  const data = isJsonObject(payload['data']) ? payload['data'] : {};
  const id = customerIdOf(data) ?? customerIdText(payload['customerId']);
  return primaryIdentity(payload) ?? (id === undefined ? undefined : { namespace: CUSTOMER_NAMESPACE, id });
}

/** A profile fragment with a PATCH put into it: objects field by field, everything else is replaced. */
export function patched(fragment: JsonObject, patch: JsonObject): JsonObject {
  const fields = new Map(Object.entries(fragment));
  for (const [name, value] of Object.entries(patch)) {
    const before = fields.get(name);
    fields.set(name, isJsonObject(value) && isJsonObject(before) ? patched(before, value) : value);
  }
  return Object.fromEntries(fields);
}
