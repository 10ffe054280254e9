import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreConfig } from '../config/schema.ts';
import type { Journal, StoreHealth } from '../journal/journal.ts';
import type { Gate, Refusal } from './gate.ts';

/** ms between looks at the store. */
const INTERVAL = 1_000;
/** Seconds Capillary is asked to wait; it doubles its own waits to a minute (reference: capillary.md §3). */
const FULL_RETRY = 30;
const FAILING_RETRY = 5;
const DRAINING_RETRY = 5;

export interface Capacity extends Gate {
  /** Looks at the store now and from then on each second, until abort. */
  start(signal: AbortSignal): Promise<void>;
  /** From now on everything is refused: the relay is shutting down. */
  drain(): void;
  /** As last seen. */
  readonly health: StoreHealth | undefined;
}

const refusalOf = (
  health: StoreHealth,
  limits: Pick<StoreConfig, 'maxBytes' | 'minFree'>,
): Refusal | undefined => {
  if (health.usedBytes >= limits.maxBytes) {
    return { code: 'store-full', detail: 'the journal has reached store.maxBytes', retryAfter: FULL_RETRY };
  }
  if (health.freeBytes < limits.minFree) {
    return {
      code: 'store-full',
      detail: 'the volume has less than store.minFree left',
      retryAfter: FULL_RETRY,
    };
  }
  return undefined;
};

/** Closes the intake before the disk is full, and while the store fails; opens it again by itself (design: invariant 7). */
export const createCapacity = (parts: {
  readonly journal: Pick<Journal, 'health'>;
  readonly limits: Pick<StoreConfig, 'maxBytes' | 'minFree'>;
  readonly changed: (refusal: Refusal | undefined) => void;
}): Capacity => {
  let health: StoreHealth | undefined;
  let refusal: Refusal | undefined;
  let draining = false;

  const look = async (): Promise<void> => {
    const before = refusal?.code;
    try {
      health = await parts.journal.health();
      refusal = refusalOf(health, parts.limits);
    } catch {
      refusal = { code: 'store-failing', detail: 'the journal does not answer', retryAfter: FAILING_RETRY };
    }
    if (refusal?.code !== before) parts.changed(refusal);
  };

  const keepLooking = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await sleep(INTERVAL, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await look();
    }
  };

  return {
    async start(signal) {
      await look();
      void keepLooking(signal);
    },
    drain() {
      draining = true;
    },
    refusal: () =>
      draining ? { code: 'draining', detail: 'try again shortly', retryAfter: DRAINING_RETRY } : refusal,
    get health() {
      return health;
    },
  };
};
