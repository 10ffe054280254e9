import type { MaintenanceReport } from './journal.ts';

/** Time until a failed step is retried; doubles with each failure. */
const RETRY_DELAY_MS = { first: 1_000, max: 60_000 } as const;
/** The longest such time while the store is full: the intake has to open soon. */
export const MAX_ROOM_RETRY_DELAY_MS = 8_000;

/** Retries until the call succeeds or maintenance stops: then the result is undefined. */
export type TaskRetry = <T>(
  task: string,
  call: () => Promise<T>,
  maxDelayMs?: number,
) => Promise<T | undefined>;

/** Repeats failed steps of maintenance, and reports their failures. */
export function createTaskRetry(
  report: (report: MaintenanceReport) => void,
  wait: (ms: number) => Promise<void>,
  signal: AbortSignal,
): TaskRetry {
  return async (task, call, maxDelayMs = RETRY_DELAY_MS.max) => {
    let delay: number = RETRY_DELAY_MS.first;
    let reported: string | undefined;
    while (!signal.aborted) {
      try {
        return await call();
      } catch (error) {
        if (signal.aborted) return undefined;
        const { message } = error as Error;
        // A cause that lasts, such as a folder that was moved, is reported once.
        if (message !== reported) report({ kind: 'failed', task, error: error as Error });
        reported = message;
        await wait(delay);
        delay = Math.min(delay * 2, maxDelayMs);
      }
    }
    return undefined;
  };
}
