import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal, ReencryptionPosition, ReencryptionStep, RetentionPolicy } from './journal.ts';

/** Time between two rounds of retention. */
const RETENTION_INTERVAL_MS = 60_000;
/** Time between two small steps of either loop, so that intake is never delayed. */
const STEP_DELAY_MS = 50;
/** Time until a failed re-encryption step is retried. */
const RETRY_DELAY_MS = 60_000;

/** Removes what is older than the policy allows, step by step, until aborted. */
export async function runRetention(parts: {
  readonly journal: Pick<Journal, 'retain'>;
  readonly policy: () => RetentionPolicy;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly onRemoved: (records: number) => void;
  readonly onError: (error: unknown) => void;
}): Promise<void> {
  const { signal } = parts;
  while (!signal.aborted) {
    let more = false;
    try {
      const step = await parts.journal.retain(parts.policy(), parts.now());
      parts.onRemoved(step.removed);
      more = step.more;
    } catch (error) {
      if (!signal.aborted) parts.onError(error);
    }
    const delay = more ? STEP_DELAY_MS : RETENTION_INTERVAL_MS;
    await sleep(delay, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Encrypts the whole store with the first key, step by step, until complete or aborted. Position
 * and counts are held in memory: after a restart the loop begins again and skips what is up to
 * date.
 */
export async function runReencryption(parts: {
  readonly journal: Pick<Journal, 'reencrypt'>;
  readonly signal: AbortSignal;
  /** Called after each step with the share of the store that has been processed, from 0 to 1. */
  readonly onProgress: (share: number) => void;
  /** Called once when the store is complete, unless there was nothing to do. */
  readonly onComplete: (counts: { readonly reencrypted: number; readonly unreadable: number }) => void;
  readonly onError: (error: unknown) => void;
}): Promise<void> {
  const { journal, signal } = parts;
  let from: ReencryptionPosition | undefined;
  let reencrypted = 0;

  const runStep = async (): Promise<ReencryptionStep | undefined> => {
    try {
      return await journal.reencrypt(from);
    } catch (error) {
      if (!signal.aborted) parts.onError(error);
      return undefined;
    }
  };

  while (!signal.aborted) {
    const step = await runStep();
    if (step !== undefined) {
      reencrypted += step.reencrypted;
      parts.onProgress(step.share);
      if (step.next === undefined) {
        if (from !== undefined) parts.onComplete({ reencrypted, unreadable: step.unreadable });
        return;
      }
      from = step.next;
    }
    const delay = step === undefined ? RETRY_DELAY_MS : STEP_DELAY_MS;
    await sleep(delay, undefined, { signal }).catch(() => undefined);
  }
}
