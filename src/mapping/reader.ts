import { isUsableId } from '../capillary/event-id.ts';
import { idText } from '../capillary/identifiers.ts';
import { isEmpty, isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { type DayEdge, pickTime, toTimestamp } from '../capillary/times.ts';
import { MAX_TEXT_CHARS } from '../xdm/xdm-record.ts';
import type { NoteCode, Notes } from './mapping-notes.ts';

/**
 * Reads fields of an event. Each method returns undefined for an absent value (missing, null,
 * blank, empty) and, with a note, for a value of another type. So a mapping can read any field of
 * any payload.
 */
export interface Reader {
  /** The path of the object, e.g. `data.enteredBy`. */
  readonly path: string;
  /** The object itself; `{}` if it is absent. Direct access to it is not recorded as read. */
  readonly raw: JsonObject;
  /** A trimmed string. */
  text(field: string): string | undefined;
  /** An id as a string, from a string or an integer: `379499720.0` → `379499720`. */
  id(field: string): string | undefined;
  /** Any scalar as a string. */
  scalar(field: string): string | undefined;
  /** A number, or a string that is entirely a number. */
  number(field: string): number | undefined;
  /** A `number` that must be an integer. */
  integer(field: string): number | undefined;
  /** Epoch ms; see `pickTime`. */
  instant(field: string, edge: DayEdge): number | undefined;
  /**
   * When something began or happened (start, issued, earned, redeemed), in the form that AEP
   * accepts. A date without a time is the start of that day.
   */
  startTime(field: string): string | undefined;
  /**
   * Until when something lasts or for when it is planned (expiry, end, schedule), in the form that
   * AEP accepts. A date without a time is the end of that day.
   */
  time(field: string): string | undefined;
  /** The unchanged value. */
  value(field: string): JsonValue | undefined;
  object(field: string): Reader;
  /** The scalars of a list as strings. */
  scalars(field: string): readonly string[];
  /** The objects of a list. */
  list(field: string): readonly Reader[];
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/;

/**
 * The fields of an object that were read: undefined for a field that was read as a whole, else the
 * fields that were read inside it. All items of a list share one map.
 */
export type Reads = Map<string, Reads | undefined>;

/**
 * @param timezone zone of dates without an offset
 * @param reads records the fields that are read; absent: nothing is recorded
 */
export function createReader(
  raw: JsonObject,
  path: string,
  timezone: string,
  notes: Notes,
  reads?: Reads,
): Reader {
  return new FieldReader(raw, path, { timezone, notes }, reads);
}

/** Shared by all readers of one event. */
interface Shared {
  readonly timezone: string;
  readonly notes: Notes;
}

/** A class, so that the dozens of readers of an event share their methods. */
class FieldReader implements Reader {
  readonly raw: JsonObject;
  readonly path: string;
  readonly #shared: Shared;
  /** Undefined: nothing is recorded. In an absent object nothing can be left unread. */
  readonly #reads: Reads | undefined;
  /** Inside a list item: another item can have a field that this one lacks. */
  readonly #isInList: boolean;

  constructor(raw: JsonObject, path: string, shared: Shared, reads: Reads | undefined, isOfList = false) {
    this.raw = raw;
    this.path = path;
    this.#shared = shared;
    this.#reads = reads;
    this.#isInList = isOfList;
  }

  text(field: string): string | undefined {
    const value = this.value(field);
    if (value === undefined) {
      return undefined;
    }
    return typeof value === 'string'
      ? this.#bounded(field, value.toWellFormed().trim())
      : this.#fault(field, 'wrong-type');
  }

  id(field: string): string | undefined {
    const value = this.value(field);
    const id = idText(value);
    if (id === undefined) {
      return value === undefined ? undefined : this.#fault(field, 'not-an-id');
    }
    // A number can be 0 or negative; as text it can stand for "none".
    return typeof value === 'number' || isUsableId(id)
      ? this.#bounded(field, id)
      : this.#fault(field, 'placeholder');
  }

  scalar(field: string): string | undefined {
    return this.#textOf(field, this.value(field));
  }

  number(field: string): number | undefined {
    const value = this.value(field);
    const number = typeof value === 'string' && NUMBER.test(value.trim()) ? Number(value) : value;
    if (typeof number !== 'number') {
      return number === undefined ? undefined : this.#fault(field, 'not-a-number');
    }
    return Number.isFinite(number) ? number : this.#fault(field, 'not-finite');
  }

  integer(field: string): number | undefined {
    const number = this.number(field);
    return number === undefined || Number.isSafeInteger(number)
      ? number
      : this.#fault(field, 'not-an-integer');
  }

  instant(field: string, edge: DayEdge): number | undefined {
    const at = pickTime(this.raw, field, this.#shared.timezone, edge);
    const own = this.value(field);
    const millis = this.value(`${field}InMillis`);
    const isPresent = own !== undefined || millis !== undefined;
    return at === undefined && isPresent ? this.#fault(field, 'not-a-date') : at;
  }

  startTime(field: string): string | undefined {
    return this.#timestamp(field, 'start');
  }

  time(field: string): string | undefined {
    return this.#timestamp(field, 'end');
  }

  value(field: string): JsonValue | undefined {
    this.#reads?.set(field, undefined);
    return valueIn(this.raw, field);
  }

  object(field: string): Reader {
    const value = valueIn(this.raw, field);
    const reads = this.#recordInside(field, value);
    if (value !== undefined && !isJsonObject(value)) {
      this.#fault(field, 'wrong-type');
    }
    return this.#readerOf(field, isJsonObject(value) ? value : EMPTY_OBJECT, reads, this.#isInList);
  }

  scalars(field: string): readonly string[] {
    return this.#items(field, this.value(field)).flatMap((item, index) => {
      const text = this.#textOf(`${field}[${index}]`, isEmpty(item) ? undefined : item);
      return text === undefined ? [] : [text];
    });
  }

  list(field: string): readonly Reader[] {
    const value = valueIn(this.raw, field);
    const reads = this.#recordInside(field, value);
    const readers: Reader[] = [];
    for (const [index, item] of this.#items(field, value).entries()) {
      const place = `${field}[${index}]`;
      if (isJsonObject(item)) {
        readers.push(this.#readerOf(place, item, reads, true));
      } else if (!isEmpty(item)) {
        this.#fault(place, 'wrong-type');
      }
    }
    return readers;
  }

  #timestamp(field: string, edge: DayEdge): string | undefined {
    const at = this.instant(field, edge);
    return at === undefined ? undefined : toTimestamp(at);
  }

  #textOf(field: string, value: JsonValue | undefined): string | undefined {
    if (
      typeof value === 'object' ||
      value === Number.POSITIVE_INFINITY ||
      value === Number.NEGATIVE_INFINITY
    ) {
      return this.#fault(field, 'wrong-type');
    }
    return this.#bounded(field, value === undefined ? undefined : String(value).toWellFormed().trim());
  }

  #items(field: string, value: JsonValue | undefined): readonly JsonValue[] {
    if (value !== undefined && !Array.isArray(value)) {
      this.#fault(field, 'wrong-type');
    }
    return Array.isArray(value) ? value : EMPTY_LIST;
  }

  #bounded(field: string, text: string | undefined): string | undefined {
    return text !== undefined && text.length > MAX_TEXT_CHARS ? this.#fault(field, 'too-long') : text;
  }

  #fault(field: string, code: NoteCode): undefined {
    this.#shared.notes.add(this.#pathOf(field), code);
    return undefined;
  }

  /**
   * Records the reads inside a field. Most requested objects are absent; for these it is enough to
   * record the field itself.
   */
  #recordInside(field: string, value: JsonValue | undefined): Reads | undefined {
    if (this.#reads === undefined) {
      return undefined;
    }
    const isMissing = value === undefined && !this.#isInList;
    const inside = this.#reads.get(field) ?? (isMissing ? NO_READS : new Map());
    this.#reads.set(field, inside);
    return isMissing ? undefined : inside;
  }

  #readerOf(field: string, raw: JsonObject, reads: Reads | undefined, isOfList: boolean): Reader {
    return new FieldReader(raw, this.#pathOf(field), this.#shared, reads, isOfList);
  }

  #pathOf(field: string): string {
    return this.path === '' ? field : `${this.path}.${field}`;
  }
}

const EMPTY_OBJECT: JsonObject = Object.freeze({});
const EMPTY_LIST: readonly JsonValue[] = [];
const NO_READS: Reads = new Map();

function valueIn(raw: JsonObject, field: string): JsonValue | undefined {
  const value = Object.hasOwn(raw, field) ? raw[field] : undefined;
  return isEmpty(value) ? undefined : value;
}
