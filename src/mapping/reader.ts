import { idText } from '../capillary/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { pickTime, toTimestamp } from '../capillary/times.ts';
import { MAX_TEXT_CHARS } from '../xdm/limits.ts';
import type { NoteCode, Notes } from './notes.ts';

/**
 * Reads fields of an event. Each method gives undefined for what is not there (missing, null, blank, empty), silently, and for what is
 * there but is not of the asked kind, with a note. So a mapping can ask for anything of any payload.
 */
export interface Reader {
  /** Where the object stands, e.g. `data.enteredBy`. */
  readonly path: string;
  /** The object itself; `{}` when it is not there. */
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
  object(field: string): Reader;
  /** The objects of a list. */
  list(field: string): readonly Reader[];
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/;

/** @param timezone for dates without a zone */
export function createReader(raw: JsonObject, path: string, timezone: string, notes: Notes): Reader {
  const fault = (field: string, code: NoteCode): undefined => {
    notes.add(`${path}.${field}`, code);
    return undefined;
  };
  const present = (field: string): JsonValue | undefined => {
    const value = Object.hasOwn(raw, field) ? raw[field] : undefined;
    return isAbsent(value) ? undefined : value;
  };
  const shortened = (field: string, text: string | undefined): string | undefined =>
    text !== undefined && text.length > MAX_TEXT_CHARS ? fault(field, 'too-long') : text;

  const reader: Reader = {
    path,
    raw,
    text(field) {
      const value = present(field);
      if (value !== undefined && typeof value !== 'string') {
        return fault(field, 'wrong-type');
      }
      return shortened(field, value?.toWellFormed().trim());
    },
    id(field) {
      const value = present(field);
      return value === undefined ? undefined : shortened(field, idText(value) ?? fault(field, 'not-an-id'));
    },
    scalar(field) {
      const value = present(field);
      if (value === undefined || typeof value === 'object') {
        return value === undefined ? undefined : fault(field, 'wrong-type');
      }
      return shortened(field, typeof value === 'string' ? value.toWellFormed().trim() : JSON.stringify(value));
    },
    number(field) {
      const value = present(field);
      const number = typeof value === 'string' && NUMBER.test(value.trim()) ? Number(value) : value;
      if (typeof number !== 'number') {
        return number === undefined ? undefined : fault(field, 'not-a-number');
      }
      return Number.isFinite(number) ? number : fault(field, 'not-finite');
    },
    integer(field) {
      const number = reader.number(field);
      return number === undefined || Number.isSafeInteger(number) ? number : fault(field, 'not-an-integer');
    },
    instant(field) {
      const at = pickTime(raw, field, timezone);
      const isThere = present(field) !== undefined || present(`${field}InMillis`) !== undefined;
      return at === undefined && isThere ? fault(field, 'not-a-date') : at;
    },
    time(field) {
      const at = reader.instant(field);
      return at === undefined ? undefined : toTimestamp(at);
    },
    object(field) {
      const value = present(field);
      if (value !== undefined && !isJsonObject(value)) {
        fault(field, 'wrong-type');
      }
      return createReader(isJsonObject(value) ? value : {}, `${path}.${field}`, timezone, notes);
    },
    list(field) {
      const value = present(field);
      if (value !== undefined && !Array.isArray(value)) {
        fault(field, 'wrong-type');
      }
      return (Array.isArray(value) ? value : []).flatMap((item, index) => {
        if (!isJsonObject(item)) {
          return isAbsent(item) ? [] : (fault(`${field}[${index}]`, 'wrong-type') ?? []);
        }
        return [createReader(item, `${path}.${field}[${index}]`, timezone, notes)];
      });
    },
  };
  return reader;
}

/** What Capillary sends for "nothing": null, blank texts (a currency of one space is real), empty lists and objects. */
function isAbsent(value: JsonValue | undefined): boolean {
  return (
    value === undefined ||
    value === null ||
    (typeof value === 'string' && value.trim() === '') ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  );
}
