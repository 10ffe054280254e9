import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { ITEM, type Shape, shapeAt } from '../xdm/shape.ts';
import type { Notes } from './notes.ts';

/**
 * Profile attributes are kept apart, each under its XDM path: `loyalty.points`. The items of a keyed list
 * have their key in the path, so that each of their values is an attribute of its own:
 * `_acme.capillary.programs[973].points`.
 */
const KEYED = /^(\w+)\[(\w+)\]$/;

type Tree = Map<string, Tree | JsonValue>;

/** The shape of an attribute; `any` for a brand's own; undefined where nothing may be written. */
export function attributeShape(shape: Shape, path: string): Shape | 'any' | undefined {
  const isKeyed = path.includes('[');
  const names = isKeyed ? path.split('.').flatMap(keyedNames) : path.split('.');
  return shapeAt(shape, names);
}

function keyedNames(name: string): readonly string[] {
  const [, list, key] = KEYED.exec(name) ?? [];
  return list === undefined || key === undefined ? [name] : [list, ITEM];
}

/**
 * The record that attributes make up. The same whatever their order; where one stands in another's way the
 * shorter path wins.
 */
export function expandAttributes(
  attributes: Iterable<readonly [string, JsonValue]>,
  notes?: Notes,
): JsonObject {
  const root: Tree = new Map();
  for (const [path, value] of [...attributes].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (!insert(root, path.split('.'), value)) {
      notes?.add(path, 'path-in-use');
    }
  }
  return toObject(root);
}

/** The attributes of a part of a record: every value, and every list as a whole, under its path. */
export function flattenAttributes(
  record: JsonObject,
  prefix = '',
): readonly (readonly [string, JsonValue])[] {
  return Object.entries(record).flatMap(([name, value]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return isJsonObject(value) ? flattenAttributes(value, path) : [[path, value] as const];
  });
}

function insert(root: Tree, names: readonly string[], value: JsonValue): boolean {
  let at = root;
  for (const name of names.slice(0, -1)) {
    const next = at.get(name) ?? new Map<string, Tree | JsonValue>();
    if (!(next instanceof Map)) {
      return false;
    }
    at.set(name, next);
    at = next;
  }
  const last = names.at(-1) ?? '';
  if (at.has(last)) {
    return false;
  }
  at.set(last, value);
  return true;
}

function toObject(tree: Tree): JsonObject {
  const fields = new Map<string, JsonValue>();
  for (const [name, inner] of tree) {
    const value = inner instanceof Map ? toObject(inner) : inner;
    const [, list, key] = (name.endsWith(']') ? KEYED.exec(name) : undefined) ?? [];
    if (list === undefined || key === undefined || !isJsonObject(value)) {
      fields.set(name, value);
      continue;
    }
    const items = fields.get(list);
    fields.set(list, [...(Array.isArray(items) ? items : []), { id: key, ...value }]);
  }
  return Object.fromEntries(fields);
}
