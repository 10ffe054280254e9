import { isDate, isDateTime, isEmail, isUriReference } from './formats.ts';

/** What a single value may be. */
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
  /** Without one of these the whole object is of no use to AEP and is left out. */
  readonly required: readonly string[];
  /** Fields that are not listed are let through: the brand's own ones below the tenant. */
  readonly open: boolean;
}

export interface ListShape {
  readonly items: Shape;
}

/**
 * The shape of a part of an XDM record: a small mirror of Adobe's schemas, holding what the relay may write.
 */
export type Shape = Leaf | ObjectShape | ListShape;

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

export function isObjectShape(shape: Shape): shape is ObjectShape {
  return typeof shape === 'object' && 'fields' in shape;
}

export function isListShape(shape: Shape): shape is ListShape {
  return typeof shape === 'object' && 'items' in shape;
}

/** Names that AEP takes for a field of the tenant's own (reference: adobe.md §5.9). */
export function isTenantFieldName(name: string): boolean {
  return /^[A-Za-z0-9][\w-]*$/.test(name);
}

/** Stands in a path for "an item of the list". */
export const ITEM = '[]';

/** The shape at a path of field names; `any` below an open object; undefined where nothing may be written. */
export function shapeAt(shape: Shape, path: readonly string[]): Shape | 'any' | undefined {
  let at: Shape = shape;
  for (const [index, name] of path.entries()) {
    if (isListShape(at) && name === ITEM) {
      at = at.items;
      continue;
    }
    if (!isObjectShape(at)) {
      return undefined;
    }
    const next: Shape | undefined = Object.hasOwn(at.fields, name) ? at.fields[name] : undefined;
    if (next === undefined) {
      return at.open && path.slice(index).every(isTenantFieldName) ? 'any' : undefined;
    }
    at = next;
  }
  return at;
}

/** Undefined when the value fits the leaf, else the stable code of what is wrong with it. */
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

/** An Integer of XDM has 32 bits; a schema that a brand made in the editor says so. */
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
