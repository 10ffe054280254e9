/** Lets one loop sleep until something happens, a time has come, or it is told to stop. A wake that comes early is remembered. */
export interface Waker {
  wake(): void;
  /** Resolves after `ms`, at the next wake, or at abort; whichever is first. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** setTimeout fires at once for longer waits than this. */
const LONGEST = 2 ** 31 - 1;

export const createWaker = (): Waker => {
  let woken = false;
  let resolveWait: (() => void) | undefined;
  return {
    wake() {
      woken = true;
      resolveWait?.();
    },
    async wait(ms, signal) {
      if (!woken && !signal.aborted && ms > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.min(ms, LONGEST));
          signal.addEventListener('abort', () => resolve(), { once: true });
          resolveWait = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        resolveWait = undefined;
      }
      woken = false;
    },
  };
};
