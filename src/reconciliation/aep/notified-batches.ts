import { setTimeout as sleep } from 'node:timers/promises';
import type { Reconciler } from '../reconcile-run.ts';
import type { BatchOutcome, FailedBatchCheck } from './failed-batch-check.ts';
import type { PendingBatch, PendingBatches } from './pending-batches.ts';

export interface NotifiedBatchesParts {
  readonly pending: Pick<PendingBatches, 'list' | 'remove'>;
  readonly check: Pick<FailedBatchCheck, 'checkBatch'>;
  /** Only the leader of the replicas reads. */
  readonly isLeader: () => boolean;
  /** The journal has failed; it is tried again. */
  readonly onError: (error: unknown) => void;
  /** Between two looks. */
  readonly lookMs?: number;
  /** Until a batch that could not be read yet is tried again. */
  readonly retryMs?: number;
}

/** A notification is acted upon within two seconds. */
const LOOK_MS = 1_000;
const RETRY_MS = 30_000;
/** After a failure of the journal. */
const ERROR_DELAY_MS = 10_000;
/** Then the regular check is left to find the batch. */
const MAX_ATTEMPTS = 10;

function isOver(outcome: BatchOutcome): boolean {
  if (outcome.state === 'not-failed') return outcome.status === 'success';
  return outcome.state === 'done';
}

/**
 * Reads the batches that Adobe reports, as soon as they are reported, for as long as the reconciler
 * is not closed.
 */
export function withNotifiedBatches<Report>(
  reconciler: Reconciler<Report>,
  parts: NotifiedBatchesParts,
): Reconciler<Report> {
  const { pending, check, isLeader, onError, lookMs = LOOK_MS, retryMs = RETRY_MS } = parts;
  const stopping = new AbortController();
  const { signal } = stopping;
  const tries = new Map<string, { readonly attempts: number; readonly notBefore: number }>();

  const readOne = async ({ batchId, datasetId }: PendingBatch): Promise<void> => {
    const { attempts, notBefore } = tries.get(batchId) ?? { attempts: 0, notBefore: 0 };
    if (performance.now() < notBefore) return;
    const outcome = await check.checkBatch(datasetId, batchId, signal);
    if (isOver(outcome) || attempts + 1 >= MAX_ATTEMPTS) {
      tries.delete(batchId);
      await pending.remove(batchId);
    } else tries.set(batchId, { attempts: attempts + 1, notBefore: performance.now() + retryMs });
  };

  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      let delayMs = lookMs;
      try {
        const batches = isLeader() ? await pending.list() : [];
        for (const batch of batches) if (!signal.aborted && isLeader()) await readOne(batch);
      } catch (error) {
        if (!signal.aborted) onError(error);
        delayMs = ERROR_DELAY_MS;
      }
      await sleep(delayMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  };
  const running = loop();

  return {
    ...reconciler,
    async close() {
      stopping.abort();
      // It ends the calls that the loop waits for.
      const closed = reconciler.close();
      await running;
      await closed;
    },
  };
}
