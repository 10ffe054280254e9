import { type AttributeVersion, byKey, type ReadonlyAttributes } from './attribute-version.ts';

/*
 * A fact is stored like an attribute, but a record never has it: attributes of the record are
 * computed from facts (`derived-attributes.ts`). The newest version of a path wins, as for
 * attributes. So a fact that must not replace another one has a path of its own, for example with
 * the key of its event. Then facts can arrive in any order and more than once.
 *
 * The path is `@<group>[<key>].<name>[<item>]`; the last two parts are optional. Keys and items are
 * percent-encoded, so they never contain a bracket.
 */

/** A fact of one customer. */
export interface Fact extends AttributeVersion {
  /** The part of the path after the key; empty if it has none. */
  readonly name: string;
  /** Empty if the path has none. */
  readonly item: string;
}

/** Group → key → facts. The key is empty for facts without one. */
export type FactGroups = ReadonlyMap<string, ReadonlyMap<string, readonly Fact[]>>;

/** The facts of each customer of a lane: its own, then those of the customers merged into it. */
export type FactsByCustomer = readonly FactGroups[];

/** The path of a fact. @param part `name`, or `[name, item]` */
export function factPath(group: string, key = '', part: string | readonly [string, string] = ''): string {
  const [name, item] = typeof part === 'string' ? [part, undefined] : part;
  const keyed = key === '' ? `@${group}` : `@${group}[${encoded(key)}]`;
  const named = name === '' ? keyed : `${keyed}.${name}`;
  return item === undefined ? named : `${named}[${encoded(item)}]`;
}

/** JSON can have half of a surrogate pair, which cannot be encoded. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

export function isFact(path: string): boolean {
  return path.startsWith('@');
}

/** The facts among the attributes of a customer, in the order of their paths. */
export function factsIn(attributes: ReadonlyAttributes): FactGroups {
  const groups = new Map<string, Map<string, Fact[]>>();
  const entries: (readonly [path: string, version: AttributeVersion])[] = [];
  for (const entry of attributes) {
    if (isFact(entry[0])) {
      entries.push(entry);
    }
  }
  for (const [path, version] of entries.toSorted(byKey)) {
    const { group, key, name, item } = partsOf(path);
    const fact = { value: version.value, at: version.at, by: version.by, name, item };
    const keys = groups.get(group);
    const facts = keys?.get(key);
    if (facts !== undefined) {
      facts.push(fact);
    } else if (keys !== undefined) {
      keys.set(key, [fact]);
    } else {
      groups.set(group, new Map([[key, [fact]]]));
    }
  }
  return groups;
}

/** Without a regular expression: this runs for each fact of a customer in each event. */
function partsOf(path: string): {
  readonly group: string;
  readonly key: string;
  readonly name: string;
  readonly item: string;
} {
  const bracket = path.indexOf('[');
  const dot = path.indexOf('.');
  // The key can contain a dot.
  const hasKey = bracket !== -1 && (dot === -1 || bracket < dot);
  const keyEnd = hasKey ? path.indexOf(']', bracket) : -1;
  const groupEnd = hasKey ? bracket : dot === -1 ? path.length : dot;
  const nameStart = hasKey ? keyEnd + 2 : groupEnd + 1;
  const itemStart = path.indexOf('[', nameStart);
  return {
    group: path.slice(1, groupEnd),
    key: hasKey ? decoded(path.slice(bracket + 1, keyEnd)) : '',
    name: path.slice(nameStart, itemStart === -1 ? path.length : itemStart),
    item: itemStart === -1 ? '' : decoded(path.slice(itemStart + 1, -1)),
  };
}

function decoded(text: string): string {
  return text.includes('%') ? decodeURIComponent(text) : text;
}

/** The fact of a name without an item. */
export function factNamed(facts: readonly Fact[] | undefined, name: string): Fact | undefined {
  return facts?.find((fact) => fact.name === name && fact.item === '');
}
