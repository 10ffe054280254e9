import type { ItemResult } from '../adobe/inlet/response.ts';
import {
  heldOutcome,
  heldRequestOutcome,
  isTransientFailure,
  itemOutcome,
  type KnownItem,
  type MessageOutcome,
  type OutgoingMessage,
  rejectedOutcome,
  retryOutcome,
  type SentRequest,
} from './outcome.ts';
import type { SuspectHistory } from './poison.ts';
import type { Refusals } from './refusals.ts';
import type { RequestClient, RequestParts } from './request.ts';
import { isFaultOfFlow } from './verdict.ts';

export interface OutcomeParts extends RequestParts {
  readonly suspects: SuspectHistory;
  readonly refusals: Refusals;
  /** Called after the state has learnt that Adobe throttles. */
  readonly onThrottled: () => void;
}

/** Smaller messages cannot exceed Adobe's limit: docs/platforms/adobe.md#request-limits */
const NEAR_LIMIT_BYTES = 900_000;

/** Whether the item settles its message; a 413 of a small message does not. */
function isKnown(item: ItemResult, { bytes }: OutgoingMessage): item is KnownItem {
  if (item.kind === 'failed') return item.status !== 413 || bytes >= NEAR_LIMIT_BYTES;
  return item.kind === 'taken';
}

/** Sends requests and judges their answers, without looking for the cause of a failure. */
export interface RequestOutcomes {
  /** The outcomes of the messages of a request that was sent, in order. */
  readonly outcomesOf: (
    batch: readonly OutgoingMessage[],
    sent: SentRequest,
    signal: AbortSignal,
  ) => Promise<MessageOutcome[]>;
  /** Sends one request with these messages. */
  readonly sendPart: (part: readonly OutgoingMessage[], signal: AbortSignal) => Promise<MessageOutcome[]>;
  /** One of these made a request fail, so their next requests are smaller. */
  readonly recordSuspects: (batch: readonly OutgoingMessage[]) => void;
}

