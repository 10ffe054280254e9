import type { MessageKind } from '../journal/journal.ts';
import { cappedDelay, type Clocks } from './scheduling.ts';

export interface DestinationStatus {
  /** `waiting`: temporarily (throttled, failing). `paused`: by a fault or by an operator. */
  readonly state: 'flowing' | 'waiting' | 'paused';
  /** Stable code, e.g. `throttled`, `unauthorized`, `ims-invalid_client`, `operator`. */
  readonly reason?: string;
  /** Text of Adobe's response or of a network error. */
  readonly detail?: string;
  /** Epoch ms at which it stopped flowing. */
  readonly since?: number;
  /** Epoch ms of the next attempt; absent if an operator paused it. */
  readonly nextTryAt?: number;
  /** Epoch ms of the last request that succeeded at least in part. */
  readonly lastSuccessAt?: number;
}

/**
 * Whether events may be claimed now. A probe is one event that tests whether the destination works.
 */
export type Permit =
  | { readonly kind: 'open' }
  | { readonly kind: 'probe' }
  | { readonly kind: 'wait'; readonly ms: number };

export interface DestinationState {
  permit(): Permit;
  /** Whether a request may be sent now: while flowing, or for a probe. */
  maySend(): boolean;
  status(): DestinationStatus;
  /** Whether any request succeeded since this time (monotonic ms). */
  hasSucceededSince(monotonicMs: number): boolean;
  /**
   * Most recent requests succeeded, so the destination is probably not the cause of a single
   * failing message.
   */
  isHealthy(): boolean;
  /**
   * Messages of this kind were taken. Ends the wait or pause if a probe was sent since it began,
   * but not a pause because of the other kind.
   */
  recordSuccess(kind: MessageKind): void;
  /**
   * Adobe itself answered, but took nothing. Ends a wait or pause like a success, except one whose
   * cause is what Adobe refuses.
   */
  recordAnswer(): void;
  /** The same for a request whose messages Adobe refused, which is no sign of health. */
  recordRefusal(): void;
  /** The probe's event is done. If the result was inconclusive, the next event is the probe. */
  endProbe(): void;
  /**
   * A whole request failed for a temporary reason. The destination waits after several consecutive
   * failures, or at once if `retryAfterMs` is given; as long as Adobe asks or for its own backoff,
   * whichever is longer.
   */
  recordFailure(reason: string, detail: string, retryAfterMs?: number): void;
  /** Adobe throttles: everything waits, by the same rule and at least a second. */
  recordThrottling(detail: string, retryAfterMs?: number): void;
  /**
   * Nothing can be sent because something that requests need is temporarily missing. It has a
   * backoff of its own, so the destination waits exactly this long.
   */
  waitFor(reason: string, detail: string, waitMs: number): void;
  /** Adobe throttles another replica: everything waits so long, and goes on without a probe. */
  waitWithOthers(detail: string, waitMs: number): void;
  /** The destination cannot work until a fault is fixed: nothing but probes is sent. */
  pauseForFault(reason: string, detail: string, more?: PauseOptions): void;
  pauseByOperator(by: string, at: number): void;
  /** Ends any wait except an operator's pause: the next event is sent at once, as a probe. */
  retryNow(): void;
  /** Ends any pause or wait, including an operator's pause. */
  resume(): void;
}

export interface PauseOptions {
  /** The exact wait until the next probe, if the cause has a backoff of its own. */
  readonly waitMs?: number;
  /** The kind whose flow is at fault: only messages of this kind show that it works again. */
  readonly kind?: MessageKind;
}

/** First wait after a 429; it doubles. Source: docs/platforms/adobe.md#retry-after */
const MIN_THROTTLE_WAIT_MS = 1_000;

/** Weight of the newest request in the moving share of successful requests. */
const NEWEST_WEIGHT = 0.2;
/** The destination is healthy from this share of successful requests on. */
const HEALTHY_SHARE = 0.7;

/** Consecutive failed requests that count as an outage. */
const OUTAGE_AFTER_FAILURES = 3;

