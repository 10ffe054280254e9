import { isEmpty, isJsonObject } from '../capillary/json.ts';
import { type FaultReporter, openField } from './conform.ts';
import { isDate, isDateTime, isEmail, isUriReference } from './formats.ts';
import {
  goBack,
  finishText,
  position,
  putAscii,
  putJson,
  putString,
  startText,
  type WrittenText,
} from './json-buffer.ts';
import {
  isLeaf,
  isListShape,
  isMapShape,
  isTenantFieldName,
  type Leaf,
  leafFault,
  type ListShape,
  type MapShape,
  type ObjectShape,
  type Shape,
} from './shape.ts';

/*
 * Writes values as JSON text by the rules of `conform`, without building what it would return: half
 * of the objects of an event would be copies that are read once. The functions for a shape are made
 * once, each with the names and the path of its fields.
 */

/**
 * Writes what fits the shape; false if nothing is left, and so nothing written.
 *
 * @param prefix the path of the list item or map entry that this is in; empty if it is in none
 */
type Writer = (value: unknown, prefix: string, onFault: FaultReporter) => boolean;

const writers = new WeakMap<ObjectShape, Writer>();

/**
 * The JSON text of what `conform` leaves of a record, and the same faults.
 *
 * @param more a further field, valid and not in the record, as JSON text without braces; called
 *   when the other fields are written
 * @returns undefined if nothing is left
 */
export function writeRecord(
  value: unknown,
  shape: ObjectShape,
  onFault: FaultReporter,
  more: () => string,
): WrittenText;
export function writeRecord(
  value: unknown,
  shape: ObjectShape,
  onFault: FaultReporter,
  more?: () => string | undefined,
): WrittenText | undefined;
export function writeRecord(
  value: unknown,
  shape: ObjectShape,
  onFault: FaultReporter,
  more?: () => string | undefined,
): WrittenText | undefined {
  const write = writers.get(shape) ?? objectWriter(shape, undefined);
  writers.set(shape, write);
  startText();
  const isWritten = write(value, '', onFault);
  const further = more?.();
  if (further === undefined) {
    return isWritten ? finishText() : undefined;
  }
  if (isWritten) {
    goBack(position() - 1);
  }
  putAscii(isWritten ? ',' : '{');
  putJson(further);
  putAscii('}');
  return finishText();
}

/** @param path below the list item or map entry: `.order.items`, in none without the first dot */
function writerOf(shape: Shape, path: string): Writer {
  if (isLeaf(shape)) {
    return leafWriter(shape, path);
  }
  if (isListShape(shape)) {
    return listWriter(shape, path);
  }
  return isMapShape(shape) ? mapWriter(shape, path) : objectWriter(shape, path);
}

interface Field {
  readonly write: Writer;
  /** Before the value: `,"name":`, and as the first field of the object. */
  readonly next: string;
  readonly first: string;
  /** Its bit among the required fields of the object; 0 if it is not required. */
  readonly bit: number;
}

/** @param at its path; undefined for the record itself */
function objectWriter({ fields, required, open }: ObjectShape, at: string | undefined): Writer {
  const path = at ?? '';
  const below = (name: string): string => (at === undefined ? name : `${at}.${name}`);
  const known = new Map(
    Object.entries(fields).map(([name, shape]): [string, Field] => [
      name,
      { ...keysOf(name), write: writerOf(shape, below(name)), bit: bitOf(required.indexOf(name)) },
    ]),
  );
  const allRequired = required.reduce((bits, _, index) => bits | bitOf(index), 0);
  return (value, prefix, onFault) => {
    if (!isJsonObject(value)) {
      return isEmpty(value) ? false : reportFault(prefix + path, 'wrong-type', onFault);
    }
    const start = position();
    let written = 0;
    // Not over a list of the keys: this way the engine reads the fields by their positions.
    for (const name in value) {
      const inner = value[name];
      if (inner === undefined) {
        continue;
      }
      const field = known.get(name);
      const before = position();
      if (field !== undefined) {
        putAscii(before === start ? field.first : field.next);
        if (field.write(inner, prefix, onFault)) {
          written |= field.bit;
        } else {
          goBack(before);
        }
      } else if (open) {
        const part = openField(name, inner, prefix + path, onFault, 0);
        if (part !== undefined) {
          const { first, next } = keysOf(name);
          putAscii(before === start ? first : next);
          putJson(JSON.stringify(part));
        }
      } else if (!isEmpty(inner)) {
        reportFault(prefix + below(name), 'unknown-field', onFault);
      }
    }
    if (written !== allRequired && position() !== start) {
      const missing = required.find((_, index) => (written & bitOf(index)) === 0) ?? '';
      goBack(start);
      return reportFault(prefix + below(missing), 'missing-required', onFault);
    }
    return isClosed(start, '}');
  };
}

