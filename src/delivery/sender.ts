import type { ItemAnswer } from '../adobe/inlet/response.ts';
import {
  held,
  heldAfter,
  isTransientFailure,
  itemOutcome,
  type MessageOutcome,
  type OutgoingMessage,
  rejected,
  retried,
  type SentRequest,
} from './outcome.ts';
import { allFailed, isolateCulprit, type SuspectHistory } from './poison.ts';
import { createRequestClient, type RequestParts } from './request.ts';

export interface SenderParts extends RequestParts {
  readonly suspects: SuspectHistory;
  /** ms of a monotonic clock. */
  readonly monotonic: () => number;
}

/** Sends one batch (of one kind). Resolves with one outcome per message, in order. Never throws. */
export type Sender = (batch: readonly OutgoingMessage[], signal: AbortSignal) => Promise<MessageOutcome[]>;

/** Wait after a 429 without Retry-After: docs/platforms/adobe.md#retry-after */
const DEFAULT_THROTTLE_WAIT_MS = 1_000;

export function createSender(parts: SenderParts): Sender {
  const { state, pace, suspects, monotonic } = parts;
  const { request, isAlive } = createRequestClient(parts);

  /** One of these made a request fail: the next requests with them are smaller. */
  const recordSuspects = (batch: readonly OutgoingMessage[]): void =>
    suspects.recordFailure(
      batch.map((message) => message.receipt),
      batch.length,
      monotonic(),
    );

  /** Other messages succeeded since this one failed last, so the fault may be its own. */
  const didOthersSucceed = (message: OutgoingMessage): boolean => {
    const failedAt = suspects.lastFailedAt(message.receipt);
    return failedAt !== undefined && state.hasSucceededSince(failedAt) && state.isHealthy();
  };

  /**
   * Whether the failure is the message's own fault: it was alone, and others succeeded since it
   * failed before. If the message is too old and no others arrive, the destination is probed with
   * an empty batch.
   */
  const isOwnFault = async (
    batch: readonly OutgoingMessage[],
    { verdict }: SentRequest,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const [message] = batch;
    if (message === undefined || batch.length > 1) return false;
    if (didOthersSucceed(message)) return true;
    // An inlet that says it is unavailable is believed, whatever it answers to an empty batch.
    const unclear = verdict.kind === 'transient' && verdict.unclear;
    return message.isExpired && unclear && (await isAlive(message.kind, signal));
  };

  const retryAll = async (
    batch: readonly OutgoingMessage[],
    sent: SentRequest,
    signal: AbortSignal,
    failure: { readonly reason: string; readonly detail: string; readonly retryAfter?: number },
  ): Promise<MessageOutcome[]> => {
    const { reason, detail, retryAfter } = failure;
    const ownFault = await isOwnFault(batch, sent, signal);
    if (!ownFault) state.recordFailure(reason, detail, retryAfter);
    const cause = {
      isOwnFault: ownFault,
      detail,
      jitter: Math.random(),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    };
    const outcomes = batch.map((message) => retried(message, sent, cause));
    recordSuspects(batch);
    return outcomes;
  };

  /** A working inlet refused the request because of its message, or of one of them. */
  const rejectOrRetry = (
    batch: readonly OutgoingMessage[],
    sent: SentRequest,
    detail: string,
  ): MessageOutcome[] => {
    recordSuspects(batch);
    state.recordSuccess();
    const cause = { isOwnFault: false, detail, jitter: Math.random() };
    return batch.map((message) =>
      batch.length === 1 ? rejected(message, sent, 'rejected', detail) : retried(message, sent, cause),
    );
  };

  const sendHalves = async (
    batch: readonly OutgoingMessage[],
    signal: AbortSignal,
  ): Promise<MessageOutcome[]> => {
    const middle = Math.ceil(batch.length / 2);
    const first = await sendWhole(batch.slice(0, middle), signal);
    return [...first, ...(await sendWhole(batch.slice(middle), signal))];
  };

  /**
   * For a message without an item in Adobe's answer. A second copy has the same `_id` and is
   * harmless.
   * Source: docs/platforms/adobe.md#item-matching
   */
  const sendAlone = async (message: OutgoingMessage, signal: AbortSignal): Promise<MessageOutcome> => {
    const sent = await request([message], 'single', signal);
    if (typeof sent === 'string') return held(sent);
    const [outcome] = await outcomesOf([message], sent, signal);
    return outcome ?? held('no outcome');
  };

  const itemOutcomes = async (
    batch: readonly OutgoingMessage[],
    items: readonly ItemAnswer[],
    sent: SentRequest,
    signal: AbortSignal,
  ): Promise<MessageOutcome[]> => {
    if (items.every(isTransientFailure)) {
      // If all items fail in a transient way, the cause is the service and not each message.
      const detail = 'every message of the batch failed for a temporary reason';
      return retryAll(batch, sent, signal, { reason: 'items-failing', detail });
    }
    state.recordSuccess();
    pace.recordAnswer(sent.durationMs);
    const outcomes: MessageOutcome[] = [];
    for (const [position, message] of batch.entries()) {
      const item = items[position];
      outcomes.push(
        item === undefined || item.kind === 'unknown'
          ? await sendAlone(message, signal)
          : itemOutcome(message, item, sent),
      );
    }
    return outcomes;
  };

  const outcomesOf = async (
    batch: readonly OutgoingMessage[],
    sent: SentRequest,
    signal: AbortSignal,
  ): Promise<MessageOutcome[]> => {
    const { verdict } = sent;
    switch (verdict.kind) {
      case 'items':
        return itemOutcomes(batch, verdict.items, sent, signal);
      case 'too-large':
        state.recordSuccess();
        if (batch.length > 1) return sendHalves(batch, signal);
        return batch.map((message) => rejected(message, sent, 'too-large', verdict.detail));
      case 'invalid':
        return rejectOrRetry(batch, sent, verdict.detail);
      case 'unauthorized':
      case 'destination':
        state.pauseForFault(verdict.reason, verdict.detail);
        return batch.map((message) => heldAfter(message, sent, verdict.detail, 'destination'));
      case 'throttled':
        pace.slowDown();
        state.recordFailure('throttled', verdict.detail, verdict.retryAfter ?? DEFAULT_THROTTLE_WAIT_MS);
        return batch.map((message) => heldAfter(message, sent, verdict.detail, 'throttled'));
      case 'transient':
        return retryAll(batch, sent, signal, { ...verdict, reason: 'failing' });
    }
  };

  const sendWhole = async (
    batch: readonly OutgoingMessage[],
    signal: AbortSignal,
  ): Promise<MessageOutcome[]> => {
    const sent = await request(batch, 'batch', signal);
    if (typeof sent === 'string') return batch.map(() => held(sent));
    return outcomesOf(batch, sent, signal);
  };

  /**
   * Isolates a culprit at once if there must be one: a working inlet refused the whole batch, or
   * suspects failed again although others succeeded since they failed before.
   */
  const send: Sender = async (batch, signal) => {
    const failedBefore = batch.map((message) => suspects.lastFailedAt(message.receipt));
    const outcomes = await sendWhole(batch, signal);
    if (batch.length === 1 || !allFailed(outcomes)) return outcomes;
    const hasCulprit = batch.every((message, position) => {
      const failedAt = failedBefore[position] ?? suspects.lastFailedAt(message.receipt);
      return failedAt !== undefined && state.hasSucceededSince(failedAt);
    });
    if (!hasCulprit) return outcomes;
    const found = await isolateCulprit(batch, outcomes, (part) => sendWhole(part, signal));
    if (found.culprit !== undefined) recordSuspects([found.culprit]);
    return found.outcomes;
  };

  return async (batch, signal) => {
    try {
      return await send(batch, signal);
    } catch (error) {
      // Only an aborted signal leads here: the relay is stopping and the events stay pending.
      return batch.map(() => held(error instanceof Error ? error.message : 'stopped'));
    }
  };
}
