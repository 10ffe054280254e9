import type { Journal } from '../journal/journal.ts';
import { pause } from './scheduling.ts';

/**
 * Does some work now and then while there are other replicas, and whenever they or their shares
 * have changed. Resolves at the abort.
 * @param everyMs how old what others have done can become here
 */
export async function followReplicas(
  { onShares, replicaCount }: Pick<Journal, 'onShares' | 'replicaCount'>,
  everyMs: number,
  work: () => Promise<void>,
  { signal, onError }: { readonly signal: AbortSignal; readonly onError: (error: unknown) => void },
): Promise<void> {
  const attempt = (): Promise<void> => work().catch(onError);
  const unsubscribe = onShares(() => void attempt());
  while (!signal.aborted) {
    await pause(everyMs, signal);
    if (!signal.aborted && replicaCount() > 1) await attempt();
  }
  unsubscribe();
}
