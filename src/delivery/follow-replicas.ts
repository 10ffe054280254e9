import type { Journal } from '../journal/journal.ts';
import { pause } from './scheduling.ts';

/**
 * Does some work now and then while there are other replicas, and whenever they or their shares
 * have changed. Of failures in a row the first one is reported. Resolves at the abort.
 * @param everyMs how old what others have done can become here
 */
export async function followReplicas(
  { onShares, replicaCount }: Pick<Journal, 'onShares' | 'replicaCount'>,
  everyMs: number,
  work: () => Promise<void>,
  { signal, onError }: { readonly signal: AbortSignal; readonly onError: (error: unknown) => void },
): Promise<void> {
  let isFailing = false;
  const attempt = async (): Promise<void> => {
    try {
      await work();
      isFailing = false;
    } catch (error) {
      // An outage of the database is logged once, not every few seconds.
      if (!isFailing) onError(error);
      isFailing = true;
    }
  };
  const unsubscribe = onShares(() => void attempt());
  while (!signal.aborted) {
    await pause(everyMs, signal);
    if (!signal.aborted && replicaCount() > 1) await attempt();
  }
  unsubscribe();
}
