import type { ItemResult } from '../adobe/inlet/response.ts';
import {
  heldOutcome,
  heldRequestOutcome,
  isTransientFailure,
  itemOutcome,
  type MessageOutcome,
  type OutgoingMessage,
  rejectedOutcome,
  retryOutcome,
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
  const { request, probeInlet } = createRequestClient(parts);

  /** One of these made a request fail, so their next requests are smaller. */
  const recordSuspects = (batch: readonly OutgoingMessage[]): void =>
    suspects.recordFailure(
      batch.map((message) => message.receipt),
      batch.length,
      monotonic(),
    );

  /** Others succeeded since this message last failed, so the fault may be its own. */
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
    // An inlet that reports itself unavailable is not probed: an empty batch may succeed all the
    // same.
    const isAmbiguous = verdict.kind === 'transient' && verdict.isAmbiguous;
    return message.isExpired && isAmbiguous && (await probeInlet(message.kind, signal));
  };

  const retryAll = async (
    batch: readonly OutgoingMessage[],
    sent: SentRequest,
    signal: AbortSignal,
    failure: { readonly reason: string; readonly detail: string; readonly retryAfterMs?: number },
  ): Promise<MessageOutcome[]> => {
    const { reason, detail, retryAfterMs } = failure;
    const ownFault = await isOwnFault(batch, sent, signal);
    if (!ownFault) state.recordFailure(reason, detail, retryAfterMs);
    const cause = {
      isOwnFault: ownFault,
      detail,
      jitter: Math.random(),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    const outcomes = batch.map((message) => retryOutcome(message, sent, cause));
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
      batch.length === 1
        ? rejectedOutcome(message, sent, 'rejected', detail)
        : retryOutcome(message, sent, cause),
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
   * For a message without an item in Adobe's response. A second copy has the same `_id` and is
   * harmless.
   * Source: docs/platforms/adobe.md#item-matching
   */
  const sendAlone = async (message: OutgoingMessage, signal: AbortSignal): Promise<MessageOutcome> => {
    const sent = await request([message], 'single', signal);
    if (typeof sent === 'string') return heldOutcome(sent);
    const [outcome] = await outcomesOf([message], sent, signal);
    return outcome ?? heldOutcome('no outcome');
  };

  const itemOutcomes = async (
    batch: readonly OutgoingMessage[],
    items: readonly ItemResult[],
    sent: SentRequest,
    signal: AbortSignal,
  ): Promise<MessageOutcome[]> => {
    if (items.every(isTransientFailure)) {
      // If all items fail in a transient way, the cause is the service and not each message.
      const detail = 'every message of the batch failed for a temporary reason';
      return retryAll(batch, sent, signal, { reason: 'items-failing', detail });
    }
    state.recordSuccess();
    pace.recordResponse(sent.durationMs);
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
        return batch.map((message) => rejectedOutcome(message, sent, 'too-large', verdict.detail));
      case 'invalid':
        return rejectOrRetry(batch, sent, verdict.detail);
      case 'unauthorized':
      case 'destination':
        state.pauseForFault(verdict.reason, verdict.detail);
        return batch.map((message) => heldRequestOutcome(message, sent, verdict.detail, 'destination'));
      case 'throttled':
        pace.slowDown();
        state.recordFailure('throttled', verdict.detail, verdict.retryAfterMs ?? DEFAULT_THROTTLE_WAIT_MS);
        return batch.map((message) => heldRequestOutcome(message, sent, verdict.detail, 'throttled'));
      case 'transient':
        return retryAll(batch, sent, signal, { ...verdict, reason: 'failing' });
    }
  };

  const sendWhole = async (
    batch: readonly OutgoingMessage[],
    signal: AbortSignal,
  ): Promise<MessageOutcome[]> => {
    const sent = await request(batch, 'batch', signal);
    if (typeof sent === 'string') return batch.map(() => heldOutcome(sent));
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
      return batch.map(() => heldOutcome(error instanceof Error ? error.message : 'stopped'));
    }
  };
}
