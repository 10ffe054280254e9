import { isDate, isDateTime, isEmail, isUriReference } from './formats.ts';

/** The type of a scalar value. */
export type Leaf =
  | 'string'
  | 'number'
  | 'integer'
  | 'boolean'
  | 'date-time'
  | 'date'
  | 'email'
  | 'uri-reference'
  | { readonly oneOf: readonly string[] }
  | { readonly matching: RegExp };

export interface ObjectShape {
  readonly fields: Readonly<Record<string, Shape>>;
  /** AEP refuses the object without these, so then the whole object is left out. */
  readonly required: readonly string[];
  /** Whether other fields are allowed: the brand's own fields below the tenant. */
  readonly open: boolean;
}

export interface ListShape {
  readonly items: Shape;
}

/** An object whose keys are data. */
export interface MapShape {
  readonly values: Shape;
}

/**
 * The shape of a part of an XDM record. Our shapes describe the fields that the relay may write, a
 * subset of Adobe's schemas.
 */
export type Shape = Leaf | ObjectShape | ListShape | MapShape;

export function object(
  fields: Readonly<Record<string, Shape>>,
  required: readonly string[] = [],
): ObjectShape {
  return {
    fields,
    required,
    open: false,
  };
}

export function openObject(fields: Readonly<Record<string, Shape>>): ObjectShape {
  return {
    fields,
    required: [],
    open: true,
  };
}

export function list(items: Shape): ListShape {
  return { items };
}

export function map(values: Shape): MapShape {
  return { values };
}

export function isLeaf(shape: Shape): shape is Leaf {
  return typeof shape === 'string' || 'oneOf' in shape || 'matching' in shape;
}

export function isMapShape(shape: Shape): shape is MapShape {
  return typeof shape === 'object' && 'values' in shape;
}

export function isObjectShape(shape: Shape): shape is ObjectShape {
  return typeof shape === 'object' && 'fields' in shape;
}

export function isListShape(shape: Shape): shape is ListShape {
  return typeof shape === 'object' && 'items' in shape;
}

/** A name that AEP accepts for a custom field (docs/platforms/adobe.md#tenant-fields). */
export function isTenantFieldName(name: string): boolean {
  return /^[A-Za-z0-9][\w-]*$/.test(name);
}

/** In a path: any item of the list. */
export const ITEM = '[]';

/**
 * The shape at a path of field names: `any` for an unlisted field of an open object, undefined for
 * an unknown one.
 */
export function shapeAt(shape: Shape, path: readonly string[]): Shape | 'any' | undefined {
  let current: Shape = shape;
  for (const [index, name] of path.entries()) {
    if (isListShape(current) && name === ITEM) {
      current = current.items;
      continue;
    }
    if (isMapShape(current) && isTenantFieldName(name)) {
      current = current.values;
      continue;
    }
    if (!isObjectShape(current)) {
      return undefined;
    }
    const next: Shape | undefined = Object.hasOwn(current.fields, name) ? current.fields[name] : undefined;
    if (next === undefined) {
      return current.open && path.slice(index).every(isTenantFieldName) ? 'any' : undefined;
    }
    current = next;
  }
  return current;
}

/** The stable code of the fault of a value; undefined if it fits. */
export function leafFault(value: unknown, leaf: Leaf): string | undefined {
  if (leaf === 'number' || leaf === 'integer') {
    return numberFault(value, leaf);
  }
  if (leaf === 'boolean') {
    return typeof value === 'boolean' ? undefined : 'wrong-type';
  }
  return typeof value === 'string' ? textFault(value, leaf) : 'wrong-type';
}

function numberFault(value: unknown, leaf: 'number' | 'integer'): string | undefined {
  if (typeof value !== 'number') {
    return 'wrong-type';
  }
  if (!Number.isFinite(value)) {
    return 'not-finite';
  }
  return leaf === 'integer' && !isInteger(value) ? 'not-an-integer' : undefined;
}

/** XDM's Integer has 32 bits, as schemas made in Adobe's editor show. */
function isInteger(value: number): boolean {
  return value === Math.trunc(value) && Math.abs(value) < 2 ** 31;
}

function textFault(value: string, leaf: Exclude<Leaf, 'number' | 'integer' | 'boolean'>): string | undefined {
  if (typeof leaf === 'object') {
    if ('oneOf' in leaf) {
      return leaf.oneOf.includes(value) ? undefined : 'not-in-enum';
    }
    return leaf.matching.test(value) ? undefined : 'wrong-pattern';
  }
  switch (leaf) {
    case 'date-time':
      return isDateTime(value) ? undefined : 'not-a-date';
    case 'date':
      return isDate(value) ? undefined : 'not-a-date';
    case 'email':
      return isEmail(value) ? undefined : 'not-an-email';
    case 'uri-reference':
      return isUriReference(value) ? undefined : 'wrong-pattern';
    case 'string':
      return undefined;
  }
}

/** The optional field groups, or versions of them, that the schemas of a destination have. */
export interface SchemaFeatures {
  readonly loyalty2026: boolean;
  readonly loyaltyEvents: boolean;
  readonly placeContext: boolean;
  readonly sourceAudit: boolean;
  readonly consents: boolean;
}

type ShapeFactory = (features: SchemaFeatures, tenant: string | undefined) => ObjectShape;

/**
 * Builds the shape of each schema once, because every event needs it. The features of a destination
 * never change while the process runs.
 */
export function memoizePerSchema(make: ShapeFactory): ShapeFactory {
  const known = new WeakMap<SchemaFeatures, Map<string | undefined, ObjectShape>>();
  return (features, tenant) => {
    const byTenant = known.get(features) ?? new Map<string | undefined, ObjectShape>();
    const shape = byTenant.get(tenant) ?? make(features, tenant);
    known.set(features, byTenant.set(tenant, shape));
    return shape;
  };
}
