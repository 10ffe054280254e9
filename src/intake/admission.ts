import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { StoreConfig } from '../config/config-schema.ts';
import type { ProblemCode } from '../http/problems.ts';
import type { Journal, StoreStatus } from '../journal/journal.ts';

/** Why the intake currently accepts nothing. */
export interface Refusal {
  readonly code: Extract<ProblemCode, 'draining' | 'store-full' | 'store-failing'>;
  readonly detail: string;
  /** For operators: what exactly is wrong. Never part of an answer to a webhook. */
  readonly cause?: string;
  /**
   * Seconds. Short, because Capillary's retries are to be counted in minutes
   * (docs/platforms/capillary.md#patience).
   */
  readonly retryAfter: number;
}

/** Decides whether the relay can store an event durably. */
export interface Admission {
  /** The current refusal, if any. Read before the body of each webhook. */
  refusal(): Refusal | undefined;
  /**
   * Reserves space for a body, or refuses it. The caller must journal the body in the same turn of
   * the event loop. `events` is the number of events in it. Returns a promise only if the store
   * must be checked first, near a watermark, because this runs for every webhook.
   */
  admit(bytes: number, events?: number): Refusal | undefined | Promise<Refusal | undefined>;
  /** Reports that the store refused a write. */
  recordWriteFailure(): void;
  /** True once the relay is shutting down. */
  readonly isDraining: boolean;
  /** Whether it accepts webhooks meanwhile, on connections that it closes after their answers. */
  readonly acceptsWhileDraining: boolean;
}

/** Adds what the relay needs to operate the admission. */
export interface AdmissionControl extends Admission {
  /** Checks the store immediately, then every second until the signal aborts. */
  start(signal: AbortSignal): Promise<void>;
  /** The relay is shutting down: it is not ready, and unless it accepts meanwhile, it refuses. */
  drain(): void;
  /** Result of the last successful check. */
  readonly status: StoreStatus | undefined;
}

/** The limits of the store at which the intake closes. */
export type Watermarks = Pick<StoreConfig, 'maxBytes' | 'minFree'>;

const CHECK_INTERVAL_MS = 1_000;
/** A store that has been silent for longer has not answered the last check. */
const MAX_SILENCE_MS = 2_000;
/**
 * Retry-After of each refusal. None above a minute, the longest wait between two tries
 * (docs/platforms/capillary.md#patience).
 */
const STORE_FULL_RETRY_SECONDS = 30;
const STORE_FAILING_RETRY_SECONDS = 5;
const DRAINING_RETRY_SECONDS = 5;
/** Maximum distance from a watermark at which the intake opens again, so that it does not flap. */
const MAX_HYSTERESIS_BYTES = 4 * 1_024 * 1_024;
/**
 * Size of a row without its body, including the index pages it touches; overestimated on purpose.
 */
const ROW_BYTES = 16_384;

const DRAINING: Refusal = {
  code: 'draining',
  detail: 'try again shortly',
  retryAfter: DRAINING_RETRY_SECONDS,
};
const STORE_FAILING: Refusal = {
  code: 'store-failing',
  detail: 'the store cannot write or does not answer',
  retryAfter: STORE_FAILING_RETRY_SECONDS,
};

function storeFailing({ failure }: StoreStatus): Refusal {
  return failure === undefined ? STORE_FAILING : { ...STORE_FAILING, cause: failure };
}

function storeFull(detail: string): Refusal {
  return { code: 'store-full', detail, retryAfter: STORE_FULL_RETRY_SECONDS };
}

/**
 * Maximum disk space of a body of one or more events, which is in the intake log, in the
 * write-ahead log and in the file at once.
 */
export function worstCaseBytes(bodyBytes: number, events = 1): number {
  return 3 * bodyBytes + events * ROW_BYTES;
}

function hysteresisBytes(watermark: number): number {
  return Math.min(MAX_HYSTERESIS_BYTES, Math.floor(watermark / 64));
}

