import { isJsonObject } from '../capillary/json.ts';
import type { XdmField, XdmObject } from './xdm-field.ts';

/** One thing wrong with a record. Holds no value of the record. */
export interface Violation {
  /** Where, e.g. `#/loyalty/loyaltyID`. */
  readonly pointer: string;
  readonly keyword: string;
  readonly message: string;
}

/** Adobe stops after five errors of one message (reference: adobe.md §2.6). */
const MAX_VIOLATIONS = 5;

/** Codes that failed batches show (reference: adobe.md §2.8); the others have none that is known. */
const CODES: Readonly<Record<string, string>> = {
  type: 'DCVS-1104-400',
  format: 'DCVS-1105-400',
  pattern: 'DCVS-1105-400',
  enum: 'DCVS-1106-400',
  required: 'DCVS-1111-400',
};

/** A violation as one line, e.g. `DCVS-1104-400 #/loyalty/loyaltyID expected type: array, found: string`. */
export function violationText({ pointer, keyword, message }: Violation): string {
  return [CODES[keyword] ?? keyword, pointer, message].join(' ');
}

/** The first five. */
export function firstViolations(found: Iterable<Violation>): Violation[] {
  const kept: Violation[] = [];
  for (const violation of found) {
    kept.push(violation);
    if (kept.length === MAX_VIOLATIONS) break;
  }
  return kept;
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const URI_REFERENCE = /^[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=%-]+$/;
function isDate(text: string): boolean {
  return !Number.isNaN(Date.parse(text));
}

/** Formats of text (date-times: reference, adobe.md §2.8; `_id`: §4.1). */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) => DATE_TIME.test(text) && isDate(text),
  date: (text) => DATE.test(text) && isDate(text),
  'uri-reference': (text) => URI_REFERENCE.test(text),
  email: (text) => /^[^@\s]+@[^@\s]+$/.test(text),
};

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
  array: Array.isArray,
  object: isJsonObject,
};

function wrongType(value: unknown, type: string, pointer: string): Violation | undefined {
  const isRight = TYPES[type] ?? ((given: unknown) => typeof given === 'string');
  if (isRight(value)) return undefined;
  return { pointer, keyword: 'type', message: `expected type: ${type}, found: ${typeOf(value)}` };
}

function isEmpty(value: unknown): boolean {
  return value === null || value === '' || (isJsonObject(value) && Object.keys(value).length === 0);
}

/** Null, empty text and empty object anywhere below: XDM takes none of them (reference: adobe.md §4.4). */
function* emptiness(value: unknown, pointer: string): Generator<Violation> {
  if (isEmpty(value)) {
    const message = `null and empty values are not permitted, found: ${JSON.stringify(value)}`;
    yield { pointer, keyword: 'empty', message };
  } else if (typeof value === 'object') {
    for (const [key, item] of Object.entries(value ?? {})) yield* emptiness(item, `${pointer}/${key}`);
  }
}

function* ofText(value: string, field: XdmField, pointer: string): Generator<Violation> {
  if (typeof field === 'string') {
    if (FORMATS[field]?.(value) === false) {
      yield { pointer, keyword: 'format', message: `is not a valid ${field}` };
    }
  } else if ('oneOf' in field && !field.oneOf.includes(value)) {
    yield { pointer, keyword: 'enum', message: `is not one of ${field.oneOf.join(', ')}` };
  } else if ('pattern' in field && !field.pattern.test(value)) {
    yield { pointer, keyword: 'pattern', message: `does not match pattern ${field.pattern.source}` };
  }
}

function* ofObject(value: object, field: XdmObject, pointer: string): Generator<Violation> {
  for (const key of field.required ?? []) {
    if (!Object.hasOwn(value, key)) {
      yield { pointer, keyword: 'required', message: `required key [${key}] not found` };
    }
  }
  for (const [key, item] of Object.entries(value)) {
    const known = Object.hasOwn(field.fields, key) ? field.fields[key] : undefined;
    if (known === undefined) {
      yield { pointer, keyword: 'additionalProperties', message: `extraneous key [${key}] is not permitted` };
    } else yield* violationsOf(item, known, `${pointer}/${key}`);
  }
}

function containerOf(field: XdmField): string {
  if (typeof field === 'string') return field;
  if ('list' in field) return 'array';
  return 'map' in field || 'fields' in field ? 'object' : 'string';
}

/** Everything wrong with a value, in the order of its keys. Unknown keys are refused (reference: adobe.md §2.6). */
export function* violationsOf(value: unknown, field: XdmField, pointer = '#'): Generator<Violation> {
  if (isEmpty(value) || field === 'anything') {
    yield* emptiness(value, pointer);
    return;
  }
  const wrong = wrongType(value, containerOf(field), pointer);
  if (wrong) yield wrong;
  else if (typeof value === 'string') yield* ofText(value, field, pointer);
  else if (typeof field === 'object' && typeof value === 'object' && value !== null) {
    if ('fields' in field) yield* ofObject(value, field, pointer);
    const inner = 'list' in field ? field.list : 'map' in field ? field.map : undefined;
    if (inner === undefined) return;
    for (const [key, item] of Object.entries(value)) yield* violationsOf(item, inner, `${pointer}/${key}`);
  }
}
