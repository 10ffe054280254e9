import type { EventEnricher } from './event-enricher.ts';
import { SYSTEM_CLOCK, type StageClock } from './stage-clock.ts';

export interface RefreshJobParts {
  /** The source, with each destination of its events. */
  readonly routes: readonly { readonly source: string; readonly destination: string }[];
  readonly enricher: Pick<EventEnricher, 'hasCallsToSpare'>;
  /** Of the API client. */
  readonly callsPerMinute: number;
  /** Of the journal; see there. */
  readonly refresh: (request: {
    readonly routes: RefreshJobParts['routes'];
    readonly running: number;
  }) => Promise<{ readonly started: number; readonly dropped: number }>;
  /** Only the leader of the replicas starts refreshes. */
  readonly isLeader: () => boolean;
  readonly onError: (error: unknown) => void;
  readonly clock?: StageClock;
}

export interface RefreshJobStatus {
  /**
   * `waiting`: the API is away, or live events need all calls. `other-replica`: that one does it.
   */
  readonly state: 'running' | 'waiting' | 'other-replica' | 'stopped';
  /** Since this process started. */
  readonly started: number;
  /** Of these events the body was gone. */
  readonly dropped: number;
}

/**
 * Makes events pending again that could not be completed when they came, a few at a time. All that
 * it knows is in the journal, so another replica goes on where this one stopped. The events
 * themselves go through delivery and ask for their calls below all others.
 */
export interface RefreshJob {
  start(): void;
  /** Idempotent; resolves when nothing of it is running. */
  stop(): Promise<void>;
  readonly status: RefreshJobStatus;
}

const INTERVAL_MS = 2_000;
/** Between two looks that find nothing to do. */
const IDLE_INTERVAL_MS = 10_000;
/** What is pending keeps the calls busy for some seconds, so none is idle until the next look. */
const RUNNING_PER_CALLS = 1 / 10;
const MIN_RUNNING = 2;
const MAX_RUNNING = 50;

export function createRefreshJob(parts: RefreshJobParts): RefreshJob {
  const { routes, enricher, isLeader, clock = SYSTEM_CLOCK } = parts;
  const running = Math.min(
    MAX_RUNNING,
    Math.max(MIN_RUNNING, Math.ceil(parts.callsPerMinute * RUNNING_PER_CALLS)),
  );
  const sums = { started: 0, dropped: 0 };
  let state: RefreshJobStatus['state'] = 'stopped';
  let cancelTimer: (() => void) | undefined;
  let look: Promise<void> | undefined;

  /** @returns ms until the next look */
  const lookOnce = async (): Promise<number> => {
    if (!isLeader()) {
      state = 'other-replica';
      return INTERVAL_MS;
    }
    if (!enricher.hasCallsToSpare) {
      state = 'waiting';
      return INTERVAL_MS;
    }
    state = 'running';
    try {
      const { started, dropped } = await parts.refresh({ routes, running });
      sums.started += started;
      sums.dropped += dropped;
      return started === 0 ? IDLE_INTERVAL_MS : INTERVAL_MS;
    } catch (error) {
      parts.onError(error);
      return IDLE_INTERVAL_MS;
    }
  };

  const lookAndPlan = async (): Promise<void> => {
    const next = await lookOnce();
    look = undefined;
    if (cancelTimer !== undefined) plan(next);
  };

  const plan = (ms: number): void => {
    cancelTimer = clock.after(ms, () => {
      look = lookAndPlan();
    });
  };

  return {
    start() {
      if (cancelTimer !== undefined) return;
      state = 'running';
      plan(INTERVAL_MS);
    },
    async stop() {
      cancelTimer?.();
      cancelTimer = undefined;
      await look;
      state = 'stopped';
    },
    get status() {
      return { state, ...sums };
    },
  };
}
