import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import { isNewer } from './customer-state.ts';
import { type Fact, type FactGroups, factPath } from './facts.ts';

/*
 * Coupons, gifts, badges and challenges are items, each with an id. What an event says of an item
 * is a fact `@<group>[<key>].<occurrence>`, whose value has the fields that the event states. The
 * newest event of an occurrence wins, so a redemption can arrive before the issue, and repetitions
 * change nothing. The newest occurrence decides whether the item is open.
 */

/** What an occurrence means for its item. `assumed-open`: open if nothing else says what it is. */
type Effect = 'opens' | 'closes' | 'assumed-open' | 'none';

const EFFECTS = {
  issued: 'opens',
  reversed: 'opens',
  redeemed: 'closes',
  revoked: 'closes',
  reminded: 'none',
  fulfilled: 'none',
  joined: 'opens',
  started: 'opens',
  unachieved: 'opens',
  achieved: 'closes',
  over: 'closes',
  left: 'closes',
  updated: 'assumed-open',
  listed: 'none',
} as const satisfies Record<string, Effect>;

export type Occurrence = keyof typeof EFFECTS;

/** Occurrences of the same millisecond are ordered by what they do. */
const ORDER: Readonly<Record<Effect, number>> = { none: 0, 'assumed-open': 1, opens: 2, closes: 3 };

/** A group of items: its facts begin with `@<group>[`. */
export interface ItemGroup {
  readonly group: string;
  /**
   * Events that do not have the item's own id name it by this field, which several items can share.
   */
  readonly sharedField?: string;
}

/** The key of an item whose own id is not known begins with this character. */
const SHARED_KEY = '~';

/** The key of an item; undefined if the event names none. */
export function itemKey(id: string | undefined, shared?: string): string | undefined {
  return id ?? (shared === undefined ? undefined : `${SHARED_KEY}${shared}`);
}

interface ItemFact extends Fact {
  /** The key in the fact's path. */
  readonly key: string;
}

/** An item of a customer at the time of the state's clock. */
export interface KeptItem {
  readonly key: string;
  /** In the order of their events. */
  readonly facts: readonly ItemFact[];
  /** The fields of all facts; those of newer facts replace those of older ones. */
  readonly fields: JsonObject;
  /** The occurrence that decides the state; undefined if none does. */
  readonly decidedBy: Occurrence | undefined;
  readonly isOpen: boolean;
  /** Closed because its last day is over, and not by an event. */
  readonly isExpired: boolean;
  /** Epoch ms since when it is open or closed. */
  readonly since: number;
  readonly newest: Pick<Fact, 'at' | 'by'>;
}

/** Newest open items that a record has. */
const MAX_OPEN = 50;
const DAY_MS = 86_400_000;
/** For so long a record has an item that is closed. */
const CLOSED_SHOWN_MS = 30 * DAY_MS;
/**
 * More is stored than a record has, so that an event that arrives late finds the items that it
 * changes: dead letters are kept, and can be replayed, for 90 days.
 */
const CLOSED_STORED_MS = CLOSED_SHOWN_MS + 90 * DAY_MS;
const MAX_STORED = 2 * MAX_OPEN;

/** The items of all customers of a lane; an item that two of them have is one. */
export function itemsOf(
  customers: readonly FactGroups[],
  group: ItemGroup,
  clock: number,
): readonly KeptItem[] {
  const byKey = new Map<string, Map<string, ItemFact>>();
  for (const groups of customers) {
    for (const [key, facts] of groups.get(group.group) ?? []) {
      for (const fact of facts) {
        addFact(byKey, key, { ...fact, key });
      }
    }
  }
  assignShared(byKey, group.sharedField);
  return [...byKey].map(([key, facts]) => itemOf(key, [...facts.values()], clock)).toSorted(byAge);
}

function addFact(byKey: Map<string, Map<string, ItemFact>>, key: string, fact: ItemFact): void {
  const known = byKey.get(key) ?? new Map<string, ItemFact>();
  const other = known.get(fact.name);
  if (fact.name in EFFECTS && (other === undefined || isNewer(fact, other))) {
    known.set(fact.name, fact);
    byKey.set(key, known);
  }
}

/**
 * Assigns a fact that names its item by a shared field to the item that it must mean: the only one
 * that existed at that time.
 */
function assignShared(byKey: Map<string, Map<string, ItemFact>>, field: string | undefined): void {
  const shared = [...byKey].filter(([key]) => key.startsWith(SHARED_KEY));
  if (field === undefined || shared.length === 0) {
    return;
  }
  const items = [...byKey].filter(([key]) => !key.startsWith(SHARED_KEY));
  for (const [key, facts] of shared) {
    for (const [name, fact] of facts) {
      const candidates = items.filter(([, others]) =>
        [...others.values()].some(
          ({ value, at }) => at <= fact.at && fieldOf(value, field) === key.slice(SHARED_KEY.length),
        ),
      );
      if (candidates.length === 1) {
        addFact(byKey, candidates[0]?.[0] ?? key, fact);
        facts.delete(name);
      }
    }
    if (facts.size === 0) {
      byKey.delete(key);
    }
  }
}

