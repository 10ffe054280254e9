/**
 * Where something stands in payloads: `data.a.b[].c`. Made once and found again by its keys, because to join and to hash the same
 * texts for each event would cost more than all the rest of the look through it.
 */
export interface PayloadPath {
  readonly text: string;
  /** A field. Keys that look like data are `*`, so that paths stay few. */
  field(key: string): PayloadPath;
  /** The items of a list. */
  items(): PayloadPath;
  /** The entry of a list that has this `key`. */
  entry(key: string): PayloadPath;
}

/** Paths below one root that are found again; those beyond are made anew each time. */
const MAX_KNOWN = 20_000;
/** Longer than the name of any field. */
const MAX_KEY_CHARS = 64;

/** An id, a phone, a date, an e-mail address: no field name begins with a digit or holds many. */
const DATA_KEY = /^[\d+-]|\d{5}|@/;

function nameOf(key: string): string {
  return key.length > MAX_KEY_CHARS || DATA_KEY.test(key) ? '*' : key;
}

/** A root with nothing below it yet. */
export function createPayloadPath(root: string): PayloadPath {
  let known = 0;
  const make = (text: string): PayloadPath => {
    const fields = new Map<string, PayloadPath>();
    const entries = new Map<string, PayloadPath>();
    let items: PayloadPath | undefined;
    const below = (paths: Map<string, PayloadPath>, key: string, words: (name: string) => string) => {
      const found = paths.get(key);
      if (found !== undefined) return found;
      const name = nameOf(key);
      const path = name === key ? make(words(name)) : (paths.get(name) ?? make(words(name)));
      if (known < MAX_KNOWN && !paths.has(name)) {
        known += 1;
        paths.set(name, path);
      }
      return path;
    };
    return {
      text,
      field: (key) => below(fields, key, (name) => `${text}.${name}`),
      entry: (key) => below(entries, key, (name) => `${text}[${name}]`),
      items: () => (items ??= make(`${text}[]`)),
    };
  };
  return make(root);
}
