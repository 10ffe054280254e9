import { isJsonObject } from '../../capillary/json.ts';
import type { AcceptedField, AcceptedObject } from './unwritten-fields.ts';

/** One violation in a record. Contains no value of the record, except an empty one. */
export interface Violation {
  /** JSON pointer, such as `#/loyalty/loyaltyID`. */
  readonly pointer: string;
  readonly keyword: string;
  readonly message: string;
}

/**
 * The codes in failed batches (docs/platforms/adobe.md#validation-codes). We assume that a wrong
 * pattern has the code of a wrong format. Other violations have no known code.
 */
const CODES: Readonly<Record<string, string>> = {
  type: 'DCVS-1104-400',
  format: 'DCVS-1105-400',
  pattern: 'DCVS-1105-400',
  enum: 'DCVS-1106-400',
  required: 'DCVS-1111-400',
  primary: 'DCVS-1106-400',
};

/** Violations without a known code have one that Adobe does not use. */
export function violationCode({ keyword }: Violation): string {
  return CODES[keyword] ?? 'DCVS-0000-400';
}

/** One line, such as `DCVS-1104-400 #/loyalty/loyaltyID expected type: array, found: string`. */
export function violationText({ pointer, keyword, message }: Violation): string {
  return [CODES[keyword] ?? keyword, pointer, message].join(' ');
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const URI_REFERENCE = /^[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=%-]+$/;

function isParsable(date: string): boolean {
  return !Number.isNaN(Date.parse(date));
}

/**
 * The formats that Adobe accepts (docs/platforms/adobe.md#date-times,
 * docs/platforms/adobe.md#event-ids). The relay's own formats are stricter.
 */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) => DATE_TIME.test(text) && isParsable(text),
  date: (text) => DATE.test(text) && isParsable(text),
  'uri-reference': (text) => URI_REFERENCE.test(text),
  email: (text) => /^[^@\s]+@[^@\s]+$/.test(text),
};

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
  array: Array.isArray,
  object: isJsonObject,
};

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function typeViolation(value: unknown, type: string, pointer: string): Violation | undefined {
  const isExpected = TYPES[type] ?? ((given: unknown) => typeof given === 'string');
  if (isExpected(value)) return undefined;
  return { pointer, keyword: 'type', message: `expected type: ${type}, found: ${typeName(value)}` };
}

function isEmpty(value: unknown): boolean {
  return value === null || value === '' || (isJsonObject(value) && Object.keys(value).length === 0);
}

/** Null, empty strings and empty objects at any depth (docs/platforms/adobe.md#empty-values). */
function* emptyValues(value: unknown, pointer: string): Generator<Violation> {
  if (isEmpty(value)) {
    const message = `null and empty values are not permitted, found: ${JSON.stringify(value)}`;
    yield { pointer, keyword: 'empty', message };
  } else if (typeof value === 'object') {
    for (const [key, item] of Object.entries(value ?? {})) yield* emptyValues(item, `${pointer}/${key}`);
  }
}

function* textViolations(value: string, field: AcceptedField, pointer: string): Generator<Violation> {
  if (typeof field === 'string') {
    if (FORMATS[field]?.(value) === false) {
      yield { pointer, keyword: 'format', message: `is not a valid ${field}` };
    }
  } else if ('oneOf' in field && !field.oneOf.includes(value)) {
    yield { pointer, keyword: 'enum', message: `is not one of ${field.oneOf.join(', ')}` };
  } else if ('matching' in field && !field.matching.test(value)) {
    yield { pointer, keyword: 'pattern', message: `does not match pattern ${field.matching.source}` };
  }
}

function* objectViolations(value: object, field: AcceptedObject, pointer: string): Generator<Violation> {
  for (const key of field.required) {
    if (!Object.hasOwn(value, key)) {
      yield { pointer, keyword: 'required', message: `required key [${key}] not found` };
    }
  }
  for (const [key, item] of Object.entries(value)) {
    const known = Object.hasOwn(field.fields, key) ? field.fields[key] : undefined;
    if (known === undefined) {
      yield { pointer, keyword: 'additionalProperties', message: `extraneous key [${key}] is not permitted` };
    } else yield* fieldViolations(item, known, `${pointer}/${key}`);
  }
}

function typeOf(field: AcceptedField): string {
  if (typeof field === 'string') return field;
  if ('items' in field) return 'array';
  return 'values' in field || 'fields' in field ? 'object' : 'string';
}

/**
 * All violations of a value, in the order of its keys. Unknown keys are refused
 * (docs/platforms/adobe.md#unknown-fields).
 */
export function* fieldViolations(value: unknown, field: AcceptedField, pointer = '#'): Generator<Violation> {
  if (isEmpty(value) || field === 'anything') {
    yield* emptyValues(value, pointer);
    return;
  }
  const wrongType = typeViolation(value, typeOf(field), pointer);
  if (wrongType) yield wrongType;
  else if (typeof value === 'string') yield* textViolations(value, field, pointer);
  else if (typeof field === 'object' && typeof value === 'object' && value !== null) {
    if ('fields' in field) yield* objectViolations(value, field, pointer);
    const inner = 'items' in field ? field.items : 'values' in field ? field.values : undefined;
    if (inner === undefined) return;
    for (const [key, item] of Object.entries(value)) yield* fieldViolations(item, inner, `${pointer}/${key}`);
  }
}
