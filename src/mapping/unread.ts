import type { CapillaryEvent } from '../capillary/event.ts';
import { IDENTIFIER_FIELDS } from '../capillary/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { isPlaced } from './custom-fields.ts';
import { DELETION_FIELDS } from './deletion.ts';
import { FAMILIES } from './families/families.ts';
import { VICTIM_FIELDS } from './identities.ts';
import type { MappingContext } from './mapped.ts';
import { overridesOf } from './overrides.ts';
import { createPayloadPath, type PayloadPath } from './payload-path.ts';
import type { Reads } from './reader.ts';

export type Leaf = string | number | boolean;

/** What of an event's payload nothing read. */
export interface Unread {
  /** `generic`: its data goes on as text, if the destination has a tenant. `override`: built-in mapping, then the source's expression. */
  readonly mapping: 'own' | 'generic' | 'override';
  /** `data.a.b[].c` → a value that came there. Keys that look like data are `*`; custom fields stand under their key: `data.customFields[k]`. */
  readonly fields: ReadonlyMap<string, Leaf>;
}

/** Values of one event that are looked at, and levels: the mapping must not wait for a payload of garbage. */
const MAX_VALUES = 2_000;
const MAX_DEPTH = 16;
/** An object with more keys than this is a table, and its keys are data. */
const MAX_KEYS = 64;

/** Lists of entries with `key` and `value`, wherever they stand. */
const KEYED_LISTS: ReadonlySet<string> = new Set(['customFields', 'extendedFields']);

interface Walk {
  readonly found: Map<string, Leaf>;
  readonly source: MappingContext['source'];
  /** Words of the override: a field of such a name is taken for read. */
  readonly words: ReadonlySet<string>;
  left: number;
}

/** Where a walk stands: the path, and what was asked for there, by the mapping and by what reads without a Reader. */
interface Place {
  readonly path: PayloadPath;
  readonly depth: number;
  readonly reads: Reads | undefined;
  readonly always: Reads | undefined;
}

/** Compares the payload with what the mapping asked for. */
export function unreadOf(event: CapillaryEvent, source: MappingContext['source'], reads: Reads): Unread {
  const { eventName, data } = event;
  const isOverridden = Object.hasOwn(source.overrides, eventName);
  const own = FAMILIES.has(eventName) ? 'own' : 'generic';
  const words = isOverridden ? overridesOf(source).words(eventName) : NO_WORDS;
  const walk: Walk = { found: new Map(), source, words, left: MAX_VALUES };
  const always = ALWAYS_OF.get(eventName) ?? ALWAYS;
  lookThrough(data, { path: rootOf(source), depth: 0, reads, always }, walk);
  return { mapping: isOverridden ? 'override' : own, fields: walk.found };
}

function lookThrough(object: JsonObject, { path, depth, reads, always }: Place, walk: Walk): void {
  const keys = Object.keys(object);
  const isTable = keys.length > MAX_KEYS;
  for (const key of keys) {
    const value = object[key];
    if (value === undefined || value === null) continue;
    const opened = reads?.get(key);
    const told = always?.get(key) ?? always?.get('*');
    const isTaken = opened === undefined ? reads?.has(key) : typeof value !== 'object';
    const isTold = always?.has(key) === true && always.get(key) === undefined;
    if (isTaken === true || isTold) continue;
    if ((walk.left -= 1) < 0) return;
    const place = path.field(isTable ? '*' : key);
    if (typeof value !== 'object') leaf(value, place, key, walk);
    else if (depth < MAX_DEPTH) {
      const inside = { path: place, depth: depth + 1, reads: opened, always: told };
      if (isJsonObject(value)) lookThrough(value, inside, walk);
      else if (KEYED_LISTS.has(key)) lookThroughKeyed(value, key, inside, walk);
      else lookThroughList(value, key, inside, walk);
    }
  }
}

function lookThroughList(list: readonly JsonValue[], key: string, at: Place, walk: Walk): void {
  const inside = { ...at, path: at.path.items(), depth: at.depth + 1 };
  for (const item of list) {
    if (walk.left <= 0) return;
    if (isJsonObject(item)) lookThrough(item, inside, walk);
    else if (Array.isArray(item)) {
      if (inside.depth < MAX_DEPTH) lookThroughList(item, key, inside, walk);
    } else if (item !== null && at.reads === undefined && at.always === undefined) {
      walk.left -= 1;
      leaf(item, inside.path, key, walk);
    }
  }
}

function lookThroughKeyed(list: readonly JsonValue[], name: string, at: Place, walk: Walk): void {
  for (const item of list) {
    const key = isJsonObject(item) ? keyOf(item) : undefined;
    if (!isJsonObject(item) || key === undefined) lookThroughList([item], name, at, walk);
    else if (at.depth > 1 || !isPlaced(walk.source, name, key)) {
      const value = item['value'];
      if ((walk.left -= 1) < 0) return;
      const isLeaf = value !== undefined && value !== null && typeof value !== 'object';
      if (isLeaf) leaf(value, at.path.entry(key), key, walk);
    }
  }
}

/** As the mapping reads it: a text without the spaces around it, or a number as text. */
function keyOf({ key }: JsonObject): string | undefined {
  return typeof key === 'string' || typeof key === 'number' ? String(key).trim() : undefined;
}

/** Blank texts stand for nothing. */
function leaf(value: Leaf, { text: path }: PayloadPath, key: string, { found, words }: Walk): void {
  const isBlank = typeof value === 'string' && value.trim() === '';
  if (!isBlank && !words.has(key)) found.set(path, value);
}

/** The paths of a source's payloads, for as long as its configuration lives. */
const ROOTS = new WeakMap<MappingContext['source']['fields'], PayloadPath>();

function rootOf({ fields }: MappingContext['source']): PayloadPath {
  const root = ROOTS.get(fields) ?? createPayloadPath('data');
  ROOTS.set(fields, root);
  return root;
}

const NO_WORDS: ReadonlySet<string> = new Set();

/** What is read of every event without a Reader. */
const ALWAYS: Reads = treeOf([...IDENTIFIER_FIELDS, ...VICTIM_FIELDS]);

const ALWAYS_OF: ReadonlyMap<string, Reads> = new Map(
  [...DELETION_FIELDS].map(([eventName, fields]) => [
    eventName,
    treeOf([...IDENTIFIER_FIELDS, ...VICTIM_FIELDS, ...fields]),
  ]),
);

function treeOf(paths: readonly string[]): Reads {
  const root: Reads = new Map();
  for (const path of paths) {
    const names = path.split('.');
    let at = root;
    for (const name of names.slice(0, -1)) {
      const next: Reads = at.get(name) ?? new Map();
      at.set(name, next);
      at = next;
    }
    at.set(names.at(-1) ?? '', undefined);
  }
  return root;
}