function fieldOf(value: JsonValue, field: string): JsonValue | undefined {
  return isJsonObject(value) ? value[field] : undefined;
}

function itemOf(key: string, unordered: readonly ItemFact[], clock: number): KeptItem {
  const facts = unordered.toSorted((a, b) => a.at - b.at || orderOf(a) - orderOf(b));
  const sharedId = key.startsWith(SHARED_KEY) ? { id: key.slice(SHARED_KEY.length) } : {};
  const fields: JsonObject = Object.assign(
    sharedId,
    ...facts.map(({ value }) => (isJsonObject(value) ? value : {})),
  ) as JsonObject;
  const deciding =
    facts.findLast((fact) => ['opens', 'closes'].includes(effectOf(fact))) ??
    facts.findLast((fact) => effectOf(fact) === 'assumed-open');
  const [newest = { at: 0, by: '' }] = facts.toSorted((a, b) => (isNewer(a, b) ? -1 : 1));
  const isOpenByEvent = deciding !== undefined && effectOf(deciding) !== 'closes';
  const end = endOf(fields);
  const isExpired = isOpenByEvent && end !== undefined && end < clock;
  return {
    key,
    facts,
    fields,
    decidedBy: deciding?.name as Occurrence | undefined,
    isOpen: isOpenByEvent && !isExpired,
    isExpired,
    since: Math.max(isExpired ? end : 0, (deciding ?? newest).at),
    newest,
  };
}

function effectOf({ name }: Fact): Effect {
  return EFFECTS[name as Occurrence];
}

function orderOf(fact: Fact): number {
  return ORDER[effectOf(fact)];
}

/** Epoch ms until when an item can be used. */
function endOf({ codeExpiryDate, endDate }: JsonObject): number | undefined {
  const text = codeExpiryDate ?? endDate;
  return typeof text === 'string' ? Date.parse(text) : undefined;
}

/** The newest first. */
function byAge(a: KeptItem, b: KeptItem): number {
  return b.since - a.since || (a.key < b.key ? -1 : 1);
}

/** The items that a record has: the newest open ones, then those closed not long ago. */
export function shownItems(items: readonly KeptItem[], clock: number): readonly KeptItem[] {
  const known = items.filter(({ decidedBy }) => decidedBy !== undefined);
  return [
    ...known.filter(({ isOpen }) => isOpen).slice(0, MAX_OPEN),
    ...known.filter(({ isOpen, since }) => !isOpen && since >= clock - CLOSED_SHOWN_MS),
  ];
}

/** The values of facts that a record does not need: path → what is left; undefined: nothing. */
export type Reductions = ReadonlyMap<string, JsonValue | undefined>;

/** What can be left out of the facts of a group of items. */
export function outdatedItemFacts(
  customers: readonly FactGroups[],
  group: ItemGroup,
  clock: number,
): Reductions {
  const items = itemsOf(customers, group, clock);
  const open = items.filter(({ isOpen }) => isOpen);
  const closed = items.filter(({ isOpen }) => !isOpen);
  const storedFrom = clock - CLOSED_STORED_MS;
  const reductions = new Map<string, JsonValue | undefined>();
  for (const item of [...open.slice(MAX_STORED), ...closed]) {
    const isSurplus = item.isOpen || closed.indexOf(item) >= MAX_STORED;
    if (isSurplus || item.since < storedFrom) {
      const last = isSurplus ? undefined : lastWord(item, storedFrom);
      for (const { key, name } of item.facts) {
        const isLast = last !== undefined && name === item.decidedBy;
        reductions.set(factPath(group.group, key, name), isLast ? last.value : undefined);
      }
    }
  }
  return reductions;
}

/**
 * What is left of an item that was closed long ago: that it is closed, until the issue would be
 * expired by itself. Otherwise the issue, sent again, would open it.
 */
function lastWord(
  { decidedBy, isExpired, fields }: KeptItem,
  storedFrom: number,
): { readonly value: JsonValue } | undefined {
  const end = endOf(fields);
  if (decidedBy === undefined || isExpired || (end !== undefined && end < storedFrom)) {
    return undefined;
  }
  return { value: end === undefined ? null : fieldsOf(fields, ['codeExpiryDate', 'endDate']) };
}

/** The version of an attribute that is computed from these items: that of their newest fact. */
export function versionOf(items: readonly KeptItem[]): Pick<Fact, 'at' | 'by'> | undefined {
  const versions = items.map(({ newest: { at, by } }) => ({ at, by }));
  const [newest] = versions.toSorted((a, b) => (isNewer(a, b) ? -1 : 1));
  return newest;
}

/** Some fields of an item, without those that are not known. */
export function fieldsOf(fields: JsonObject, names: readonly string[]): JsonObject {
  const known: JsonObject = {};
  for (const name of names) {
    const value = fields[name];
    if (value !== undefined) {
      known[name] = value;
    }
  }
  return known;
}