/** Names of fields need no escaping. */
function keysOf(name: string): { readonly first: string; readonly next: string } {
  return { first: `{"${name}":`, next: `,"${name}":` };
}

function bitOf(index: number): number {
  return index === -1 ? 0 : 1 << index;
}

function listWriter({ items }: ListShape, path: string): Writer {
  const write = writerOf(items, '');
  return (value, prefix, onFault) => {
    if (!Array.isArray(value)) {
      return isEmpty(value) ? false : reportFault(prefix + path, 'wrong-type', onFault);
    }
    const start = position();
    for (let index = 0; index < value.length; index += 1) {
      const before = position();
      putAscii(before === start ? '[' : ',');
      if (!write(value[index], `${prefix}${path}[${index}]`, onFault)) {
        goBack(before);
      }
    }
    return isClosed(start, ']');
  };
}

/** Ends what was begun there; false if it has nothing. */
function isClosed(start: number, bracket: string): boolean {
  if (position() === start) {
    return false;
  }
  putAscii(bracket);
  return true;
}

function mapWriter({ values }: MapShape, path: string): Writer {
  const write = writerOf(values, '');
  return (value, prefix, onFault) => {
    if (!isJsonObject(value)) {
      return isEmpty(value) ? false : reportFault(prefix + path, 'wrong-type', onFault);
    }
    const start = position();
    for (const key of Object.keys(value)) {
      const inner = value[key];
      const valuePath = `${prefix}${path}.${key.toWellFormed()}`;
      if (inner === undefined) {
        continue;
      }
      if (!isTenantFieldName(key)) {
        reportFault(valuePath, 'unknown-field', onFault);
        continue;
      }
      const before = position();
      const { first, next } = keysOf(key);
      putAscii(before === start ? first : next);
      if (!write(inner, valuePath, onFault)) {
        goBack(before);
      }
    }
    return isClosed(start, '}');
  };
}

/** Formats in which a value is never empty. */
const FORMATS: ReadonlyMap<Leaf, (text: string) => boolean> = new Map<Leaf, (text: string) => boolean>([
  ['date-time', isDateTime],
  ['date', isDate],
  ['email', isEmail],
  ['uri-reference', isUriReference],
]);

function leafWriter(leaf: Leaf, path: string): Writer {
  const isOfFormat = FORMATS.get(leaf);
  return (value, prefix, onFault) => {
    if (typeof value === 'string' && isOfFormat?.(value) === true) {
      putString(value);
      return true;
    }
    if (isEmpty(value)) {
      return false;
    }
    const code = leafFault(value, leaf);
    if (code !== undefined) {
      return reportFault(prefix + path, code, onFault);
    }
    if (typeof value === 'string') {
      putString(value);
    } else {
      putAscii(typeof value === 'number' ? String(value) : value === true ? 'true' : 'false');
    }
    return true;
  };
}

function reportFault(path: string, code: string, onFault: FaultReporter): false {
  onFault(path, code);
  return false;
}
