import { isEmpty, isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import {
  isListShape,
  isObjectShape,
  isTenantFieldName,
  leafFault,
  type ObjectShape,
  type Shape,
} from './shape.ts';

/** Told of everything that is left out because it does not fit; `path` is in XDM, in dots. */
export type Fault = (path: string, code: string) => void;

/**
 * Deeper than any schema; what comes deeper (a brand's own data) is left out rather than overflow the stack.
 */
const MAX_DEPTH = 24;

/**
 * Makes a value fit a shape: what is empty goes silently, because AEP refuses null and empty values
 * (reference: adobe.md §4.4); what has a wrong type, enum or pattern, and every unknown field, goes and is
 * reported. Nothing is converted. Undefined when nothing is left.
 */
export function conform(value: unknown, shape: Shape, path: string, fault: Fault): JsonValue | undefined {
  if (isEmpty(value)) {
    return undefined;
  }
  if (isObjectShape(shape)) {
    return isJsonObject(value)
      ? conformObject(value, shape, path, fault)
      : reported(path, 'wrong-type', fault);
  }
  if (isListShape(shape)) {
    return Array.isArray(value)
      ? conformList(value, shape.items, path, fault)
      : reported(path, 'wrong-type', fault);
  }
  const code = leafFault(value, shape);
  return code === undefined ? wellFormed(value as JsonValue) : reported(path, code, fault);
}

/** `conform` for a value of no known shape: takes out what is empty, not finite or too deep. */
export function conformAny(value: unknown, path: string, fault: Fault, depth = 0): JsonValue | undefined {
  if (isEmpty(value)) {
    return undefined;
  }
  if (depth > MAX_DEPTH) {
    return reported(path, 'too-deep', fault);
  }
  if (Array.isArray(value)) {
    return listOf(value, (item, index) => conformAny(item, `${path}[${index}]`, fault, depth + 1));
  }
  if (isJsonObject(value)) {
    return objectOf(value, (inner, name) => openField(name, inner, path, fault, depth + 1));
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return reported(path, 'not-finite', fault);
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? wellFormed(value)
    : reported(path, 'wrong-type', fault);
}

function conformObject(
  value: JsonObject,
  shape: ObjectShape,
  path: string,
  fault: Fault,
): JsonObject | undefined {
  const result = objectOf(value, (inner, name) => {
    const known = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    if (known !== undefined) {
      return conform(inner, known, join(path, name), fault);
    }
    if (shape.open) {
      return openField(name, inner, path, fault, 0);
    }
    return isEmpty(inner) ? undefined : reported(join(path, name), 'unknown-field', fault);
  });
  const missing = result && shape.required.find((name) => result[name] === undefined);
  return missing === undefined ? result : reported(join(path, missing), 'missing-required', fault);
}

function openField(
  name: string,
  value: unknown,
  path: string,
  fault: Fault,
  depth: number,
): JsonValue | undefined {
  const at = join(path, name.toWellFormed());
  const isAllowed = isTenantFieldName(name) || isEmpty(value);
  return isAllowed ? conformAny(value, at, fault, depth) : reported(at, 'unknown-field', fault);
}

function conformList(
  value: readonly unknown[],
  items: Shape,
  path: string,
  fault: Fault,
): JsonValue[] | undefined {
  return listOf(value, (item, index) => conform(item, items, `${path}[${index}]`, fault));
}

function reported(path: string, code: string, fault: Fault): undefined {
  fault(path, code);
  return undefined;
}

function wellFormed(value: JsonValue): JsonValue {
  return typeof value === 'string' ? value.toWellFormed() : value;
}

/** The items that something is left of. */
function listOf(
  value: readonly unknown[],
  keep: (item: unknown, index: number) => JsonValue | undefined,
): JsonValue[] | undefined {
  const items: JsonValue[] = [];
  for (let index = 0; index < value.length; index += 1) {
    const kept = keep(value[index], index);
    if (kept !== undefined) {
      items.push(kept);
    }
  }
  return items.length > 0 ? items : undefined;
}

/** The fields that something is left of; none of them is called `__proto__`, which no name of a schema's or a tenant's field is. */
function objectOf(
  value: JsonObject,
  keep: (inner: JsonValue, name: string) => JsonValue | undefined,
): JsonObject | undefined {
  const object: JsonObject = {};
  let isEmptied = true;
  for (const name of Object.keys(value)) {
    const kept = keep(value[name] as JsonValue, name);
    if (kept !== undefined) {
      object[name] = kept;
      isEmptied = false;
    }
  }
  return isEmptied ? undefined : object;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
