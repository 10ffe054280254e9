import { isEmpty, isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import {
  isLeaf,
  isListShape,
  isMapShape,
  isObjectShape,
  isTenantFieldName,
  leafFault,
  type ObjectShape,
  type Shape,
} from './shape.ts';

/** Called for each value that is left out because it does not fit; `path` is a dotted XDM path. */
export type FaultReporter = (path: string, code: string) => void;

/**
 * Deeper than any schema. A brand's own data below this depth is left out, because it could
 * overflow the stack.
 */
const MAX_DEPTH = 24;

/**
 * Makes a value fit a shape by leaving out what does not fit. Empty values are left out silently,
 * since AEP refuses them (docs/platforms/adobe.md#empty-values). Values of a wrong type, enum or
 * pattern and unknown fields are left out and reported. Nothing is converted.
 *
 * @returns undefined if nothing is left
 */
export function conform(
  value: unknown,
  shape: Shape,
  path: string,
  onFault: FaultReporter,
): JsonValue | undefined {
  if (isEmpty(value)) {
    return undefined;
  }
  if (isObjectShape(shape)) {
    return isJsonObject(value)
      ? conformObject(value, shape, path, onFault)
      : reportFault(path, 'wrong-type', onFault);
  }
  if (isListShape(shape)) {
    return Array.isArray(value)
      ? conformList(value, shape.items, path, onFault)
      : reportFault(path, 'wrong-type', onFault);
  }
  if (isMapShape(shape)) {
    return isJsonObject(value)
      ? conformMap(value, shape.values, path, onFault)
      : reportFault(path, 'wrong-type', onFault);
  }
  const code = leafFault(value, shape);
  return code === undefined ? wellFormed(value as JsonValue) : reportFault(path, code, onFault);
}

/** `conform` for a value without a shape: leaves out what is empty, not finite or too deep. */
export function conformAny(
  value: unknown,
  path: string,
  onFault: FaultReporter,
  depth = 0,
): JsonValue | undefined {
  if (isEmpty(value)) {
    return undefined;
  }
  if (depth > MAX_DEPTH) {
    return reportFault(path, 'too-deep', onFault);
  }
  if (Array.isArray(value)) {
    return mapItems(value, (item, index) => conformAny(item, `${path}[${index}]`, onFault, depth + 1));
  }
  if (isJsonObject(value)) {
    return mapFields(value, (inner, name) => openField(name, inner, path, onFault, depth + 1));
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return reportFault(path, 'not-finite', onFault);
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? wellFormed(value)
    : reportFault(path, 'wrong-type', onFault);
}

function conformObject(
  value: JsonObject,
  shape: ObjectShape,
  path: string,
  onFault: FaultReporter,
): JsonObject | undefined {
  const shapes = shapesOf(shape);
  const result = mapFields(value, (inner, name) => {
    const known = shapes.get(name);
    if (known !== undefined) {
      return conformField(inner, known, path, name, onFault);
    }
    if (shape.open) {
      return openField(name, inner, path, onFault, 0);
    }
    return isEmpty(inner) ? undefined : reportFault(join(path, name), 'unknown-field', onFault);
  });
  const missing = result && shape.required.find((name) => result[name] === undefined);
  return missing === undefined ? result : reportFault(join(path, missing), 'missing-required', onFault);
}

/** Most fields are scalars that fit: their path is not needed. */
function conformField(
  value: unknown,
  shape: Shape,
  path: string,
  name: string,
  onFault: FaultReporter,
): JsonValue | undefined {
  const isFitting =
    typeof value !== 'object' && isLeaf(shape) && !isEmpty(value) && leafFault(value, shape) === undefined;
  return isFitting ? wellFormed(value as JsonValue) : conform(value, shape, join(path, name), onFault);
}

/** By shape, of which there are few. */
const shapesByName = new WeakMap<ObjectShape, ReadonlyMap<string, Shape>>();

function shapesOf(shape: ObjectShape): ReadonlyMap<string, Shape> {
  const known = shapesByName.get(shape);
  if (known !== undefined) {
    return known;
  }
  const shapes = new Map(Object.entries(shape.fields));
  shapesByName.set(shape, shapes);
  return shapes;
}

function conformMap(
  value: JsonObject,
  values: Shape,
  path: string,
  onFault: FaultReporter,
): JsonObject | undefined {
  return mapFields(value, (inner, key) => {
    const valuePath = join(path, key.toWellFormed());
    return isTenantFieldName(key)
      ? conform(inner, values, valuePath, onFault)
      : reportFault(valuePath, 'unknown-field', onFault);
  });
}

/** A field of an open object that no schema lists. */
export function openField(
  name: string,
  value: unknown,
  path: string,
  onFault: FaultReporter,
  depth: number,
): JsonValue | undefined {
  const fieldPath = join(path, name.toWellFormed());
  const isAllowed = isTenantFieldName(name) || isEmpty(value);
  return isAllowed
    ? conformAny(value, fieldPath, onFault, depth)
    : reportFault(fieldPath, 'unknown-field', onFault);
}

function conformList(
  value: readonly unknown[],
  items: Shape,
  path: string,
  onFault: FaultReporter,
): JsonValue[] | undefined {
  return mapItems(value, (item, index) => conform(item, items, `${path}[${index}]`, onFault));
}

function reportFault(path: string, code: string, onFault: FaultReporter): undefined {
  onFault(path, code);
  return undefined;
}

function wellFormed(value: JsonValue): JsonValue {
  return typeof value === 'string' ? value.toWellFormed() : value;
}

/** The transformed items, without those that became undefined. */
function mapItems(
  value: readonly unknown[],
  transform: (item: unknown, index: number) => JsonValue | undefined,
): JsonValue[] | undefined {
  const items: JsonValue[] = [];
  for (let index = 0; index < value.length; index += 1) {
    const result = transform(value[index], index);
    if (result !== undefined) {
      items.push(result);
    }
  }
  return items.length > 0 ? items : undefined;
}

/**
 * The transformed fields, without those that became undefined. None of them is `__proto__`: neither
 * a schema nor a tenant has a field of that name.
 */
function mapFields(
  value: JsonObject,
  transform: (inner: JsonValue, name: string) => JsonValue | undefined,
): JsonObject | undefined {
  const object: JsonObject = {};
  let isEmptyResult = true;
  for (const name of Object.keys(value)) {
    const inner = value[name];
    const result = inner === undefined ? undefined : transform(inner, name);
    if (result !== undefined) {
      object[name] = result;
      isEmptyResult = false;
    }
  }
  return isEmptyResult ? undefined : object;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
