import { idText } from '../capillary/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
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

/** What a reader reads from. */
interface Origin {
  readonly raw: JsonObject;
  readonly path: string;
  readonly timezone: string;
  readonly notes: Notes;
  readonly reads: Reads;
}

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
  const origin = { raw, path, timezone, notes, reads };
  return {
    path,
    raw,
    text: (field) => textIn(origin, field),
    id: (field) => idIn(origin, field),
    scalar: (field) => scalarIn(origin, field),
    number: (field) => numberIn(origin, field),
    integer: (field) => integerIn(origin, field),
    instant: (field) => instantIn(origin, field),
    time: (field) => timeIn(origin, field),
    value: (field) => presentIn(origin, field),
    object: (field) => objectIn(origin, field),
    scalars: (field) => scalarsIn(origin, field),
    list: (field) => listIn(origin, field),
  };
}

function textIn(origin: Origin, field: string): string | undefined {
  const value = presentIn(origin, field);
  if (value === undefined) {
    return undefined;
  }
  return typeof value === 'string'
    ? bounded(origin, field, value.toWellFormed().trim())
    : fault(origin, field, 'wrong-type');
}

function idIn(origin: Origin, field: string): string | undefined {
  const value = presentIn(origin, field);
  const id = idText(value);
  return value === undefined || id !== undefined
    ? bounded(origin, field, id)
    : fault(origin, field, 'not-an-id');
}

function integerIn(origin: Origin, field: string): number | undefined {
  const number = numberIn(origin, field);
  return number === undefined || Number.isSafeInteger(number)
    ? number
    : fault(origin, field, 'not-an-integer');
}

function timeIn(origin: Origin, field: string): string | undefined {
  const at = instantIn(origin, field);
  return at === undefined ? undefined : toTimestamp(at);
}

function objectIn(origin: Origin, field: string): Reader {
  const reads = openedIn(origin, field);
  const value = valueIn(origin, field);
  if (value !== undefined && !isJsonObject(value)) {
    fault(origin, field, 'wrong-type');
  }
  return below(origin, field, isJsonObject(value) ? value : {}, reads);
}

const scalarsIn = (origin: Origin, field: string): readonly string[] =>
  itemsOf(origin, field, presentIn(origin, field)).flatMap((item, index) => {
    const place = `${field}[${index}]`;
    const text = scalarIn({ ...origin, raw: { [place]: item }, reads: new Map() }, place);
    return text === undefined ? [] : [text];
  });

function listIn(origin: Origin, field: string): readonly Reader[] {
  const reads = openedIn(origin, field);
  return itemsOf(origin, field, valueIn(origin, field)).flatMap((item, index) => {
    const place = `${field}[${index}]`;
    if (!isJsonObject(item) && !isAbsent(item)) {
      fault(origin, place, 'wrong-type');
    }
    return isJsonObject(item) ? [below(origin, place, item, reads)] : [];
  });
}

function itemsOf(origin: Origin, field: string, value: JsonValue | undefined): readonly JsonValue[] {
  if (value !== undefined && !Array.isArray(value)) {
    fault(origin, field, 'wrong-type');
  }
  return Array.isArray(value) ? value : [];
}

function scalarIn(origin: Origin, field: string): string | undefined {
  const value = presentIn(origin, field);
  if (typeof value === 'object' || value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    return fault(origin, field, 'wrong-type');
  }
  return bounded(origin, field, value === undefined ? undefined : String(value).toWellFormed().trim());
}

function numberIn(origin: Origin, field: string): number | undefined {
  const value = presentIn(origin, field);
  const number = typeof value === 'string' && NUMBER.test(value.trim()) ? Number(value) : value;
  if (typeof number !== 'number') {
    return number === undefined ? undefined : fault(origin, field, 'not-a-number');
  }
  return Number.isFinite(number) ? number : fault(origin, field, 'not-finite');
}

function instantIn(origin: Origin, field: string): number | undefined {
  const at = pickTime(origin.raw, field, origin.timezone);
  const own = presentIn(origin, field);
  const shadow = presentIn(origin, `${field}InMillis`);
  const isThere = own !== undefined || shadow !== undefined;
  return at === undefined && isThere ? fault(origin, field, 'not-a-date') : at;
}

/** Records the field as read, and reads it. */
function presentIn(origin: Origin, field: string): JsonValue | undefined {
  origin.reads.set(field, undefined);
  return valueIn(origin, field);
}

function valueIn({ raw }: Origin, field: string): JsonValue | undefined {
  const value = Object.hasOwn(raw, field) ? raw[field] : undefined;
  return isAbsent(value) ? undefined : value;
}

const bounded = (origin: Origin, field: string, text: string | undefined): string | undefined =>
  text !== undefined && text.length > MAX_TEXT_CHARS ? fault(origin, field, 'too-long') : text;

function fault({ path, notes }: Origin, field: string, code: NoteCode): undefined {
  notes.add(path === '' ? field : `${path}.${field}`, code);
  return undefined;
}

/** Where what is asked for inside a field is recorded. */
function openedIn({ reads }: Origin, field: string): Reads {
  const opened = reads.get(field) ?? new Map();
  reads.set(field, opened);
  return opened;
}

const below = ({ path, timezone, notes }: Origin, field: string, raw: JsonObject, reads: Reads): Reader =>
  createReader(raw, path === '' ? field : `${path}.${field}`, timezone, notes, reads);

/**
 * What Capillary sends for "nothing": null, blank texts (a currency of one space is real), empty lists and
 * objects.
 */
function isAbsent(value: JsonValue | undefined): boolean {
  return (
    value === undefined ||
    value === null ||
    (typeof value === 'string' && value.trim() === '') ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  );
}