/**
 * Most outages are short, so the destination is probed often at first: what has waited is delivered
 * soon after it is back. Later the waits grow.
 */
const EARLY_OUTAGE_MS = 30_000;
/** Share of `retry.minDelay` that passes between two of those probes. */
const EARLY_PROBE_SHARE = 0.5;

/** Why the destination is not flowing. */
interface Cause {
  readonly state: 'waiting' | 'paused';
  readonly reason: string;
  readonly detail: string;
  /** See PauseOptions. */
  readonly kind?: MessageKind | undefined;
}

/** How long it waits: exactly `waitMs`, or its own backoff but at least as long as Adobe asks. */
interface Wait {
  readonly waitMs?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly minMs?: number;
  /** It does not answer, and nobody asked for a wait: it is probed often at first. */
  readonly isOutage?: boolean;
  /** See Blocked. */
  readonly opensByItself?: boolean;
}

/** The destination is not flowing. */
interface Blocked extends Cause {
  /** Epoch ms. */
  readonly since: number;
  /** The same in monotonic ms. */
  readonly startedAt: number;
  /** Monotonic ms; undefined: until an operator resumes. */
  readonly until: number | undefined;
  readonly isProbing: boolean;
  /**
   * A probe was sent since the last failure. Its success counts even if it is not the current probe
   * any more, because a retry was requested or another event ended meanwhile.
   */
  readonly wasProbed: boolean;
  /** Nothing has failed here: another replica probes. */
  readonly opensByItself: boolean;
}

