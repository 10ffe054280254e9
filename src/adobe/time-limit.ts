export interface TimeLimit {
  /** Aborted by the parent (with its reason) or by the clock (with a `TimeoutError`). */
  readonly signal: AbortSignal;
  /** Takes the timer and the listener away. To be called in any case. */
  clear(): void;
}

/** A signal that follows its parent and is aborted after `ms` at the latest. The timer holds no process open. */
export function startTimeLimit(parent: AbortSignal, ms: number): TimeLimit {
  const controller = new AbortController();
  const onAbort = () => controller.abort(parent.reason);
  const onTime = () => controller.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError'));
  const timer = setTimeout(onTime, ms).unref();
  parent.addEventListener('abort', onAbort, { once: true });
  if (parent.aborted) onAbort();
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer);
      parent.removeEventListener('abort', onAbort);
    },
  };
}
