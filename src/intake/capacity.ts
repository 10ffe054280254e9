import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Journal, StoreHealth } from '../journal/journal.ts';
import type { Gate, Refusal } from './gate.ts';
import { costOf, crossedMark, type Marks } from './marks.ts';

const INTERVAL = 1_000;
/** Seconds Capillary is asked to wait. */
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

interface CapacityParts {
  readonly journal: Pick<Journal, 'health' | 'probe'>;
  readonly limits: Marks;
  readonly changed: (refusal: Refusal | undefined) => void;
  /** ms between looks at the store. */
  readonly interval?: number;
}

const DRAINING: Refusal = { code: 'draining', detail: 'try again shortly', retryAfter: DRAINING_RETRY };
const FAILING: Refusal = {
  code: 'store-failing',
  detail: 'the journal cannot write, or does not answer',
  retryAfter: FAILING_RETRY,
};

/**
 * Closes the intake before the disk is full, and while the store fails; opens it again by itself (design: invariant 7). Between two looks it
 * counts what the admitted bodies may take, and looks at once when they could cross a mark: so a burst cannot run past it.
 */
export function createCapacity({ journal, limits, changed, interval = INTERVAL }: CapacityParts): Capacity {
  let health: StoreHealth | undefined;
  let refusal: Refusal | undefined;
  let draining = false;
  /** Bytes set aside for bodies that the last look did not see yet. */
  let aside = 0;
  /** True after a failure, until a write has gone well. */
  let doubtful = false;
  let looking: Promise<void> | undefined;

  const set = (next: Refusal | undefined): void => {
    const before = refusal?.code;
    refusal = next;
    if (next?.code !== before) changed(next);
  };

  const lookNow = async (): Promise<void> => {
    const seen = aside;
    // By the next turn whoever was admitted has called the journal, so what it answers counts them.
    await nextTurn();
    try {
      if (doubtful) await journal.probe();
      doubtful = false;
      health = await journal.health();
      aside -= seen;
      set(crossedMark(health, limits, { closed: refusal?.code === 'store-full' }));
    } catch {
      doubtful = true;
      set(FAILING);
    }
  };

  const look = (): Promise<void> => {
    looking ??= lookNow().finally(() => {
      looking = undefined;
    });
    return looking;
  };

  const keepLooking = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await sleep(interval, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await look();
    }
  };

  const crossing = (cost: number): Refusal | undefined =>
    health === undefined ? FAILING : crossedMark(health, limits, { added: aside + cost });

  const setAside = (cost: number): Refusal | undefined => {
    if (refusal !== undefined) return refusal;
    const crossed = crossing(cost);
    if (crossed === undefined) aside += cost;
    else set(crossed);
    return crossed;
  };

  return {
    async start(signal) {
      await look();
      void keepLooking(signal);
    },
    drain() {
      draining = true;
    },
    refusal: () => (draining ? DRAINING : refusal),
    admit(bytes) {
      const cost = costOf(bytes);
      // The cost is a guess to the safe side; a look tells what really was taken.
      return refusal === undefined && crossing(cost) !== undefined
        ? look().then(() => setAside(cost))
        : setAside(cost);
    },
    writeFailed() {
      doubtful = true;
      void look();
    },
    get health() {
      return health;
    },
  };
}
