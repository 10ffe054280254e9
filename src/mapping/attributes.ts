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

function insert(root: Tree, names: string[], value: JsonValue): boolean {
  const last = names.pop() ?? '';
  let at = root;
  for (const name of names) {
    const known = at.get(name);
    if (known !== undefined && !(known instanceof Map)) {
      return false;
    }
    const next: Tree = known ?? new Map<string, Tree | JsonValue>();
    if (known === undefined) {
      at.set(name, next);
    }
    at = next;
  }
  if (at.has(last)) {
    return false;
  }
  at.set(last, value);
  return true;
}

/** No field is called `__proto__`: neither a schema nor a tenant has such a name. */
function toObject(tree: Tree): JsonObject {
  const fields: JsonObject = {};
  for (const [name, inner] of tree) {
    const value = inner instanceof Map ? toObject(inner) : inner;
    const [, list, key] = (name.endsWith(']') ? KEYED.exec(name) : undefined) ?? [];
    if (list === undefined || key === undefined || !isJsonObject(value)) {
      fields[name] = value;
      continue;
    }
    const items = fields[list];
    fields[list] = [...(Array.isArray(items) ? items : []), { id: key, ...value }];
  }
  return fields;
}
