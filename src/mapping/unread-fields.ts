import type { CapillaryEvent } from '../capillary/event.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { IDENTIFIER_FIELDS } from '../capillary/person.ts';
import { isConfiguredField } from './custom-fields.ts';
import { DELETION_FIELDS, RELEASE_EVENT } from '../capillary/deletion.ts';
import { isStandardField } from './families/demographics.ts';
import { FAMILIES } from './families/index.ts';
import { VICTIM_FIELDS } from './identities.ts';
import { LEFT_OUT_FIELDS } from './left-out-fields.ts';
import type { MappingContext, PayloadScalar, UnreadFields } from './mapping-result.ts';
import { overridesOf } from './overrides.ts';
import { PROGRAM_FIELDS } from './program-catalogue.ts';
import type { Reads } from './reader.ts';

/**
 * At most this many values and levels of one event are checked, so that a huge payload costs little
 * time.
 */
const MAX_VALUES = 2_000;
const MAX_DEPTH = 16;
/** An object with more keys is treated as a lookup table, whose keys are data. */
const MAX_KEYS = 64;

/** Lists of entries with `key` and `value`, anywhere in the payload. */
const KEYED_LISTS: ReadonlySet<string> = new Set(['customFields', 'extendedFields']);

interface Walk {
  readonly found: Map<string, PayloadScalar>;
  readonly source: MappingContext['source'];
  readonly eventName: string;
  /** Words of the override: a field with such a name counts as read. */
  readonly overrideWords: ReadonlySet<string>;
  valuesLeft: number;
}

/** The position in the payload, with the fields that were read there. */
interface Position {
  readonly path: PayloadPath;
  readonly depth: number;
  /** Read by the mapping through a Reader. */
  readonly reads: Reads | undefined;
  /** Read without a Reader in every event. */
  readonly alwaysRead: Reads | undefined;
}

/** How events of this name are mapped, unless the source ignores names without a mapping. */
export function mappingKindOf(
  eventName: string,
  { overrides }: Pick<MappingContext['source'], 'overrides'>,
): UnreadFields['mapping'] {
  if (Object.hasOwn(overrides, eventName)) return 'override';
  return FAMILIES.has(eventName) ? 'own' : 'generic';
}

/** Compares the payload with the fields that the mapping read. */
export function unreadFieldsOf(
  event: CapillaryEvent,
  source: MappingContext['source'],
  reads: Reads,
): UnreadFields {
  const { eventName, data } = event;
  const mapping = mappingKindOf(eventName, source);
  const overrideWords = mapping === 'override' ? overridesOf(source).words(eventName) : NO_WORDS;
  const walk: Walk = { found: new Map(), source, eventName, overrideWords, valuesLeft: MAX_VALUES };
  const alwaysRead = ALWAYS_READ_BY_EVENT.get(eventName) ?? ALWAYS_READ;
  visitObject(data, { path: rootOf(source), depth: 0, reads, alwaysRead }, walk);
  return { mapping, fields: walk.found };
}

function visitObject(object: JsonObject, { path, depth, reads, alwaysRead }: Position, walk: Walk): void {
  const keys = Object.keys(object);
  const isTable = keys.length > MAX_KEYS;
  for (const key of keys) {
    const value = object[key];
    if (value === undefined || value === null) continue;
    const readInside = reads?.get(key);
    const alwaysReadInside = alwaysRead?.get(key) ?? alwaysRead?.get('*');
    const isRead = readInside === undefined ? reads?.has(key) : typeof value !== 'object';
    const isAlwaysRead = alwaysRead?.has(key) === true && alwaysRead.get(key) === undefined;
    if (isRead === true || isAlwaysRead) continue;
    if ((walk.valuesLeft -= 1) < 0) return;
    const fieldPath = path.field(isTable ? '*' : key);
    if (typeof value !== 'object') addField(value, fieldPath, key, walk);
    else if (depth < MAX_DEPTH) {
      const inside = {
        path: fieldPath,
        depth: depth + 1,
        reads: readInside,
        alwaysRead: alwaysReadInside,
      };
      if (isJsonObject(value)) visitObject(value, inside, walk);
      else if (KEYED_LISTS.has(key)) visitKeyedList(value, key, inside, walk);
      else visitList(value, key, inside, walk);
    }
  }
}

function visitList(list: readonly JsonValue[], key: string, position: Position, walk: Walk): void {
  const inside = { ...position, path: position.path.items(), depth: position.depth + 1 };
  for (const item of list) {
    if (walk.valuesLeft <= 0) return;
    if (isJsonObject(item)) visitObject(item, inside, walk);
    else if (Array.isArray(item)) {
      if (inside.depth < MAX_DEPTH) visitList(item, key, inside, walk);
    } else if (item !== null && position.reads === undefined && position.alwaysRead === undefined) {
      walk.valuesLeft -= 1;
      addField(item, inside.path, key, walk);
    }
  }
}

function visitKeyedList(list: readonly JsonValue[], name: string, position: Position, walk: Walk): void {
  for (const item of list) {
    const key = isJsonObject(item) ? keyOf(item) : undefined;
    if (!isJsonObject(item) || key === undefined) visitList([item], name, position, walk);
    else if (position.depth > 1 || !isMapped(walk, name, key)) {
      const value = item['value'];
      if ((walk.valuesLeft -= 1) < 0) return;
      const isScalar = value !== undefined && value !== null && typeof value !== 'object';
      if (isScalar) addField(value, position.path.entry(key), key, walk);
    }
  }
}