/**
 * The refusal if `added` bytes would exceed a watermark. `closed`: a watermark has already closed
 * the intake, so it opens only at a distance from it.
 */
function exceededLimit(
  { usedBytes, freeBytes }: StoreStatus,
  { maxBytes, minFree }: Watermarks,
  { added = 0, closed = false }: { readonly added?: number; readonly closed?: boolean } = {},
): Refusal | undefined {
  const maxUsed = maxBytes - (closed ? hysteresisBytes(maxBytes) : 0);
  if (usedBytes + added >= maxUsed) return storeFull('the store has reached store.maxBytes');
  const leastFree = minFree + (closed ? hysteresisBytes(minFree) : 0);
  if (freeBytes - added < leastFree) return storeFull('the volume has less than store.minFree left');
  return undefined;
}

interface AdmissionParts {
  readonly journal: Pick<Journal, 'status'>;
  readonly watermarks: Watermarks;
  readonly onChange: (refusal: Refusal | undefined) => void;
  /** For a store from which other replicas deliver: then a refusal would only delay the event. */
  readonly acceptsWhileDraining?: boolean;
  readonly checkIntervalMs?: number;
}

/**
 * Closes the intake before the disk is full and while the store fails, and opens it again when
 * possible. Between two checks it adds up the maximum size of the admitted bodies, and it checks at
 * once if they could exceed a watermark, so that a burst cannot overrun it.
 */
export function createAdmissionControl({
  journal,
  watermarks,
  onChange,
  acceptsWhileDraining = false,
  checkIntervalMs = CHECK_INTERVAL_MS,
}: AdmissionParts): AdmissionControl {
  let status: StoreStatus | undefined;
  let refusal: Refusal | undefined;
  let draining = false;
  /** Bytes reserved for bodies that the last check did not count yet. */
  let reserved = 0;
  let checking: Promise<void> | undefined;

  const setRefusal = (next: Refusal | undefined): void => {
    const before = refusal?.code;
    refusal = next;
    if (next?.code !== before) onChange(next);
  };

  const checkNow = async (): Promise<void> => {
    const counted = reserved;
    // By the next turn every admitted body has reached the journal, so its result includes them.
    await nextTurn();
    const next = await journal.status();
    // Of a store that does not answer, this is an earlier state, without the bodies since.
    if (next.silentFor < MAX_SILENCE_MS) reserved -= counted;
    status = next;
    const isFull = refusal?.code === 'store-full';
    setRefusal(next.isWritable ? exceededLimit(next, watermarks, { closed: isFull }) : storeFailing(next));
  };

  const check = (): Promise<void> => {
    checking ??= checkNow().finally(() => {
      checking = undefined;
    });
    return checking;
  };

  const checkRegularly = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await sleep(checkIntervalMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await check();
    }
  };

  const refusalWith = (cost: number): Refusal | undefined =>
    status === undefined ? STORE_FAILING : exceededLimit(status, watermarks, { added: reserved + cost });

  const reserve = (cost: number): Refusal | undefined => {
    if (refusal !== undefined) return refusal;
    const exceeded = refusalWith(cost);
    if (exceeded === undefined) reserved += cost;
    else setRefusal(exceeded);
    return exceeded;
  };

  return {
    async start(signal) {
      await check();
      void checkRegularly(signal);
    },
    drain() {
      draining = true;
    },
    refusal: () => (draining ? DRAINING : refusal),
    admit(bytes, events) {
      const cost = worstCaseBytes(bytes, events);
      // The cost is an overestimate; a check measures how much space was really used.
      return refusal === undefined && refusalWith(cost) !== undefined
        ? check().then(() => reserve(cost))
        : reserve(cost);
    },
    recordWriteFailure() {
      void check();
    },
    get isDraining() {
      return draining;
    },
    acceptsWhileDraining,
    get status() {
      return status;
    },
  };
}
