import type { ItemAnswer } from '../adobe/batch-answer.ts';
import type { Attempt } from '../journal/journal.ts';
import type { MessageOutcome, OutMessage } from './message.ts';
import type { Verdict } from './verdict.ts';

/** One request that was made, and what its answer means. */
export interface Tried {
  readonly verdict: Verdict;
  /** Epoch ms at which it went out. */
  readonly at: number;
  readonly status: number | undefined;
  readonly durationMs: number;
  /** Messages in it. */
  readonly size: number;
}

function attemptOf(message: OutMessage, tried: Tried, outcome: string, xactionId?: string): Attempt {
  const { at, status, verdict, durationMs, size: batchSize } = tried;
  const attempt: { -readonly [Name in keyof Attempt]: Attempt[Name] } = {
    at,
    kind: message.kind,
    outcome,
    durationMs,
    batchSize,
  };
  if (status !== undefined) attempt.status = status;
  if ('detail' in verdict) attempt.detail = verdict.detail;
  if (xactionId !== undefined) attempt.xactionId = xactionId;
  return attempt;
}

/** Nothing was sent, or nothing is known: the event waits and it costs nothing. */
export function held(detail: string): MessageOutcome {
  return { kind: 'held', detail };
}

/** The request went out and the destination was at fault. */
export function heldAfter(
  message: OutMessage,
  tried: Tried,
  detail: string,
  outcome: string,
): MessageOutcome {
  return {
    kind: 'held',
    detail,
    attempt: attemptOf(message, tried, outcome),
  };
}

export function rejected(message: OutMessage, tried: Tried, reason: string, detail: string): MessageOutcome {
  return {
    kind: 'rejected',
    reason,
    detail,
    attempt: attemptOf(message, tried, 'rejected'),
  };
}

export function retried(
  message: OutMessage,
  tried: Tried,
  cause: Pick<Extract<MessageOutcome, { kind: 'retry' }>, 'charged' | 'detail' | 'retryAfter' | 'jitter'>,
): MessageOutcome {
  return { kind: 'retry', ...cause, attempt: attemptOf(message, tried, 'retry') };
}

/** True for an item that failed for a passing reason (adobe.md §2.9, row 207). */
export function isPassing(item: ItemAnswer): boolean {
  return (
    item.kind === 'failed' &&
    (item.status === 429 || item.status === 408 || item.status === 425 || item.status >= 500)
  );
}

/** What one item of a 207, in company of items that were taken or refused for good, means for its message. */
export function itemOutcome(
  message: OutMessage,
  item: Exclude<ItemAnswer, { kind: 'unknown' }>,
  tried: Tried,
): MessageOutcome {
  const base = attemptOf(message, tried, 'delivered', item.xactionId);
  if (item.kind === 'taken') return { kind: 'delivered', attempt: base };
  const detail = `${item.status} ${item.message}`.trim();
  const attempt = { ...base, status: item.status, detail };
  if (isPassing(item)) {
    return {
      kind: 'retry',
      charged: item.status !== 429,
      detail,
      jitter: Math.random(),
      attempt: { ...attempt, outcome: 'retry' },
    };
  }
  const reason = item.status === 413 ? 'too-large' : 'rejected';
  return { kind: 'rejected', reason, detail, attempt: { ...attempt, outcome: 'rejected' } };
}
