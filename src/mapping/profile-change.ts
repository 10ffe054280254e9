import type { JsonObject, JsonValue } from '../capillary/json.ts';
import { conform, conformAny } from '../xdm/conform.ts';
import type { ObjectShape } from '../xdm/shape.ts';
import { attributeShape, flattenAttributes } from './attributes.ts';
import type { FamilyInput, FamilyResult } from './families/family.ts';
import type { NamedIdentity } from './identity-map.ts';
import { noteFault } from './notes.ts';

/** Where the attribute that holds the identities of a namespace stands. */
export const IDENTITY_PREFIX = 'identityMap.';

/**
 * The profile attributes that the built-in mapping and the configured fields make of an event, each valid.
 */
export function profileAttributes(
  input: FamilyInput,
  result: FamilyResult,
  custom: ReadonlyMap<string, JsonValue>,
  shape: ObjectShape,
): ReadonlyMap<string, JsonValue> {
  const attributes = new Map<string, JsonValue>();
  const add = (path: string, draft: unknown): void => {
    const value = validAttribute(path, draft, shape, input);
    if (value !== undefined) {
      attributes.set(path, value);
    }
  };
  const { attributes: own = {} } = result;
  for (const path of Object.keys(own)) {
    add(path, own[path]);
  }
  for (const [path, draft] of tenantAttributes(input, result)) {
    add(path, draft);
  }
  for (const [path, draft] of custom) {
    add(path, draft);
  }
  return attributes;
}

/** Kept by key, one attribute for each balance; a whole list beside them would be a second truth. */
function isProtected(path: string): boolean {
  return path === '_id' || path.startsWith(IDENTITY_PREFIX) || path.endsWith('.capillary.programs');
}

/**
 * Attributes extended by the record that an override gave; a field that it sets to null is no longer told.
 */
export function extendAttributes(
  attributes: ReadonlyMap<string, JsonValue>,
  patch: JsonObject,
  shape: ObjectShape,
  input: FamilyInput,
): ReadonlyMap<string, JsonValue> {
  const told = flattenAttributes(patch).filter(([path]) => {
    if (isProtected(path)) {
      input.notes.add(path, 'protected-field');
    }
    return !isProtected(path);
  });
  const withheld = told.filter(([, value]) => value === null).map(([path]) => path);
  const kept = [...attributes].filter(
    ([path]) => !withheld.some((start) => path === start || path.startsWith(`${start}.`)),
  );
  const extended = new Map([...kept, ...told.filter(([, value]) => value !== null)]);
  const valid = [...extended].flatMap(([path, draft]) => {
    const value = validAttribute(path, draft, shape, input);
    return value === undefined ? [] : [[path, value] as const];
  });
  return new Map(valid);
}

/** The person's identities as attributes, one for each namespace. */
export function identityAttributes(identities: readonly NamedIdentity[]): ReadonlyMap<string, JsonValue> {
  const attributes = new Map<string, string[]>();
  for (const { namespace, id } of identities) {
    const path = `${IDENTITY_PREFIX}${namespace}`;
    const ids = attributes.get(path);
    if (ids === undefined) {
      attributes.set(path, [id]);
    } else {
      ids.push(id);
    }
  }
  return attributes;
}

function tenantAttributes(
  { context, notes }: FamilyInput,
  result: FamilyResult,
): readonly (readonly [string, unknown])[] {
  if (result.tenantAttributes === undefined) {
    return [];
  }
  const { tenant } = context.destination;
  const told = Object.entries(result.tenantAttributes).filter(([, value]) => value !== undefined);
  if (tenant === undefined && told.length > 0) {
    notes.add('data.loyaltyProgramId', 'no-tenant');
  }
  return tenant === undefined
    ? []
    : told.map(([path, value]) => [`${tenant}.capillary.${path}`, value] as const);
}

function validAttribute(
  path: string,
  draft: unknown,
  shape: ObjectShape,
  { notes }: FamilyInput,
): JsonValue | undefined {
  const wanted = attributeShape(shape, path);
  if (wanted === undefined) {
    notes.add(path, 'unknown-field');
    return undefined;
  }
  return wanted === 'any'
    ? conformAny(draft, path, noteFault(notes))
    : conform(draft, wanted, path, noteFault(notes));
}
