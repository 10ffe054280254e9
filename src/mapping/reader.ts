import { idText } from '../capillary/identifiers.ts';
import { isEmpty, isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { pickTime, toTimestamp } from '../capillary/times.ts';
import { MAX_TEXT_CHARS } from '../xdm/limits.ts';
import type { NoteCode, Notes } from './notes.ts';

/**
 * Reads fields of an event. Each method gives undefined for what is not there (missing, null, blank, empty),
 * silently, and for what is there but is not of the asked kind, with a note. So a mapping can ask for
 * anything of any payload.
 */
export interface Reader {
  /** Where the object stands, e.g. `data.enteredBy`. */
  readonly path: string;
  /** The object itself; `{}` when it is not there. What is taken out of it by hand is not recorded as read. */
  readonly raw: JsonObject;
  /** A text, trimmed. */
  text(field: string): string | undefined;
  /** An id as text: a text or a whole number, `379499720.0` → `379499720`. */
  id(field: string): string | undefined;
  /** Any single value as text. */
  scalar(field: string): string | undefined;
  /** A number, or a text that is one from end to end. */
  number(field: string): number | undefined;
  /** `number` that must be whole. */
  integer(field: string): number | undefined;
  /** Epoch ms; see `pickTime`. */
  instant(field: string): number | undefined;
  /** `instant` as AEP takes it. */
  time(field: string): string | undefined;
  /** The value as it stands. */
  value(field: string): JsonValue | undefined;
  object(field: string): Reader;
  /** The single values of a list as texts. */
  scalars(field: string): readonly string[];
  /** The objects of a list. */
  list(field: string): readonly Reader[];
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/;

/**
 * What was asked for of an object, by field: undefined for one that was taken whole, else what was asked for inside it. The items
 * of a list share one.
 */
export type Reads = Map<string, Reads | undefined>;

/**
 * @param timezone for dates without a zone
 * @param reads records the fields that are asked for
 */
export function createReader(
  raw: JsonObject,
  path: string,
  timezone: string,
  notes: Notes,
  reads: Reads = new Map(),
): Reader {
  return new FieldReader(raw, path, { timezone, notes }, reads);
}

/** What all readers of one event have in common. */
interface Shared {
  readonly timezone: string;
  readonly notes: Notes;
}

/** A class because an event has dozens of readers: their methods are made once. */
class FieldReader implements Reader {
  readonly raw: JsonObject;
  readonly path: string;
  readonly #shared: Shared;
  /** Undefined for what is not there: nothing in it can be left unread. */
  readonly #reads: Reads | undefined;
  /** One of several of its path, of which another can have what this one has not. */
  readonly #isOfList: boolean;

  constructor(raw: JsonObject, path: string, shared: Shared, reads: Reads | undefined, isOfList = false) {
    this.raw = raw;
    this.path = path;
    this.#shared = shared;
    this.#reads = reads;
    this.#isOfList = isOfList;
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
    return value === undefined || id !== undefined
      ? this.#bounded(field, id)
      : this.#fault(field, 'not-an-id');
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

  instant(field: string): number | undefined {
    const at = pickTime(this.raw, field, this.#shared.timezone);
    const own = this.value(field);
    const shadow = this.value(`${field}InMillis`);
    const isThere = own !== undefined || shadow !== undefined;
    return at === undefined && isThere ? this.#fault(field, 'not-a-date') : at;
  }

  time(field: string): string | undefined {
    const at = this.instant(field);
    return at === undefined ? undefined : toTimestamp(at);
  }

  value(field: string): JsonValue | undefined {
    this.#reads?.set(field, undefined);
    return valueIn(this.raw, field);
  }

  object(field: string): Reader {
    const value = valueIn(this.raw, field);
    const reads = this.#opened(field, value);
    if (value !== undefined && !isJsonObject(value)) {
      this.#fault(field, 'wrong-type');
    }
    return this.#below(field, isJsonObject(value) ? value : NOTHING, reads, this.#isOfList);
  }

  scalars(field: string): readonly string[] {
    return this.#items(field, this.value(field)).flatMap((item, index) => {
      const text = this.#textOf(`${field}[${index}]`, isEmpty(item) ? undefined : item);
      return text === undefined ? [] : [text];
    });
  }

  list(field: string): readonly Reader[] {
    const value = valueIn(this.raw, field);
    const reads = this.#opened(field, value);
    const readers: Reader[] = [];
    for (const [index, item] of this.#items(field, value).entries()) {
      const place = `${field}[${index}]`;
      if (isJsonObject(item)) {
        readers.push(this.#below(place, item, reads, true));
      } else if (!isEmpty(item)) {
        this.#fault(place, 'wrong-type');
      }
    }
    return readers;
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
    return Array.isArray(value) ? value : NO_ITEMS;
  }

  #bounded(field: string, text: string | undefined): string | undefined {
    return text !== undefined && text.length > MAX_TEXT_CHARS ? this.#fault(field, 'too-long') : text;
  }

  #fault(field: string, code: NoteCode): undefined {
    this.#shared.notes.add(this.#placeOf(field), code);
    return undefined;
  }

  /** Where what is asked for inside a field is recorded. Most that is asked for is not there: of that it is enough to know that it was opened. */
  #opened(field: string, value: JsonValue | undefined): Reads | undefined {
    if (this.#reads === undefined) {
      return undefined;
    }
    const isMissing = value === undefined && !this.#isOfList;
    const opened = this.#reads.get(field) ?? (isMissing ? NOTHING_READ : new Map());
    this.#reads.set(field, opened);
    return isMissing ? undefined : opened;
  }

  #below(field: string, raw: JsonObject, reads: Reads | undefined, isOfList: boolean): Reader {
    return new FieldReader(raw, this.#placeOf(field), this.#shared, reads, isOfList);
  }

  #placeOf(field: string): string {
    return this.path === '' ? field : `${this.path}.${field}`;
  }
}

const NOTHING: JsonObject = Object.freeze({});
const NO_ITEMS: readonly JsonValue[] = [];
const NOTHING_READ: Reads = new Map();

function valueIn(raw: JsonObject, field: string): JsonValue | undefined {
  const value = Object.hasOwn(raw, field) ? raw[field] : undefined;
  return isEmpty(value) ? undefined : value;
}
