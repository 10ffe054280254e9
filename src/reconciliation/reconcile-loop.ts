import { setTimeout as sleep } from 'node:timers/promises';
import type { Reconciler } from './reconcile-run.ts';
import type { OpenRun, RunRequests } from './run-requests.ts';

export interface ReconcileLoopParts {
  readonly reconciler: Pick<Reconciler<unknown>, 'every' | 'run'>;
  /** Only the leader of the replicas runs. */
  readonly isLeader: () => boolean;
  readonly requests: Pick<RunRequests, 'started' | 'ended'>;
  /** A run has thrown; it is repeated. */
  readonly onError: (error: unknown) => void;
  /** Between two looks whether something is due. */
  readonly lookMs?: number;
}

/** Runs one reconciler: at its intervals, and when an operator asks for it; one run at a time. */
export interface ReconcileLoop {
  start(): void;
  /** Adds a run that an operator asked for; one that it knows is ignored. */
  offer(run: OpenRun): void;
  /** Ends the run that is going on, because another replica is the leader now. */
  interrupt(): void;
  readonly isRunning: boolean;
  /** Idempotent; resolves when nothing of it is running. */
  stop(): Promise<void>;
}

/** How soon a change of the leader is noticed. */
export const LOOK_MS = 2_000;
/** After a run that has thrown: the store does not answer. */
const ERROR_DELAY_MS = 30_000;

/** ms of a clock that is never set back. */
function monotonic(): number {
  return performance.now();
}

export function createReconcileLoop(parts: ReconcileLoopParts): ReconcileLoop {
  const { reconciler, isLeader, requests, onError, lookMs = LOOK_MS } = parts;
  const { every } = reconciler;
  const stopping = new AbortController();
  let queue: OpenRun[] = [];
  let current: string | undefined;
  /** What was read of the journal before it ended can name it once more. */
  let lastEnded: string | undefined;
  let running: AbortController | undefined;
  let dueAt = 0;
  let notBefore = 0;
  let waiting = new AbortController();
  let loop: Promise<void> | undefined;

  const runOnce = async (asked: OpenRun | undefined): Promise<void> => {
    const startedAt = monotonic();
    const run = new AbortController();
    const signal = AbortSignal.any([run.signal, stopping.signal]);
    running = run;
    current = asked?.key;
    try {
      if (asked !== undefined) await requests.started(asked.key);
      await reconciler.run(asked?.request ?? {}, signal);
      if (asked !== undefined) await requests.ended(asked.key);
      lastEnded = asked?.key;
      dueAt = startedAt + every;
    } catch (error) {
      if (!signal.aborted) {
        onError(error);
        notBefore = monotonic() + Math.min(every, ERROR_DELAY_MS);
      }
    } finally {
      running = undefined;
      current = undefined;
    }
  };

  const lookOnce = async (): Promise<void> => {
    if (monotonic() < notBefore) return;
    // The next leader finds what was asked for in the journal.
    if (!isLeader()) queue = [];
    else if (queue.length > 0) await runOnce(queue.shift());
    else if (monotonic() >= dueAt) await runOnce(undefined);
  };

  const untilNext = async (): Promise<void> => {
    if (queue.length > 0 && isLeader() && monotonic() >= notBefore) return;
    const { signal } = (waiting = new AbortController());
    const either = AbortSignal.any([signal, stopping.signal]);
    await sleep(lookMs, undefined, { signal: either }).catch(() => undefined);
  };

  const loopOn = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await lookOnce();
      await untilNext();
    }
  };

  return {
    start() {
      loop ??= loopOn();
    },
    offer(run) {
      const { key } = run;
      if (key === current || key === lastEnded || queue.some((other) => other.key === key)) return;
      queue.push(run);
      waiting.abort();
    },
    interrupt() {
      running?.abort(new DOMException('another replica is the leader', 'AbortError'));
    },
    get isRunning() {
      return running !== undefined;
    },
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}
