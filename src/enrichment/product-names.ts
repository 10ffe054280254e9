import type { ApiCaller } from './api-caller.ts';
import { type CallQueue, PRIORITY, type Priority, type Ticket } from './api-call-queue.ts';
import type { CapillaryReads } from '../capillary/api/capillary-reads.ts';
import { isAskableSku, skusOfOneCall } from '../capillary/api/reference-reads.ts';
import { within } from './reference-value.ts';
import type { StageClock } from './stage-clock.ts';

export interface ProductNamesParts {
  readonly caller: ApiCaller;
  readonly queue: CallQueue;
  readonly reads: Pick<CapillaryReads, 'productNames'>;
  readonly clock: StageClock;
}

/** The catalogue's names of products, by SKU. */
export interface ProductNames {
  /**
   * Waits for unknown ones if the call can be made soon, else they are known the next time.
   * @returns without the SKUs that have no name, or whose name is not known yet
   */
  get(
    skus: readonly string[],
    priority: Priority,
  ): ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>;
}

interface Known {
  /** Absent: the catalogue does not have the product. */
  readonly name: string | undefined;
  readonly at: number;
}

/** About 10 MB. */
const MAX_KNOWN = 50_000;
const MAX_AGE_MS = 12 * 3_600_000;
/** A new product may be in the catalogue an hour after its first sale. */
const MAX_NAMELESS_AGE_MS = 3_600_000;
const MAX_WAIT_MS = 3_000;
const RETRY_MS = 60_000;

export function createProductNames({ caller, queue, reads, clock }: ProductNamesParts): ProductNames {
  /** In the order of their reading. */
  const known = new Map<string, Known>();
  const wanted = new Set<string>();
  let asked: ReadonlySet<string> = new Set();
  let loading: Ticket | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;
  const waiting = new Set<{ readonly skus: readonly string[]; readonly resolve: () => void }>();

  const isKnown = (sku: string): boolean => {
    const entry = known.get(sku);
    if (entry === undefined) return false;
    const maxAge = entry.name === undefined ? MAX_NAMELESS_AGE_MS : MAX_AGE_MS;
    return clock.monotonic() - entry.at <= maxAge;
  };

  const learn = (sku: string, name: string | undefined): void => {
    known.delete(sku);
    known.set(sku, { name, at: clock.monotonic() });
    if (known.size <= MAX_KNOWN) return;
    for (const oldest of known.keys()) {
      known.delete(oldest);
      return;
    }
  };

  const nextSkus = (): ReadonlySet<string> => {
    const next = new Set(skusOfOneCall(wanted));
    for (const sku of next) wanted.delete(sku);
    return next;
  };

  const wakeWaiting = (): void => {
    for (const one of waiting) {
      if (one.skus.some((sku) => wanted.has(sku) || asked.has(sku))) continue;
      waiting.delete(one);
      one.resolve();
    }
  };

  /** @returns false if they could not be read */
  const loadOnce = async (ticket: Ticket): Promise<boolean> => {
    const result = await caller.call('products', ticket, (signal) => {
      // Only now: what has been wanted since belongs to the same call.
      if (asked.size === 0) asked = nextSkus();
      return reads.productNames([...asked], signal);
    });
    if (result.ok) for (const sku of asked) learn(sku, result.value.get(sku));
    asked = new Set();
    return result.ok;
  };

  const loadAll = async (ticket: Ticket): Promise<void> => {
    loading = ticket;
    while (wanted.size > 0) {
      if (!(await loadOnce(ticket))) {
        failedAt = clock.monotonic();
        wanted.clear();
      }
      wakeWaiting();
    }
    queue.cancel(ticket);
    loading = undefined;
  };

  const namesOf = (skus: readonly string[]): ReadonlyMap<string, string> => {
    const names = new Map<string, string>();
    for (const sku of skus) {
      const name = known.get(sku)?.name;
      if (name !== undefined) names.set(sku, name);
    }
    return names;
  };

  return {
    get(skus, priority) {
      const unknown = skus.filter((sku) => isAskableSku(sku) && !isKnown(sku));
      if (unknown.length === 0 || clock.monotonic() - failedAt < RETRY_MS) return namesOf(skus);
      const isSoon = queue.msUntilStart(priority) <= MAX_WAIT_MS;
      const given = isSoon ? priority : PRIORITY.refresh;
      for (const sku of unknown) if (!asked.has(sku)) wanted.add(sku);
      if (loading === undefined) void loadAll(queue.plan(given));
      else queue.raise(loading, given);
      if (!isSoon) return namesOf(skus);
      const loaded = new Promise<void>((resolve) => {
        waiting.add({ skus: unknown, resolve });
      });
      return within(MAX_WAIT_MS, loaded, clock).then(() => namesOf(skus));
    },
  };
}
