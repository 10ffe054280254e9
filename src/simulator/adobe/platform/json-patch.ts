import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import { objectOf } from './schema-merge.ts';

/** A patch that cannot be applied; the message says which operation and why. */
export class JsonPatchError extends Error {
  override name = 'JsonPatchError';
}

function partsOf(pointer: string): string[] {
  if (!pointer.startsWith('/')) throw new JsonPatchError(`the path ${pointer} does not begin with /`);
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The object or list that has the last part of the path as a key. */
function parentOf(root: JsonObject, parts: readonly string[]): JsonObject | JsonValue[] {
  let current: JsonValue | undefined = root;
  for (const part of parts.slice(0, -1)) {
    current = Array.isArray(current) ? current[Number(part)] : objectOf(current)[part];
  }
  if (Array.isArray(current) || isJsonObject(current)) return current;
  throw new JsonPatchError(`the parent of /${parts.join('/')} does not exist`);
}

function changeList(list: JsonValue[], op: string, key: string, value: JsonValue): void {
  const index = key === '-' ? list.length : Number(key);
  const isIndex = Number.isInteger(index) && index >= 0 && index <= list.length;
  if (!isIndex || (op !== 'add' && index === list.length)) {
    throw new JsonPatchError(`the index ${key} does not exist`);
  }
  if (op === 'add') list.splice(index, 0, value);
  else if (op === 'replace') list[index] = value;
  else list.splice(index, 1);
}

function changeObject(object: JsonObject, op: string, key: string, value: JsonValue): void {
  if (op !== 'add' && !Object.hasOwn(object, key)) throw new JsonPatchError(`the key ${key} does not exist`);
  if (op === 'remove') delete object[key];
  else object[key] = value;
}

/**
 * A copy of the document with `add`, `replace` and `remove` of RFC 6902 applied, in order.
 *
 * @throws JsonPatchError for another operation, or a path that does not exist
 */
export function applyJsonPatch(document: JsonObject, patch: readonly JsonValue[]): JsonObject {
  const copy = structuredClone(document);
  for (const operation of patch) {
    const { op, path, value = null } = objectOf(operation);
    if (typeof op !== 'string' || !['add', 'replace', 'remove'].includes(op) || typeof path !== 'string') {
      throw new JsonPatchError('an operation has op (add, replace or remove) and path');
    }
    const parts = partsOf(path);
    const parent = parentOf(copy, parts);
    const key = parts.at(-1) ?? '';
    if (Array.isArray(parent)) changeList(parent, op, key, structuredClone(value));
    else changeObject(parent, op, key, structuredClone(value));
  }
  return copy;
}
