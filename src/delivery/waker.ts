/** Lets one loop sleep until something happens, a time has come, or it is told to stop. A wake that comes early is remembered. */
export interface Waker {
  wake(): void;
  /** Resolves after `ms`, at the next wake, or at abort; whichever is first. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** setTimeout fires at once for longer waits than this. */
const LONGEST = 2 ** 31 - 1;

export function createWaker(): Waker {
  let woken = false;
  let end: (() => void) | undefined;

  const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      end = () => {
        end = undefined;
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const stop = end;
      const timer = setTimeout(stop, Math.min(ms, LONGEST));
      signal.addEventListener('abort', stop);
    });

  return {
    wake() {
      woken = true;
      end?.();
    },
    async wait(ms, signal) {
      if (!woken && !signal.aborted && ms > 0) await sleep(ms, signal);
      woken = false;
    },
  };
}
