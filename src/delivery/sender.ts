import type { ItemAnswer } from '../adobe/batch-answer.ts';
import { allFailed, isolate } from './isolate.ts';
import type { MessageOutcome, OutMessage } from './message.ts';
import { held, heldAfter, isPassing, itemOutcome, rejected, retried, type Tried } from './outcomes.ts';
import { createRequest, type RequestParts } from './request.ts';
import type { Suspicion } from './suspicion.ts';

export interface SenderParts extends RequestParts {
  readonly suspicion: Suspicion;
  /** ms of a clock that only runs. */
  readonly steady: () => number;
}

/** Sends one batch (all of one kind) and says what became of each message, in order. Never throws. */
export type Sender = (batch: readonly OutMessage[], signal: AbortSignal) => Promise<MessageOutcome[]>;

/** A 429 without Retry-After still slows everybody for so long (adobe.md §2.9). ms. */
const THROTTLE_WAIT = 1_000;

export function createSender(parts: SenderParts): Sender {
  const { state, pace, suspicion, steady } = parts;
  const { request, isAlive } = createRequest(parts);

  /** One of these made a request fail: next time they go in smaller company. */
  const suspect = (batch: readonly OutMessage[]): void =>
    suspicion.failed(
      batch.map((message) => message.receipt),
      batch.length,
      steady(),
    );

  /** Others were taken since this message was last in a failing request, as most requests are: the fault may be its own. */
  const othersPassed = (message: OutMessage): boolean => {
    const failedAt = suspicion.failedAt(message.receipt);
    return failedAt !== undefined && state.passedSince(failedAt) && state.isWell();
  };

  /**
   * Is the failure the message's own? It is when the message was alone and others passed since it failed before. When it is too old, and nothing
   * else comes that could pass, the destination is asked with an empty batch.
   */
  const isOwnFault = async (
    batch: readonly OutMessage[],
    { verdict }: Tried,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const [message] = batch;
    if (message === undefined || batch.length > 1) return false;
    if (othersPassed(message)) return true;
    // An inlet that says it is unavailable is believed, whatever it answers to an empty batch.
    const unclear = verdict.kind === 'transient' && verdict.unclear;
    return message.expired && unclear && (await isAlive(message.kind, signal));
  };

  const failAll = async (
    batch: readonly OutMessage[],
    tried: Tried,
    signal: AbortSignal,
    trouble: { readonly reason: string; readonly detail: string; readonly retryAfter?: number },
  ): Promise<MessageOutcome[]> => {
    const { reason, detail, retryAfter } = trouble;
    const charged = await isOwnFault(batch, tried, signal);
    if (!charged) state.failed(reason, detail, retryAfter);
    const cause = { detail, jitter: Math.random(), ...(retryAfter === undefined ? {} : { retryAfter }) };
    const outcomes = batch.map((message) => retried(message, tried, { charged, ...cause }));
    suspect(batch);
    return outcomes;
  };

  /** The inlet is well and finds fault with the request: with its message, or with one of them. */
  const refuse = (batch: readonly OutMessage[], tried: Tried, detail: string): MessageOutcome[] => {
    suspect(batch);
    state.succeeded();
    const cause = { charged: false, detail, jitter: Math.random() };
    return batch.map((message) =>
      batch.length === 1 ? rejected(message, tried, 'rejected', detail) : retried(message, tried, cause),
    );
  };

  const inHalves = async (batch: readonly OutMessage[], signal: AbortSignal): Promise<MessageOutcome[]> => {
    const middle = Math.ceil(batch.length / 2);
    const first = await sendWhole(batch.slice(0, middle), signal);
    return [...first, ...(await sendWhole(batch.slice(middle), signal))];
  };

  /** For a message that Adobe's answer said nothing of (adobe.md §2.5, rule c). The same `_id` makes a second copy harmless. */
  const sendAlone = async (message: OutMessage, signal: AbortSignal): Promise<MessageOutcome> => {
    const tried = await request([message], 'single', signal);
    if (typeof tried === 'string') return held(tried);
    const [outcome] = await judge([message], tried, signal);
    return outcome ?? held('no outcome');
  };

  const readItems = async (
    batch: readonly OutMessage[],
    items: readonly ItemAnswer[],
    tried: Tried,
    signal: AbortSignal,
  ): Promise<MessageOutcome[]> => {
    if (items.every(isPassing)) {
      // All of them failing the same passing way is the service's trouble, not that of each message.
      const detail = 'every message of the batch failed for a passing reason';
      return failAll(batch, tried, signal, { reason: 'items-failing', detail });
    }
    state.succeeded();
    pace.answered(tried.durationMs);
    const outcomes: MessageOutcome[] = [];
    for (const [position, message] of batch.entries()) {
      const item = items[position];
      outcomes.push(
        item === undefined || item.kind === 'unknown'
          ? await sendAlone(message, signal)
          : itemOutcome(message, item, tried),
      );
    }
    return outcomes;
  };

  const judge = async (
    batch: readonly OutMessage[],
    tried: Tried,
    signal: AbortSignal,
  ): Promise<MessageOutcome[]> => {
    const { verdict } = tried;
    switch (verdict.kind) {
      case 'items':
        return readItems(batch, verdict.items, tried, signal);
      case 'too-large':
        state.succeeded();
        if (batch.length > 1) return inHalves(batch, signal);
        return batch.map((message) => rejected(message, tried, 'too-large', verdict.detail));
      case 'invalid':
        return refuse(batch, tried, verdict.detail);
      case 'unauthorized':
      case 'destination':
        state.fault(verdict.reason, verdict.detail);
        return batch.map((message) => heldAfter(message, tried, verdict.detail, 'destination'));
      case 'throttled':
        pace.slower();
        state.failed('throttled', verdict.detail, verdict.retryAfter ?? THROTTLE_WAIT);
        return batch.map((message) => heldAfter(message, tried, verdict.detail, 'throttled'));
      case 'transient':
        return failAll(batch, tried, signal, { ...verdict, reason: 'failing' });
    }
  };

  const sendWhole = async (batch: readonly OutMessage[], signal: AbortSignal): Promise<MessageOutcome[]> => {
    const tried = await request(batch, 'batch', signal);
    if (typeof tried === 'string') return batch.map(() => held(tried));
    return judge(batch, tried, signal);
  };

  /**
   * A batch holds a culprit when it is refused as a whole by an inlet that is well, or when suspects fail again while others have passed since
   * they failed before: it is looked for at once.
   */
  const send: Sender = async (batch, signal) => {
    const failedBefore = batch.map((message) => suspicion.failedAt(message.receipt));
    const outcomes = await sendWhole(batch, signal);
    if (batch.length === 1 || !allFailed(outcomes)) return outcomes;
    const proven = batch.every((message, position) => {
      const failedAt = failedBefore[position] ?? suspicion.failedAt(message.receipt);
      return failedAt !== undefined && state.passedSince(failedAt);
    });
    if (!proven) return outcomes;
    const found = await isolate(batch, outcomes, (part) => sendWhole(part, signal));
    if (found.culprit !== undefined) suspect([found.culprit]);
    return found.outcomes;
  };

  return async (batch, signal) => {
    try {
      return await send(batch, signal);
    } catch (error) {
      // Only an aborted signal ends up here: the relay is stopping and the events stay journaled.
      return batch.map(() => held(error instanceof Error ? error.message : 'stopped'));
    }
  };
}