export function createDestinationState(options: {
  readonly retry: { readonly minDelay: number; readonly maxDelay: number };
  readonly clocks: Clocks;
  /** Epoch ms of a success that is known from before. */
  readonly lastSuccessAt?: number | undefined;
  /** Called after each change of state, with the new status. */
  readonly onChange: (status: DestinationStatus) => void;
}): DestinationState {
  const { retry, onChange, clocks } = options;
  const { now, monotonic } = clocks;
  let blocked: Blocked | undefined;
  /**
   * Failures since the last success, counting an outage or a probe once: the wait grows with it.
   * The early probes of an outage do not count.
   */
  let failedTries = 0;
  let failuresInARow = 0;
  let successShare = 1;
  let lastSuccess: { readonly at: number; readonly monotonic: number } | undefined =
    options.lastSuccessAt === undefined
      ? undefined
      : { at: options.lastSuccessAt, monotonic: Number.NEGATIVE_INFINITY };

  const status = (): DestinationStatus => ({
    state: blocked?.state ?? 'flowing',
    ...(blocked && { reason: blocked.reason, detail: blocked.detail, since: blocked.since }),
    ...(blocked?.until !== undefined && { nextTryAt: now() + Math.max(0, blocked.until - monotonic()) }),
    ...(lastSuccess !== undefined && { lastSuccessAt: lastSuccess.at }),
  });

  const ownBackoff = (minMs: number): number =>
    cappedDelay(Math.max(0, failedTries - 1), {
      minDelay: Math.max(minMs, retry.minDelay),
      maxDelay: Math.max(minMs, retry.maxDelay),
    });

  const block = (cause: Cause, wait: Wait = {}): void => {
    const { waitMs, retryAfterMs = 0, minMs = 0, isOutage = false } = wait;
    const before = blocked;
    if (before !== undefined && before.until === undefined) return;
    // Requests that were already in flight when the state changed tell nothing new; only a failed
    // probe counts as another attempt.
    const isLate = before?.isProbing === false;
    const startedAt = before?.startedAt ?? monotonic();
    const isEarly = isOutage && monotonic() - startedAt < EARLY_OUTAGE_MS;
    if (!isLate && !isEarly && waitMs === undefined) failedTries += 1;
    const own = isEarly ? retry.minDelay * EARLY_PROBE_SHARE : ownBackoff(minMs);
    const until = monotonic() + (waitMs ?? Math.max(retryAfterMs, own));
    // What stopped the flow first stays its cause. What follows is often an echo, except that a
    // fault replaces a temporary failure.
    const isEcho = isLate && (before.state === 'paused' || cause.state === 'waiting');
    const { state, reason, detail, kind } = isEcho ? before : cause;
    blocked = {
      state,
      reason,
      detail,
      kind,
      since: before?.since ?? now(),
      startedAt,
      until: Math.max(until, isLate ? (before.until ?? 0) : 0),
      isProbing: false,
      wasProbed: false,
      opensByItself: wait.opensByItself === true && before?.opensByItself !== false,
    };
    if (before?.state !== state || before.reason !== reason) onChange(status());
  };

  const endWait = (kind: MessageKind | undefined): void => {
    failuresInARow = 0;
    // A late success of a request sent before the failure does not end a wait that Adobe asked for.
    if (blocked?.wasProbed === false || (blocked?.kind ?? kind) !== kind) return;
    failedTries = 0;
    if (blocked === undefined) return;
    blocked = undefined;
    onChange(status());
  };

  const retryNow = (): void => {
    if (blocked?.until !== undefined) blocked = { ...blocked, until: monotonic(), isProbing: false };
  };

  return {
    permit() {
      if (blocked === undefined) return { kind: 'open' };
      if (blocked.until === undefined) return { kind: 'wait', ms: Number.POSITIVE_INFINITY };
      if (blocked.isProbing) return { kind: 'wait', ms: retry.maxDelay };
      const ms = Math.min(blocked.until - monotonic(), retry.maxDelay * 12);
      if (ms > 0) return { kind: 'wait', ms };
      if (blocked.opensByItself) {
        blocked = undefined;
        onChange(status());
        return { kind: 'open' };
      }
      blocked = { ...blocked, isProbing: true, wasProbed: true };
      return { kind: 'probe' };
    },
    maySend: () => blocked === undefined || blocked.isProbing,
    status,
    isHealthy: () => successShare >= HEALTHY_SHARE,
    hasSucceededSince: (monotonicMs) => lastSuccess !== undefined && lastSuccess.monotonic >= monotonicMs,
    recordSuccess(kind) {
      lastSuccess = { at: now(), monotonic: monotonic() };
      successShare += NEWEST_WEIGHT * (1 - successShare);
      endWait(kind);
    },
    recordAnswer: () => endWait(undefined),
    recordRefusal() {
      successShare -= NEWEST_WEIGHT * successShare;
      endWait(undefined);
    },
    endProbe() {
      if (blocked?.isProbing === true) blocked = { ...blocked, isProbing: false };
    },
    recordFailure(reason, detail, retryAfterMs) {
      failuresInARow += 1;
      successShare -= NEWEST_WEIGHT * successShare;
      if (blocked !== undefined || retryAfterMs !== undefined || failuresInARow >= OUTAGE_AFTER_FAILURES) {
        block({ state: 'waiting', reason, detail }, { retryAfterMs, isOutage: retryAfterMs === undefined });
      }
    },
    recordThrottling(detail, retryAfterMs) {
      failuresInARow += 1;
      successShare -= NEWEST_WEIGHT * successShare;
      const cause = { state: 'waiting', reason: 'throttled', detail } as const;
      block(cause, { retryAfterMs, minMs: MIN_THROTTLE_WAIT_MS });
    },
    waitFor(reason, detail, waitMs) {
      block({ state: 'waiting', reason, detail }, { waitMs });
    },
    waitWithOthers(detail, waitMs) {
      block({ state: 'waiting', reason: 'throttled', detail }, { waitMs, opensByItself: true });
    },
    pauseForFault(reason, detail, { kind, waitMs } = {}) {
      block({ state: 'paused', reason, detail, kind }, { waitMs });
    },
    pauseByOperator(by, at) {
      blocked = {
        state: 'paused',
        reason: 'operator',
        detail: `paused by ${by}`,
        since: at,
        startedAt: monotonic(),
        until: undefined,
        isProbing: false,
        wasProbed: false,
        opensByItself: false,
      };
      onChange(status());
    },
    retryNow,
    resume() {
      if (blocked !== undefined && blocked.until === undefined) {
        blocked = undefined;
        onChange(status());
      } else retryNow();
    },
  };
}
