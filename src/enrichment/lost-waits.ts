import type { StageClock } from './stage-clock.ts';

/**
 * Waits of customers' events that ended without the answer. The events of a customer are claimed
 * one after the other: one that was received while those before it waited in vain has been waiting
 * with them, and does not wait as long once more.
 */
export interface LostWaits {
  /**
   * @param received when the event was received
   * @param deadline until when it would wait, were it alone
   * All times are monotonic ms.
   */
  deadlineOf(customer: string, received: number, deadline: number): number;
  /** @param since when the wait of the event began */
  lost(customer: string, since: number): void;
  answered(customer: string): void;
}

interface Entry {
  /** Begin of the first of them since the last answer. */
  readonly since: number;
  /** End of the last. */
  readonly until: number;
}

/** After that an event waits as long as it may again. */
const MEMORY_MS = 60_000;

export function createLostWaits({ monotonic }: Pick<StageClock, 'monotonic'>): LostWaits {
  /** The one that was changed last is the last. */
  const entries = new Map<string, Entry>();

  const forgetOld = (now: number): void => {
    for (const [customer, { until }] of entries) {
      if (now - until <= MEMORY_MS) return;
      entries.delete(customer);
    }
  };

  return {
    deadlineOf(customer, received, deadline) {
      if (entries.size === 0) return deadline;
      const now = monotonic();
      forgetOld(now);
      const entry = entries.get(customer);
      if (entry === undefined) return deadline;
      return Math.min(deadline, Math.max(received, entry.since) + (deadline - now));
    },
    lost(customer, since) {
      const now = monotonic();
      const entry = { since: entries.get(customer)?.since ?? since, until: now };
      entries.delete(customer);
      entries.set(customer, entry);
    },
    answered(customer) {
      entries.delete(customer);
    },
  };
}
