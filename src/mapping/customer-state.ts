import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';

/** An attribute as it was told last. */
export interface Told {
  readonly value: JsonValue;
  /** Epoch ms of the event that told it. */
  readonly at: number;
  /** Of two events of the same ms the greater counts: the first digits of its `_id`. Empty for what an older relay kept. */
  readonly by: string;
}

/** What is kept of one customer. */
interface Part {
  readonly told: Map<string, Told>;
  /** Epoch ms of the last deletion: what is not newer is gone and never comes back. */
  deletedAt?: number;
  /** Lanes of the customers into whom this one was merged. */
  readonly into: Set<string>;
}

/**
 * What is kept of a customer, and apart from it of each that was merged into it, by lane. Every change is a join: whatever the order in
 * which events are told, and however often, they come to the same.
 */
export interface CustomerState {
  readonly own: Part;
  readonly folded: Map<string, Part>;
}

function newPart(): Part {
  return { told: new Map(), into: new Set() };
}

/** True when the first is the newer one, or the same event again. */
export function isNewer(a: Pick<Told, 'at' | 'by'>, b: Pick<Told, 'at' | 'by'>): boolean {
  return a.at > b.at || (a.at === b.at && a.by >= b.by);
}

/** The part of a customer: of the state's own, or of one that was merged into it. */
export function partOf(state: CustomerState, lane: string, customer: string): Part {
  if (customer === lane) {
    return state.own;
  }
  const part = state.folded.get(customer) ?? newPart();
  state.folded.set(customer, part);
  return part;
}

export function tell(part: Part, path: string, told: Told): void {
  const known = part.told.get(path);
  if (known === undefined || isNewer(told, known)) {
    part.told.set(path, told);
  }
}

export function bury(part: Part, at: number): void {
  part.deletedAt = Math.max(at, part.deletedAt ?? at);
}

/** Puts all that is kept of a customer who was merged into one of the state's beside it. */
export function fold(
  state: CustomerState,
  lane: string,
  merged: { readonly from: string; readonly into: string; readonly state: CustomerState },
): void {
  join(partOf(state, lane, merged.from), merged.state.own);
  partOf(state, lane, merged.from).into.add(merged.into);
  for (const [customer, part] of merged.state.folded) {
    if (customer !== lane) {
      join(partOf(state, lane, customer), part);
    }
  }
}

/** When a customer was deleted last, by itself or as a part of those into whom it was merged; undefined: never. */
export function deletedAt(state: CustomerState, lane: string, customer: string): number | undefined {
  if (!hasDeletion(state)) {
    return undefined;
  }
  const reached = new Set([customer]);
  for (const one of reached) {
    for (const next of state.folded.get(one)?.into ?? []) {
      reached.add(next);
    }
  }
  // All that is in a lane was merged into its customer.
  reached.add(lane);
  const times = [...reached].map((one) => (one === lane ? state.own : state.folded.get(one))?.deletedAt);
  return times.reduce((last, at) => (at === undefined ? last : Math.max(at, last ?? at)), undefined);
}

/** Whether anybody in the state was ever deleted: hardly anybody was, and to look for whom it counts takes long. */
function hasDeletion({ own, folded }: CustomerState): boolean {
  if (own.deletedAt !== undefined) {
    return true;
  }
  for (const part of folded.values()) {
    if (part.deletedAt !== undefined) {
      return true;
    }
  }
  return false;
}

/** A customer, and all that were merged into it. */
export function withMerged(state: CustomerState, lane: string, customer: string): readonly string[] {
  const found = new Set(customer === lane ? [lane, ...state.folded.keys()] : [customer]);
  for (const one of found) {
    for (const [other, { into }] of state.folded) {
      if (into.has(one)) {
        found.add(other);
      }
    }
  }
  return [...found];
}

/** All that was told, as text. */
export function toldIn({ own, folded }: CustomerState): string {
  return JSON.stringify([own, ...folded.values()].flatMap(({ told }) => [...told]));
}

/** Takes out what was told before a deletion. */
export function sweep(state: CustomerState, lane: string): void {
  if (!hasDeletion(state)) {
    return;
  }
  for (const [customer, part] of [[lane, state.own] as const, ...state.folded]) {
    const end = deletedAt(state, lane, customer) ?? Number.NEGATIVE_INFINITY;
    for (const [path, { at }] of part.told) {
      if (at <= end) {
        part.told.delete(path);
      }
    }
  }
}

/** Reads what `writeState` wrote, and what older relays kept: attributes only. */
export function readState(text: string | undefined): CustomerState {
  const parsed: unknown = text === undefined ? {} : JSON.parse(text);
  const own = isJsonObject(parsed) ? parsed : {};
  const { folded } = own;
  const parts = isJsonObject(folded) ? Object.entries(folded) : [];
  return {
    own: readPart(own),
    folded: new Map(parts.flatMap(([lane, part]) => (isJsonObject(part) ? [[lane, readPart(part)]] : []))),
  };
}

/**
 * `{ <path>: { value, at, by }, …, deletedAt, folded: { <lane>: { <path>: …, deletedAt, into: [<lane>] } } }` in a fixed order. No attribute
 * is called like the three words: each stands below a standard field group or the tenant.
 */
export function writeState({ own, folded }: CustomerState): string {
  const state = writePart(own);
  if (folded.size > 0) {
    const parts = [...folded].toSorted(byKey).map(([lane, part]) => [lane, writePart(part)] as const);
    state['folded'] = Object.fromEntries(parts);
  }
  return JSON.stringify(state);
}

function join(part: Part, other: Part): void {
  for (const [path, told] of other.told) {
    tell(part, path, told);
  }
  if (other.deletedAt !== undefined) {
    bury(part, other.deletedAt);
  }
  for (const lane of other.into) {
    part.into.add(lane);
  }
}

function readPart(part: JsonObject): Part {
  const told = new Map<string, Told>();
  for (const path of Object.keys(part)) {
    const attribute = part[path];
    // What stands under one of the three words is none: it has no value and no time.
    if (!isJsonObject(attribute)) {
      continue;
    }
    const { value, at, by } = attribute;
    if (value !== undefined && typeof at === 'number') {
      told.set(path, { value, at, by: typeof by === 'string' ? by : '' });
    }
  }
  const { deletedAt: buried, into } = part;
  return {
    told,
    ...(typeof buried === 'number' ? { deletedAt: buried } : {}),
    into: new Set(Array.isArray(into) ? into.filter((lane) => typeof lane === 'string') : []),
  };
}

function writePart({ told, deletedAt: buried, into }: Part): JsonObject {
  const part: JsonObject = {};
  for (const path of [...told.keys()].toSorted()) {
    const known = told.get(path);
    if (known !== undefined) {
      const { value, at, by } = known;
      part[path] = by === '' ? { value, at } : { value, at, by };
    }
  }
  if (buried !== undefined) {
    part['deletedAt'] = buried;
  }
  if (into.size > 0) {
    part['into'] = [...into].toSorted();
  }
  return part;
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
