import type { ItemResult } from '../adobe/inlet/response.ts';
import type { Attempt, InletRequest, MessageKind } from '../journal/journal.ts';
import type { Verdict } from './verdict.ts';

/** One serialized message that is to be sent to the inlet. */
export interface OutgoingMessage {
  readonly receipt: string;
  readonly source: string;
  readonly kind: MessageKind;
  /** Epoch ms at which its event was received. */
  readonly receivedAt: number;
  /** Its customer; absent for an event without one. */
  readonly lane?: string | undefined;
  /** JSON text of `{header, body}`. */
  readonly json: string;
  /** UTF-8 bytes of `json`. */
  readonly bytes: number;
  /** It was in a request that failed as a whole, so it may be the cause. */
  readonly isSuspect: boolean;
  /** Time since the event was received. */
  readonly ageMs: number;
  /** See NewEvent. */
  readonly traceparent?: string | undefined;
  /** The event is older than `retry.maxAge`. */
  readonly isExpired: boolean;
}

/** The outcome of one attempt to deliver a message. Without `attempt` nothing was sent. */
export type MessageOutcome =
  | { readonly kind: 'delivered'; readonly attempt: Attempt }
  /** The message's own fault: it will never be accepted. */
  | {
      readonly kind: 'rejected';
      readonly reason: string;
      readonly detail: string;
      readonly attempt?: Attempt;
    }
  /** Failed and to be retried. */
  | {
      readonly kind: 'retry';
      /** The failure is attributed to the message. */
      readonly isOwnFault: boolean;
      readonly detail: string;
      readonly retryAfterMs?: number;
      /**
       * The event itself waits longer with each of its failures, unless its request failed as a
       * whole: then `short`, as after the first one, or `none`, because the destination waits.
       */
      readonly ownWait?: 'short' | 'none';
      /**
       * In [0, 1): the jitter of the wait. The messages of a failed request share one, so that they
       * come due together.
       */
      readonly jitter: number;
      readonly attempt: Attempt;
    }
  /** The destination's fault: does not count as a failed attempt of the event. */
  | { readonly kind: 'held'; readonly detail: string; readonly attempt?: Attempt };

/** A sent request and the meaning of its response. */
export interface SentRequest {
  readonly verdict: Verdict;
  /** What is recorded of it. */
  readonly request: InletRequest;
  /** Monotonic ms at which it was sent. */
  readonly sentAt: number;
  /**
   * The token was refused and could not be replaced; the destination has stopped for that reason.
   */
  readonly isEcho?: true;
}

function attemptOf({ request, verdict }: SentRequest, outcome: string, xactionId?: string): Attempt {
  const attempt: { -readonly [Name in keyof Attempt]: Attempt[Name] } = { request, outcome };
  if ('detail' in verdict) attempt.detail = verdict.detail;
  if (xactionId !== undefined) attempt.xactionId = xactionId;
  return attempt;
}

/** Nothing was sent, or the outcome is unknown. */
export function heldOutcome(detail: string): MessageOutcome {
  return { kind: 'held', detail };
}

/** The request was sent and failed through the destination's fault. */
export function heldRequestOutcome(request: SentRequest, detail: string, outcome: string): MessageOutcome {
  return {
    kind: 'held',
    detail,
    attempt: attemptOf(request, outcome),
  };
}

export function rejectedOutcome(request: SentRequest, reason: string, detail: string): MessageOutcome {
  return {
    kind: 'rejected',
    reason,
    detail,
    attempt: attemptOf(request, 'rejected'),
  };
}

export function retryOutcome(
  request: SentRequest,
  cause: Omit<Extract<MessageOutcome, { kind: 'retry' }>, 'kind' | 'attempt'>,
): MessageOutcome {
  return { kind: 'retry', ...cause, attempt: attemptOf(request, 'retry') };
}

/** True for an item that can succeed when retried: docs/platforms/adobe.md#retries */
export function isTransientFailure(item: ItemResult): boolean {
  return (
    item.kind === 'failed' &&
    (item.status === 429 || item.status === 408 || item.status === 425 || item.status >= 500)
  );
}

/** An item that says what happened to its message. */
export type KnownItem = Extract<ItemResult, { kind: 'taken' | 'failed' }>;

/**
 * The outcome of one message of a 207 in which not every item failed temporarily.
 * @param isAnyTaken whether another item was taken, so that a failure can be the message's own
 */
export function itemOutcome(item: KnownItem, request: SentRequest, isAnyTaken: boolean): MessageOutcome {
  const base = attemptOf(request, 'delivered', item.xactionId);
  if (item.kind === 'taken') return { kind: 'delivered', attempt: base };
  const detail = `${item.status} ${item.message}`.trim();
  const attempt = { ...base, itemStatus: item.status, detail };
  if (isTransientFailure(item)) {
    return {
      kind: 'retry',
      isOwnFault: isAnyTaken && item.status !== 429,
      detail,
      jitter: Math.random(),
      attempt: { ...attempt, outcome: 'retry' },
    };
  }
  const reason = item.status === 413 ? 'too-large' : 'rejected';
  return { kind: 'rejected', reason, detail, attempt: { ...attempt, outcome: 'rejected' } };
}
