import type { LeaseChange, Leases } from './leases.ts';
import type { OwnedSlots } from './fleet-statements.ts';

/** Slots with their epochs. */
type Epochs = ReadonlyMap<number, number>;

interface Ownership {
  owned: Map<number, number>;
  /** Slots that are to be given back, and since when, in monotonic ms. */
  readonly draining: Map<number, number>;
  /** Those that are owned and not draining. */
  claimable: Epochs;
}

/** What this process owns as far as it knows. It is changed by what was read or written. */
export interface SlotOwnership extends Omit<Leases, 'join'> {
  /** Those that were joined. */
  readonly destinations: readonly string[];
  add(destination: string): void;
  owned(destination: string): Epochs;
  /** What a heartbeat has read. */
  apply(slots: readonly OwnedSlots[], isServerChanged: boolean): void;
  took(destination: string, slots: readonly (readonly [slot: number, epoch: number])[]): void;
  returned(destination: string, slots: readonly number[]): void;
  /** Drains as many slots as there are beyond the target, first those without claims. */
  aimAt(destination: string, target: number): void;
  /** Draining slots that have no claims any more, or have waited long enough. */
  returnable(destination: string): readonly number[];
  /** Whether any slot is to be given back. */
  readonly isDraining: boolean;
}

export interface SlotOwnershipParts {
  readonly replica: string;
  readonly isFresh: () => boolean;
  readonly monotonic: () => number;
  /** Longest time in ms that a slot is drained. */
  readonly drainMs: number;
}

const NONE: Epochs = new Map();

function noSlots(): ReadonlySet<number> {
  return new Set();
}

/** The slots that the other ones do not have under the same epoch. */
function slotsBeyond(slots: Epochs, others: Epochs): number[] {
  return [...slots].filter(([slot, epoch]) => others.get(slot) !== epoch).map(([slot]) => slot);
}

export function createSlotOwnership(parts: SlotOwnershipParts): SlotOwnership {
  const { replica, isFresh, monotonic, drainMs } = parts;
  const all = new Map<string, Ownership>();
  const listeners = new Set<(change: LeaseChange) => void>();
  let heldSlots: (destination: string) => ReadonlySet<number> = noSlots;

  const refresh = (one: Ownership): void => {
    for (const slot of one.draining.keys()) if (!one.owned.has(slot)) one.draining.delete(slot);
    one.claimable = new Map([...one.owned].filter(([slot]) => !one.draining.has(slot)));
  };

  const change = (destination: string, next: Map<number, number>, isServerChanged = false): void => {
    const one = all.get(destination);
    if (one === undefined) return;
    const before = one.owned;
    const gained = slotsBeyond(next, before);
    const lost = slotsBeyond(before, next);
    if (gained.length === 0 && lost.length === 0 && !isServerChanged) return;
    one.owned = next;
    for (const slot of gained) one.draining.delete(slot);
    refresh(one);
    for (const listener of listeners) listener({ destination, gained, lost, isServerChanged });
  };

  return {
    get destinations() {
      return [...all.keys()];
    },
    get isDraining() {
      return [...all.values()].some(({ draining }) => draining.size > 0);
    },
    add(destination) {
      if (!all.has(destination)) {
        all.set(destination, { owned: new Map(), draining: new Map(), claimable: NONE });
      }
    },
    owned: (destination) => all.get(destination)?.owned ?? NONE,
    claimable: (destination) => (isFresh() ? (all.get(destination)?.claimable ?? NONE) : NONE),
    isOwned: (destination, slot, epoch) => isFresh() && all.get(destination)?.owned.get(slot) === epoch,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    heldSlots(slots) {
      heldSlots = slots;
    },
    apply(slots, isServerChanged) {
      for (const destination of all.keys()) {
        const own = slots.find((row) => row.destination === destination && row.owner === replica)?.own;
        change(destination, new Map(own ?? []), isServerChanged);
      }
    },
    took(destination, slots) {
      change(destination, new Map([...(all.get(destination)?.owned ?? NONE), ...slots]));
    },
    returned(destination, slots) {
      const next = new Map(all.get(destination)?.owned);
      for (const slot of slots) next.delete(slot);
      change(destination, next);
    },
    aimAt(destination, target) {
      const one = all.get(destination);
      if (one === undefined) return;
      const excess = Math.max(0, one.owned.size - target);
      if (excess === one.draining.size) return;
      const held = heldSlots(destination);
      // Those that drain already go on; the rest in the order of the slots, busy ones last.
      const rank = (slot: number): number => (one.draining.has(slot) ? 0 : held.has(slot) ? 2 : 1);
      const chosen = [...one.owned.keys()].toSorted((a, b) => rank(a) - rank(b) || b - a).slice(0, excess);
      const since = new Map(chosen.map((slot) => [slot, one.draining.get(slot) ?? monotonic()]));
      one.draining.clear();
      for (const [slot, at] of since) one.draining.set(slot, at);
      refresh(one);
    },
    returnable(destination) {
      const held = heldSlots(destination);
      return [...(all.get(destination)?.draining ?? [])]
        .filter(([slot, since]) => !held.has(slot) || monotonic() - since >= drainMs)
        .map(([slot]) => slot);
    },
  };
}
