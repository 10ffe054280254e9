import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal, RetentionPolicy } from './journal.ts';

/** ms between rounds, and between the small steps of one round, so that intake is never held up. */
const ROUND = 60_000;
const STEP = 50;

/** Removes what is older than the policy says, step by step, until abort. */
export async function keepRetention(parts: {
  readonly journal: Pick<Journal, 'retain'>;
  readonly policy: RetentionPolicy;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly removed: (records: number) => void;
  readonly failed: (error: unknown) => void;
}): Promise<void> {
  const { signal } = parts;
  while (!signal.aborted) {
    let more = false;
    try {
      const step = await parts.journal.retain(parts.policy, parts.now());
      parts.removed(step.removed);
      more = step.more;
    } catch (error) {
      if (!signal.aborted) parts.failed(error);
    }
    await sleep(more ? STEP : ROUND, undefined, { signal }).catch(() => undefined);
  }
}
