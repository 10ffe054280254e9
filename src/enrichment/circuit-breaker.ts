import type { StageClock } from './stage-clock.ts';

/** Whether the API is asked at all. */
export interface CircuitStatus {
  readonly state: 'closed' | 'open';
  /** Epoch ms since when. */
  readonly since: number;
  /** Of an open one: what failed last, without secrets or personal data. */
  readonly reason?: string;
}

export interface CircuitOptions {
  readonly clock: StageClock;
  /** A call that any answer of Capillary makes a success. Never rejects. */
  readonly probe: () => Promise<boolean>;
  readonly onChange: (status: CircuitStatus) => void;
  /** A number in [0, 1). */
  readonly jitter: () => number;
}

/**
 * Stops the calls after failures in a row that are the API's, and asks with a probe from time to
 * time whether it is back. So nobody waits for an API that is away, and it can recover.
 */
export interface CircuitBreaker {
  readonly status: CircuitStatus;
  readonly isOpen: boolean;
  /** Capillary has answered, be it with a refusal. */
  succeeded(): void;
  /** @param isLasting no other call can succeed either: the credentials are refused */
  failed(reason: string, isLasting: boolean): void;
  close(): void;
}

/** Less can be one customer whose data cannot be read. */
const FAILURES_TO_OPEN = 5;
const FIRST_PROBE_MS = 5_000;
const MAX_PROBE_MS = 60_000;

export function createCircuitBreaker({ clock, probe, onChange, jitter }: CircuitOptions): CircuitBreaker {
  let status: CircuitStatus = { state: 'closed', since: clock.now() };
  let failures = 0;
  /** Openings without a success in between. */
  let openings = 0;
  let isClosed = false;
  let cancelProbe: (() => void) | undefined;

  const change = (next: CircuitStatus): void => {
    status = next;
    onChange(next);
  };

  const planProbe = (): void => {
    const ms = Math.min(MAX_PROBE_MS, FIRST_PROBE_MS * 2 ** Math.min(openings - 1, 10));
    cancelProbe = clock.after(ms * (0.75 + jitter() / 2), () => void ask());
  };

  const ask = async (): Promise<void> => {
    const isBack = await probe();
    if (isClosed || status.state === 'closed') return;
    openings += 1;
    if (!isBack) {
      planProbe();
      return;
    }
    // What failed may be another resource than the one of the probe: its next failure opens again.
    failures = FAILURES_TO_OPEN - 1;
    change({ state: 'closed', since: clock.now() });
  };

  return {
    get status() {
      return status;
    },
    get isOpen() {
      return status.state === 'open';
    },
    succeeded() {
      failures = 0;
      if (status.state === 'closed') openings = 0;
    },
    failed(reason, isLasting) {
      failures += 1;
      if (isClosed || status.state === 'open' || (failures < FAILURES_TO_OPEN && !isLasting)) return;
      openings = Math.max(1, openings);
      change({ state: 'open', since: clock.now(), reason });
      planProbe();
    },
    close() {
      isClosed = true;
      cancelProbe?.();
    },
  };
}
