import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal, SealPosition, SealStep } from './journal.ts';

/** ms between the small steps, so that intake is never held up, and after a step that failed. */
const STEP = 50;
const RETRY = 60_000;

/**
 * Seals the whole store with the first key, step by step, until it is through or aborted. Position and counts are of this process; one that
 * follows begins again and passes over what is sealed already.
 */
export async function keepSealed(parts: {
  readonly journal: Pick<Journal, 'reseal'>;
  readonly signal: AbortSignal;
  /** After each step: how much of the store is behind, from 0 to 1. */
  readonly progress: (share: number) => void;
  /** Once, when the engine is through; not when there was nothing to look for. */
  readonly ended: (counts: { readonly sealed: number; readonly unreadable: number }) => void;
  readonly failed: (error: unknown) => void;
}): Promise<void> {
  const { journal, signal } = parts;
  let from: SealPosition | undefined;
  let sealed = 0;

  const take = async (): Promise<SealStep | undefined> => {
    try {
      return await journal.reseal(from);
    } catch (error) {
      if (!signal.aborted) parts.failed(error);
      return undefined;
    }
  };

  while (!signal.aborted) {
    const step = await take();
    if (step !== undefined) {
      sealed += step.sealed;
      parts.progress(step.share);
      if (step.next === undefined) {
        if (from !== undefined) parts.ended({ sealed, unreadable: step.unreadable });
        return;
      }
      from = step.next;
    }
    await sleep(step === undefined ? RETRY : STEP, undefined, { signal }).catch(() => undefined);
  }
}