export function createRequestOutcomes(parts: OutcomeParts, client: RequestClient): RequestOutcomes {
  const { state, pace, suspects, refusals, monotonic } = parts;
  const { request, probeInlet } = client;

  const recordSuspects = (batch: readonly OutgoingMessage[]): void =>
    suspects.recordFailure(
      batch.map((message) => message.receipt),
      batch.length,
      monotonic(),
    );

  const recordPass = ([message]: readonly OutgoingMessage[], { sentAt }: SentRequest): void => {
    if (message === undefined) return;
    state.recordSuccess(message.kind);
    refusals.notePass(message.kind, sentAt);
  };

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
    const ownWait = state.status().state === 'flowing' ? 'short' : 'none';
    const cause = {
      isOwnFault: ownFault,
      detail,
      ...(ownFault ? {} : ({ ownWait } as const)),
      jitter: Math.random(),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
    const outcomes = batch.map(() => retryOutcome(sent, cause));
    recordSuspects(batch);
    return outcomes;
  };

  /** Adobe's own document refuses the request because of its message, or of one of them. */
  const refuse = (batch: readonly OutgoingMessage[], sent: SentRequest, detail: string): MessageOutcome[] => {
    state.recordRefusal();
    recordSuspects(batch);
    const [message] = batch;
    if (batch.length === 1 && message !== undefined) {
      refusals.noteMessage(message, monotonic(), detail);
      return [rejectedOutcome(sent, 'rejected', detail)];
    }
    refusals.noteRequest(batch, monotonic());
    const cause = { isOwnFault: false, detail, jitter: Math.random() };
    return batch.map(() => retryOutcome(sent, cause));
  };

  /**
   * The answer says nothing about the messages, so the destination pauses. A message that is
   * answered so by itself while others pass waits by itself.
   */
  const holdForeign = (
    batch: readonly OutgoingMessage[],
    sent: SentRequest,
    detail: string,
  ): MessageOutcome[] => {
    const [message] = batch;
    const isOnlyThis = batch.length === 1 && message !== undefined && didOthersSucceed(message);
    recordSuspects(batch);
    if (isOnlyThis && state.status().state === 'flowing') {
      // Even so it does not hold up its customer for ever.
      const cause = { isOwnFault: message.isExpired, detail, jitter: Math.random() };
      return [retryOutcome(sent, cause)];
    }
    state.pauseForFault('foreign-answer', detail);
    return batch.map(() => heldRequestOutcome(sent, detail, 'destination'));
  };

  /** A 413: only a message of almost the size of a whole request can be too large by itself. */
  const shrink = async (
    batch: readonly OutgoingMessage[],
    sent: SentRequest,
    detail: string,
    signal: AbortSignal,
  ): Promise<MessageOutcome[]> => {
    if (batch.length > 1) {
      recordSuspects(batch);
      return sendHalves(batch, signal);
    }
    const bytes = batch[0]?.bytes ?? 0;
    if (bytes < NEAR_LIMIT_BYTES) {
      return holdForeign(batch, sent, `${detail} (to a message of ${bytes} bytes)`);
    }
    state.recordAnswer();
    return batch.map(() => rejectedOutcome(sent, 'too-large', detail));
  };

  const throttle = (
    batch: readonly OutgoingMessage[],
    sent: SentRequest,
    detail: string,
    retryAfterMs?: number,
  ): MessageOutcome[] => {
    pace.slowDown();
    state.recordThrottling(detail, retryAfterMs);
    parts.onThrottled();
    return batch.map(() => heldRequestOutcome(sent, detail, 'throttled'));
  };

  const sendPart = async (
    part: readonly OutgoingMessage[],
    signal: AbortSignal,
  ): Promise<MessageOutcome[]> => {
    const sent = await request(part, 'batch', signal);
    return typeof sent === 'string' ? part.map(() => heldOutcome(sent)) : outcomesOf(part, sent, signal);
  };

  const sendHalves = async (
    batch: readonly OutgoingMessage[],
    signal: AbortSignal,
  ): Promise<MessageOutcome[]> => {
    const middle = Math.ceil(batch.length / 2);
    const first = await sendPart(batch.slice(0, middle), signal);
    return [...first, ...(await sendPart(batch.slice(middle), signal))];
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
    if (items.every((item) => item.kind === 'failed' && item.status === 429)) {
      return throttle(batch, sent, '429 for every message of the batch');
    }
    if (items.every(isTransientFailure)) {
      // If all items fail in a transient way, the cause is the service and not each message.
      const detail = 'every message of the batch failed for a temporary reason';
      return retryAll(batch, sent, signal, { reason: 'items-failing', detail });
    }
    const isAnyTaken = items.some((item) => item.kind === 'taken');
    if (isAnyTaken) recordPass(batch, sent);
    else state.recordRefusal();
    pace.recordResponse(sent.request.durationMs);
    const outcomes: MessageOutcome[] = [];
    const resent: number[] = [];
    for (const [position, message] of batch.entries()) {
      const item = items[position];
      if (item === undefined || !isKnown(item, message)) {
        resent.push(position);
        continue;
      }
      const outcome = itemOutcome(item, sent, isAnyTaken);
      outcomes[position] = outcome;
      if (outcome.kind !== 'rejected') continue;
      if (isAnyTaken) refusals.noteOwnFault(message);
      else refusals.noteMessage(message, monotonic(), outcome.detail);
    }
    for (const position of resent) {
      const message = batch[position];
      if (message !== undefined) outcomes[position] = await sendAlone(message, signal);
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
        return shrink(batch, sent, verdict.detail, signal);
      case 'invalid':
        return refuse(batch, sent, verdict.detail);
      case 'foreign':
        return holdForeign(batch, sent, verdict.detail);
      case 'unauthorized':
      case 'destination':
        if (sent.isEcho !== true)
          state.pauseForFault(
            verdict.reason,
            verdict.detail,
            isFaultOfFlow(verdict.reason) && batch[0] ? { kind: batch[0].kind } : {},
          );
        return batch.map(() => heldRequestOutcome(sent, verdict.detail, 'destination'));
      case 'unsent':
        // Says nothing about the messages, and their next requests can be as large as this one.
        state.recordFailure(verdict.reason, verdict.detail);
        return batch.map(() => heldRequestOutcome(sent, verdict.detail, 'destination'));
      case 'throttled':
        return throttle(batch, sent, verdict.detail, verdict.retryAfterMs);
      case 'transient':
        return retryAll(batch, sent, signal, { ...verdict, reason: 'failing' });
    }
  };

  return { outcomesOf, sendPart, recordSuspects };
}