function isMapped({ source, eventName }: Walk, list: string, key: string): boolean {
  return isConfiguredField(source, list, key) || isStandardField(eventName, list, key);
}

/** The key as the mapping reads it: a trimmed string, or a number as a string. */
function keyOf({ key }: JsonObject): string | undefined {
  return typeof key === 'string' || typeof key === 'number' ? String(key).trim() : undefined;
}

/** Blank strings do not count as values. */
function addField(
  value: PayloadScalar,
  { text: path }: PayloadPath,
  key: string,
  { found, overrideWords }: Walk,
): void {
  const isBlank = typeof value === 'string' && value.trim() === '';
  if (!isBlank && !overrideWords.has(key)) found.set(path, value);
}

/** Payload paths by source; released together with the configuration. */
const ROOTS = new WeakMap<MappingContext['source']['fields'], PayloadPath>();

function rootOf({ fields }: MappingContext['source']): PayloadPath {
  const root = ROOTS.get(fields) ?? createPayloadPath('data');
  ROOTS.set(fields, root);
  return root;
}

const NO_WORDS: ReadonlySet<string> = new Set();

/** Fields that are read from every event without a Reader, or left out of it on purpose. */
const ALWAYS_READ_FIELDS: readonly string[] = [
  ...IDENTIFIER_FIELDS,
  ...VICTIM_FIELDS,
  ...PROGRAM_FIELDS,
  ...LEFT_OUT_FIELDS,
];

const ALWAYS_READ: Reads = treeOf(ALWAYS_READ_FIELDS);

const ALWAYS_READ_BY_EVENT: ReadonlyMap<string, Reads> = new Map(
  [...DELETION_FIELDS, [RELEASE_EVENT, ['profiles']] as const].map(([eventName, fields]) => [
    eventName,
    treeOf([...ALWAYS_READ_FIELDS, ...fields]),
  ]),
);

function treeOf(paths: readonly string[]): Reads {
  const root: Reads = new Map();
  for (const path of paths) {
    const names = path.split('.');
    let node: Reads | undefined = root;
    for (const name of names.slice(0, -1)) {
      const isWhole: boolean = node?.has(name) === true && node.get(name) === undefined;
      const next: Reads | undefined = isWhole ? undefined : (node?.get(name) ?? new Map());
      node?.set(name, next);
      node = next;
    }
    node?.set(names.at(-1) ?? '', undefined);
  }
  return root;
}

/**
 * A path in payloads: `data.a.b[].c`. Paths are created once and looked up by their keys, because
 * joining and hashing the same strings for each event would cost more than the rest of the search.
 */
export interface PayloadPath {
  readonly text: string;
  /** A field. Keys that look like data become `*`, so that the number of paths stays small. */
  field(key: string): PayloadPath;
  /** The items of a list. */
  items(): PayloadPath;
  /** The entry of a list that has this `key`. */
  entry(key: string): PayloadPath;
}

/** Cached paths below one root; further ones are created each time. */
const MAX_CACHED_PATHS = 20_000;
/** No field name is longer. */
const MAX_KEY_CHARS = 64;

/**
 * An id, a phone number, a date or an e-mail address: no field name starts with a digit or has many
 * digits.
 */
const DATA_KEY = /^[\d+-]|\d{5}|@/;

function nameOf(key: string): string {
  return key.length > MAX_KEY_CHARS || DATA_KEY.test(key) ? '*' : key;
}

export function createPayloadPath(root: string): PayloadPath {
  let cached = 0;
  const make = (text: string): PayloadPath => {
    const fields = new Map<string, PayloadPath>();
    const entries = new Map<string, PayloadPath>();
    let items: PayloadPath | undefined;
    const childOf = (paths: Map<string, PayloadPath>, key: string, textOf: (name: string) => string) => {
      const found = paths.get(key);
      if (found !== undefined) return found;
      const name = nameOf(key);
      const path = name === key ? make(textOf(name)) : (paths.get(name) ?? make(textOf(name)));
      if (cached < MAX_CACHED_PATHS && !paths.has(name)) {
        cached += 1;
        paths.set(name, path);
      }
      return path;
    };
    return {
      text,
      field: (key) => childOf(fields, key, (name) => `${text}.${name}`),
      entry: (key) => childOf(entries, key, (name) => `${text}[${name}]`),
      items: () => (items ??= make(`${text}[]`)),
    };
  };
  return make(root);
}

/** Characters of a value that its mask shows. */
const MAX_MASK_CHARS = 40;

/**
 * A value with its content masked: letters become x and X, digits 9; other characters, true and
 * false are kept.
 */
export function maskValue(value: PayloadScalar): string {
  return typeof value === 'boolean'
    ? String(value)
    : String(value)
        .slice(0, MAX_MASK_CHARS)
        .toWellFormed()
        .replaceAll(/\p{N}/gu, '9')
        .replaceAll(/[\p{L}\p{M}]/gu, (letter) => (/\p{Lu}/u.test(letter) ? 'X' : 'x'));
}
