import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import { type Attributes, type AttributeVersion, byKey, isNewer } from './attribute-version.ts';
import { setVersion } from './identity-facts.ts';

export type { AttributeVersion };
export { isNewer };

/** The stored state of one customer. */
export interface CustomerFragment {
  readonly attributes: Map<string, AttributeVersion>;
  /** Epoch ms of the last deletion: attributes that are not newer are permanently removed. */
  deletedAt?: number;
  /** Lanes of the customers into whom this one was merged. */
  readonly mergedInto: Set<string>;
}

/**
 * The state of a lane: its own customer and, separately, each customer merged into it, keyed by
 * that customer's original lane. All changes commute and are idempotent, so events in any order and
 * with any repetition produce the same state.
 */
export interface CustomerState {
  readonly own: CustomerFragment;
  readonly merged: Map<string, CustomerFragment>;
}

function emptyFragment(): CustomerFragment {
  return { attributes: new Map(), mergedInto: new Set() };
}

/** The fragment of a customer, created if it is missing. @param customer its original lane */
export function fragmentOf(state: CustomerState, lane: string, customer: string): CustomerFragment {
  if (customer === lane) {
    return state.own;
  }
  const fragment = state.merged.get(customer) ?? emptyFragment();
  state.merged.set(customer, fragment);
  return fragment;
}

/** Sets an attribute unless the fragment has a newer version of it. */
export function setAttribute(fragment: CustomerFragment, path: string, version: AttributeVersion): void {
  setVersion(fragment.attributes, path, version);
}

/** @param at epoch ms of the deletion */
export function markDeleted(fragment: CustomerFragment, at: number): void {
  fragment.deletedAt = Math.max(at, fragment.deletedAt ?? at);
}

/** Adds the state of another lane, whose customer `from` was merged into the customer `into`. */
export function absorbMerged(
  state: CustomerState,
  lane: string,
  victim: { readonly from: string; readonly into: string; readonly state: CustomerState },
): void {
  joinFragments(fragmentOf(state, lane, victim.from), victim.state.own);
  fragmentOf(state, lane, victim.from).mergedInto.add(victim.into);
  for (const [customer, fragment] of victim.state.merged) {
    if (customer !== lane) {
      joinFragments(fragmentOf(state, lane, customer), fragment);
    }
  }
}

/**
 * Epoch ms of the last deletion of a customer, or of any customer into whom it was merged;
 * undefined if there is none.
 */
export function deletionTimeOf(state: CustomerState, lane: string, customer: string): number | undefined {
  if (!hasDeletion(state)) {
    return undefined;
  }
  const mergeTargets = new Set([customer]);
  for (const target of mergeTargets) {
    for (const next of state.merged.get(target)?.mergedInto ?? []) {
      mergeTargets.add(next);
    }
  }
  // Every other customer in a lane was merged into the lane's own customer.
  mergeTargets.add(lane);
  const times = [...mergeTargets].map(
    (target) => (target === lane ? state.own : state.merged.get(target))?.deletedAt,
  );
  return times.reduce((last, at) => (at === undefined ? last : Math.max(at, last ?? at)), undefined);
}

/** Deletions are rare: without one, the costly search along the merges is skipped. */
function hasDeletion({ own, merged }: CustomerState): boolean {
  if (own.deletedAt !== undefined) {
    return true;
  }
  for (const fragment of merged.values()) {
    if (fragment.deletedAt !== undefined) {
      return true;
    }
  }
  return false;
}

/** A customer and all that were merged into it, directly or through others. */
export function lanesMergedInto(state: CustomerState, lane: string, customer: string): readonly string[] {
  const found = new Set(customer === lane ? [lane, ...state.merged.keys()] : [customer]);
  for (const victim of found) {
    for (const [other, { mergedInto }] of state.merged) {
      if (mergedInto.has(victim)) {
        found.add(other);
      }
    }
  }
  return [...found];
}

/** Removes the attributes that are not newer than the deletion of their customer. */
export function pruneDeleted(state: CustomerState, lane: string): void {
  if (!hasDeletion(state)) {
    return;
  }
  for (const [customer, fragment] of [[lane, state.own] as const, ...state.merged]) {
    const deletedAt = deletionTimeOf(state, lane, customer) ?? Number.NEGATIVE_INFINITY;
    for (const [path, { at }] of fragment.attributes) {
      if (at <= deletedAt) {
        fragment.attributes.delete(path);
      }
    }
  }
}

/** All attributes as JSON, to detect whether a change removed any. */
export function serializeAttributes({ own, merged }: CustomerState): string {
  return JSON.stringify([own, ...merged.values()].flatMap(({ attributes }) => [...attributes]));
}

