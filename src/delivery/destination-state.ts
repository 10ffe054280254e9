import { ceiling } from './backoff.ts';

export interface DestinationStatus {
  /** `flowing`; `waiting` for a time (throttled, failing); `paused` by a fault or by an operator. */
  readonly state: 'flowing' | 'waiting' | 'paused';
  /** Stable code, e.g. `throttled`, `unauthorized`, `inlet-not-found`, `ims-invalid_client`, `operator`. */
  readonly reason?: string;
  /** Adobe's words or the network's. */
  readonly detail?: string;
  /** Epoch ms since when it does not flow. */
  readonly since?: number;
  /** Epoch ms of the next try; absent when an operator paused it. */
  readonly nextTryAt?: number;
  /** Epoch ms of the last request that Adobe took something of. */
  readonly lastSuccessAt?: number;
}

/** Two clocks in ms: `now` is the epoch and may be set; `steady` only runs. Waits are measured by the steady one. */
export interface Clocks {
  readonly now: () => number;
  readonly steady: () => number;
}

/** May the dispatcher take events now? A probe takes one event to see whether the destination works again. */
export type Permit =
  | { readonly kind: 'open' }
  | { readonly kind: 'probe' }
  | { readonly kind: 'wait'; readonly ms: number };

export interface DestinationState {
  permit(): Permit;
  /** Whether a request may go out now: while flowing, or for a probe. */
  maySend(): boolean;
  status(): DestinationStatus;
  /** Whether Adobe took something since then (steady ms). */
  passedSince(at: number): boolean;
  /** Most of the latest requests passed: what fails alone now is hardly the destination's doing. */
  isWell(): boolean;
  /** Adobe answered a request as it should. Opens the way again if it was the probe's. */
  succeeded(): void;
  /** The probe's event is done. Without an answer that settled the matter, the next event probes. */
  probeEnded(): void;
  /** A request failed as a whole for a passing reason. The destination waits after several in a row, or at once when told how long. */
  failed(reason: string, detail: string, retryAfter?: number): void;
  /** The destination cannot work until somebody or something mends it: nothing is sent but probes. */
  fault(reason: string, detail: string, retryAfter?: number): void;
  operatorPause(by: string, at: number): void;
  /** Ends any wait but an operator's pause: the next event goes out at once, as a probe. */
  retryNow(): void;
  /** Ends any pause or wait, an operator's too. */
  resume(): void;
}

/** Weight of the newest request in the share of requests that pass, and the share from which the destination is well. */
const NEWEST = 0.2;
const WELL = 0.7;

/** So many whole-request failures in a row, with nothing passing between, are taken for an outage. */
const OUTAGE_AFTER = 3;

interface Closed {
  readonly state: 'waiting' | 'paused';
  readonly reason: string;
  readonly detail: string;
  /** Epoch ms. */
  readonly since: number;
  /** Steady ms; undefined: until an operator resumes. */
  readonly until: number | undefined;
  readonly probing: boolean;
}

export function createDestinationState(options: {
  readonly retry: { readonly minDelay: number; readonly maxDelay: number };
  readonly clocks: Clocks;
  /** Called after each change of state, with the new status. */
  readonly changed: (status: DestinationStatus) => void;
}): DestinationState {
  const { retry, changed, clocks } = options;
  const { now, steady } = clocks;
  let closed: Closed | undefined;
  /** Failed tries since the last success: grows the wait. */
  let tries = 0;
  let failuresInARow = 0;
  let passing = 1;
  let lastSuccess: { readonly at: number; readonly steady: number } | undefined;

  const status = (): DestinationStatus => ({
    state: closed?.state ?? 'flowing',
    ...(closed && { reason: closed.reason, detail: closed.detail, since: closed.since }),
    ...(closed?.until !== undefined && { nextTryAt: now() + Math.max(0, closed.until - steady()) }),
    ...(lastSuccess !== undefined && { lastSuccessAt: lastSuccess.at }),
  });

  const close = (state: 'waiting' | 'paused', reason: string, detail: string, retryAfter?: number): void => {
    const before = closed;
    if (before !== undefined && before.until === undefined) return;
    // Requests that were under way when the state closed tell nothing new; only a probe's failure counts as another try.
    if (before === undefined || before.probing) tries += 1;
    const wait = Math.max(retryAfter ?? 0, retryAfter === undefined ? ceiling(tries - 1, retry) : 0);
    const until = Math.max(steady() + wait, before?.probing === false ? (before.until ?? 0) : 0);
    closed = { state, reason, detail, since: before?.since ?? now(), until, probing: false };
    if (before?.state !== state || before.reason !== reason) changed(status());
  };

  const retryNow = (): void => {
    if (closed?.until !== undefined) closed = { ...closed, until: steady(), probing: false };
  };

  return {
    permit() {
      if (closed === undefined) return { kind: 'open' };
      if (closed.until === undefined) return { kind: 'wait', ms: Number.POSITIVE_INFINITY };
      if (closed.probing) return { kind: 'wait', ms: retry.maxDelay };
      const ms = Math.min(closed.until - steady(), retry.maxDelay * 12);
      if (ms > 0) return { kind: 'wait', ms };
      closed = { ...closed, probing: true };
      return { kind: 'probe' };
    },
    maySend: () => closed === undefined || closed.probing,
    status,
    isWell: () => passing >= WELL,
    passedSince: (at) => lastSuccess !== undefined && lastSuccess.steady >= at,
    succeeded() {
      lastSuccess = { at: now(), steady: steady() };
      failuresInARow = 0;
      passing += NEWEST * (1 - passing);
      // A late success of a request sent before the trouble does not lift a wait that Adobe asked for.
      if (closed?.probing === false) return;
      tries = 0;
      if (closed === undefined) return;
      closed = undefined;
      changed(status());
    },
    probeEnded() {
      if (closed?.probing === true) closed = { ...closed, probing: false };
    },
    failed(reason, detail, retryAfter) {
      failuresInARow += 1;
      passing -= NEWEST * passing;
      if (closed !== undefined || retryAfter !== undefined || failuresInARow >= OUTAGE_AFTER) {
        close('waiting', reason, detail, retryAfter);
      }
    },
    fault(reason, detail, retryAfter) {
      close('paused', reason, detail, retryAfter);
    },
    operatorPause(by, at) {
      closed = {
        state: 'paused',
        reason: 'operator',
        detail: `paused by ${by}`,
        since: at,
        until: undefined,
        probing: false,
      };
      changed(status());
    },
    retryNow,
    resume() {
      if (closed !== undefined && closed.until === undefined) {
        closed = undefined;
        changed(status());
      } else retryNow();
    },
  };
}
