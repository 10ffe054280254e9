import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { conform, conformAny } from '../xdm/conform.ts';
import { ITEM, type ObjectShape, type Shape, shapeAt } from '../xdm/shape.ts';
import { withoutAttributes } from './customer/change-view.ts';
import { isFact } from './customer/facts.ts';
import type { FamilyInput, FamilyResult } from './families/family.ts';
import { faultRecorder, type Notes } from './mapping-notes.ts';

/**
 * A profile attribute is named by its XDM path: `loyalty.points`. The path of an item of a keyed
 * list contains the item's key, so that each value of the item is a separate attribute:
 * `_acme.capillary.programs[973].points`.
 */
const KEYED_NAME = /^(\w+)\[(\w+)\]$/;

type Tree = Map<string, Tree | JsonValue>;

/**
 * The shape of an attribute; `any` for the brand's own fields; undefined if the schema has no such
 * field.
 */
export function attributeShape(shape: Shape, path: string): Shape | 'any' | undefined {
  const isKeyed = path.includes('[');
  const names = isKeyed ? path.split('.').flatMap(keyedNames) : path.split('.');
  return shapeAt(shape, names);
}

function keyedNames(name: string): readonly string[] {
  const [, list, key] = KEYED_NAME.exec(name) ?? [];
  return list === undefined || key === undefined ? [name] : [list, ITEM];
}

/**
 * The record of these attributes, independent of their order. If one path is a prefix of another,
 * the shorter one wins.
 */
export function expandAttributes(attributes: ReadonlyMap<string, JsonValue>, notes?: Notes): JsonObject {
  const root: Tree = new Map();
  for (const path of [...attributes.keys()].toSorted()) {
    const value = attributes.get(path);
    if (value !== undefined && !insert(root, path.split('.'), value)) {
      notes?.add(path, 'path-in-use');
    }
  }
  return toObject(root);
}

/** The attributes of a part of a record: each value by its path, each list as one value. */
function flattenAttributes(record: JsonObject, prefix = ''): readonly (readonly [string, JsonValue])[] {
  return Object.entries(record).flatMap(([name, value]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return isJsonObject(value) ? flattenAttributes(value, path) : [[path, value] as const];
  });
}

function insert(root: Tree, names: string[], value: JsonValue): boolean {
  const last = names.pop() ?? '';
  let node = root;
  for (const name of names) {
    const child = node.get(name);
    if (child !== undefined && !(child instanceof Map)) {
      return false;
    }
    const next: Tree = child ?? new Map<string, Tree | JsonValue>();
    if (child === undefined) {
      node.set(name, next);
    }
    node = next;
  }
  if (node.has(last)) {
    return false;
  }
  node.set(last, value);
  return true;
}

/** No field can be named `__proto__`: neither a schema nor a tenant has such a name. */
function toObject(tree: Tree): JsonObject {
  const fields: JsonObject = {};
  for (const [name, inner] of tree) {
    const value = inner instanceof Map ? toObject(inner) : inner;
    const [, list, key] = (name.endsWith(']') ? KEYED_NAME.exec(name) : undefined) ?? [];
    if (list === undefined || key === undefined || !isJsonObject(value)) {
      fields[name] = value;
      continue;
    }
    const items = fields[list];
    fields[list] = [...(Array.isArray(items) ? items : []), { id: key, ...value }];
  }
  return fields;
}

/**
 * Older relays stored the identities of a customer under this prefix and the code of the namespace.
 */
export const IDENTITY_PREFIX = 'identityMap.';

/** The valid profile attributes of an event from the built-in mapping and the configured fields. */
export function buildProfileAttributes(
  input: FamilyInput,
  result: FamilyResult,
  custom: ReadonlyMap<string, JsonValue>,
  shape: ObjectShape,
): ReadonlyMap<string, JsonValue> {
  const attributes = new Map<string, JsonValue>();
  const add = (path: string, draft: unknown): void => {
    const value = draft === null ? null : validAttribute(path, draft, shape, input);
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
  for (const [path, value] of result.facts ?? []) {
    if (value !== undefined) {
      attributes.set(path, value);
    }
  }
  return attributes;
}

/** Balances of programs are stored separately; a list set as a whole would contradict them. */
function isProtected(path: string): boolean {
  return path === '_id' || path.startsWith(IDENTITY_PREFIX) || path.endsWith('.capillary.programs');
}

/**
 * Merges the result of an override into the attributes. A field that it sets to null is left out of
 * this change.
 */
export function applyProfileOverride(
  attributes: ReadonlyMap<string, JsonValue>,
  patch: JsonObject,
  shape: ObjectShape,
  input: FamilyInput,
): ReadonlyMap<string, JsonValue> {
  const patched = flattenAttributes(patch).filter(([path]) => {
    if (isProtected(path)) {
      input.notes.add(path, 'protected-field');
    }
    return !isProtected(path);
  });
  const removed = patched.filter(([, value]) => value === null).map(([path]) => path);
  const merged = new Map<string, JsonValue>([
    ...withoutAttributes(attributes, removed),
    ...patched.filter(([, value]) => value !== null),
  ]);
  const valid = [...merged].flatMap(([path, draft]) => {
    const value = isFact(path) || draft === null ? draft : validAttribute(path, draft, shape, input);
    return value === undefined ? [] : [[path, value] as const];
  });
  return new Map(valid);
}

function tenantAttributes(
  { context, notes }: FamilyInput,
  result: FamilyResult,
): readonly (readonly [string, unknown])[] {
  if (result.tenantAttributes === undefined) {
    return [];
  }
  const { tenant } = context.destination;
  const attributes = Object.entries(result.tenantAttributes).filter(([, value]) => value !== undefined);
  if (tenant === undefined && attributes.length > 0) {
    notes.add('data.loyaltyProgramId', 'no-tenant');
  }
  return tenant === undefined
    ? []
    : attributes.map(([path, value]) => [`${tenant}.capillary.${path}`, value] as const);
}

function validAttribute(
  path: string,
  draft: unknown,
  shape: ObjectShape,
  { notes }: FamilyInput,
): JsonValue | undefined {
  const attribute = attributeShape(shape, path);
  if (attribute === undefined) {
    notes.add(path, 'unknown-field');
    return undefined;
  }
  return attribute === 'any'
    ? conformAny(draft, path, faultRecorder(notes))
    : conform(draft, attribute, path, faultRecorder(notes));
}