/** Parses the output of `serializeState`; that of older relays has attributes only. */
export function parseState(text: string | undefined): CustomerState {
  const parsed: unknown = text === undefined ? {} : JSON.parse(text);
  const own = isJsonObject(parsed) ? parsed : {};
  const { folded } = own;
  const fragments = isJsonObject(folded) ? Object.entries(folded) : [];
  return {
    own: parseFragment(own),
    merged: new Map(
      fragments.flatMap(([lane, fragment]) =>
        isJsonObject(fragment) ? [[lane, parseFragment(fragment)]] : [],
      ),
    ),
  };
}

/**
 * The state as it is stored, in a fixed order: `{ by: [[at, by, path, value, …]], deletedAt,
 * folded: { <lane>: { by: …, deletedAt, into: [<lane>] } } }`.
 */
export function serializeState({ own, merged }: CustomerState): string {
  const state = fragmentToJson(own);
  if (merged.size > 0) {
    const fragments = [...merged]
      .toSorted(byKey)
      .map(([lane, fragment]) => [lane, fragmentToJson(fragment)] as const);
    state['folded'] = Object.fromEntries(fragments);
  }
  return JSON.stringify(state);
}

function joinFragments(fragment: CustomerFragment, other: CustomerFragment): void {
  for (const [path, version] of other.attributes) {
    setAttribute(fragment, path, version);
  }
  if (other.deletedAt !== undefined) {
    markDeleted(fragment, other.deletedAt);
  }
  for (const lane of other.mergedInto) {
    fragment.mergedInto.add(lane);
  }
}

function parseFragment(json: JsonObject): CustomerFragment {
  const attributes = new Map<string, AttributeVersion>();
  const { by: events, deletedAt, into } = json;
  if (Array.isArray(events)) {
    for (const event of events) {
      addValues(attributes, event);
    }
  } else {
    addVersions(attributes, json);
  }
  return {
    attributes,
    ...(typeof deletedAt === 'number' ? { deletedAt } : {}),
    mergedInto: new Set(Array.isArray(into) ? into.filter((lane) => typeof lane === 'string') : []),
  };
}

/**
 * What one event set: `[at, by, path, value, path, value, …]`. A list, because objects whose keys
 * are different for each customer make all objects of the process slow.
 */
function addValues(attributes: Attributes, event: JsonValue): void {
  if (!Array.isArray(event)) {
    return;
  }
  const [at, by] = event;
  if (typeof at !== 'number' || typeof by !== 'string') {
    return;
  }
  for (let index = 2; index + 1 < event.length; index += 2) {
    const path = event[index];
    if (typeof path === 'string') {
      attributes.set(path, { value: event[index + 1] ?? null, at, by });
    }
  }
}

/** As older relays stored them: `{ <path>: { value, at, by } }`. */
function addVersions(attributes: Attributes, json: JsonObject): void {
  for (const path of Object.keys(json)) {
    const attribute = json[path];
    // `deletedAt`, `folded` and `into` have no value and time, so they are not mistaken for
    // attributes.
    if (!isJsonObject(attribute)) {
      continue;
    }
    const { value, at, by } = attribute;
    if (value !== undefined && typeof at === 'number') {
      attributes.set(path, { value, at, by: typeof by === 'string' ? by : '' });
    }
  }
}

function fragmentToJson({ attributes, deletedAt, mergedInto }: CustomerFragment): JsonObject {
  const json: JsonObject = {};
  if (attributes.size > 0) {
    json['by'] = valuesByEvent(attributes);
  }
  if (deletedAt !== undefined) {
    json['deletedAt'] = deletedAt;
  }
  if (mergedInto.size > 0) {
    json['into'] = [...mergedInto].toSorted();
  }
  return json;
}

/** One event often sets many values, so its time is stored once: it is half of the size. */
function valuesByEvent(attributes: Attributes): JsonValue[] {
  const events: JsonValue[][] = [];
  let values: JsonValue[] = [];
  let last: AttributeVersion | undefined;
  for (const [path, version] of [...attributes].toSorted(byEvent)) {
    if (last === undefined || last.at !== version.at || last.by !== version.by) {
      values = [version.at, version.by];
      events.push(values);
    }
    values.push(path, version.value);
    last = version;
  }
  return events;
}

function byEvent(
  [pathA, a]: readonly [string, AttributeVersion],
  [pathB, b]: readonly [string, AttributeVersion],
): number {
  if (a.at !== b.at) {
    return a.at - b.at;
  }
  if (a.by !== b.by) {
    return a.by < b.by ? -1 : 1;
  }
  return pathA < pathB ? -1 : 1;
}
