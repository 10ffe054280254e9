import type { VirtualClock } from './virtual-clock.ts';

/** An event in the store. */
export interface StoredEvent<T> {
  readonly event: T;
  readonly lane: string;
  readonly receivedAt: number;
  /** What is to be refreshed. */
  customer: boolean;
  bill: boolean;
}

/** Claimed: what is to be fetched for it, undefined if it is new. */
export interface Claim<T> {
  readonly stored: StoredEvent<T>;
  readonly refresh?: { readonly customer: boolean; readonly bill: boolean };
}

export interface Settled {
  readonly missing?: { readonly customer: boolean; readonly bill: boolean; readonly dueIn: number };
  readonly refreshed: { readonly customer: boolean; readonly bill: boolean };
}

/**
 * What the journal does for enrichment, without a disk: events of a customer are claimed one after
 * the other, and refreshes newest first (`src/journal/enrichments.ts`).
 */
export interface VirtualStore<T> {
  append(event: T, lane: string): void;
  refresh(running: number): number;
  readonly backlog: { readonly customers: number; readonly bills: number };
}

export function createVirtualStore<T>(
  clock: VirtualClock,
  deliver: (claim: Claim<T>) => Promise<Settled>,
): VirtualStore<T> {
  const lanes = new Map<string, Claim<T>[]>();
  /** The event that has the customer's part, by lane. */
  const customers = new Map<string, StoredEvent<T>>();
  /** Due, the newest last. */
  const due: StoredEvent<T>[] = [];
  let bills = 0;
  let running = 0;

  const drop = (
    stored: StoredEvent<T>,
    parts: { readonly customer: boolean; readonly bill: boolean },
  ): void => {
    if (parts.customer) {
      const holder = customers.get(stored.lane);
      if (holder !== undefined) holder.customer = false;
      customers.delete(stored.lane);
    }
    if (parts.bill && stored.bill) {
      stored.bill = false;
      bills -= 1;
    }
  };

  const keep = (stored: StoredEvent<T>, { missing, refreshed }: Settled): void => {
    drop(stored, refreshed);
    if (missing === undefined) return;
    if (missing.customer) {
      drop(stored, { customer: true, bill: false });
      stored.customer = true;
      customers.set(stored.lane, stored);
    }
    if (missing.bill && !stored.bill) {
      stored.bill = true;
      bills += 1;
    }
    clock.after(missing.dueIn, () => due.push(stored));
  };

  const run = async (lane: string, claims: Claim<T>[]): Promise<void> => {
    for (let claim = claims.shift(); claim !== undefined; claim = claims.shift()) {
      keep(claim.stored, await deliver(claim));
      if (claim.refresh !== undefined) running -= 1;
    }
    lanes.delete(lane);
  };

  const push = (claim: Claim<T>): void => {
    const { lane } = claim.stored;
    const claims = lanes.get(lane);
    if (claims !== undefined) {
      claims.push(claim);
      return;
    }
    const added = [claim];
    lanes.set(lane, added);
    void run(lane, added);
  };

  return {
    append: (event, lane) =>
      push({ stored: { event, lane, receivedAt: clock.now(), customer: false, bill: false } }),
    refresh(most) {
      let started = 0;
      while (running < most) {
        const stored = due.pop();
        if (stored === undefined) break;
        const { customer, bill } = stored;
        // Something newer has brought it already.
        if (!customer && !bill) continue;
        running += 1;
        started += 1;
        push({ stored, refresh: { customer, bill } });
      }
      return started;
    },
    get backlog() {
      return { customers: customers.size, bills };
    },
  };
}
