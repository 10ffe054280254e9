import {
  heldOutcome,
  heldRequestOutcome,
  type MessageOutcome,
  type OutgoingMessage,
  type SentRequest,
} from './outcome.ts';
import { allFailed, isolateCulprit } from './poison.ts';
import { isolateRefused } from './refused-request.ts';
import { createRequestClient } from './request.ts';
import { createRequestOutcomes, type OutcomeParts } from './request-outcomes.ts';

/**
 * Sends one batch (of one kind). Resolves with one outcome per message, in order, when no more
 * requests are needed; an outcome may depend on requests of others and follow later. Never throws.
 */
export type Sender = (
  batch: readonly OutgoingMessage[],
  signal: AbortSignal,
) => Promise<(MessageOutcome | Promise<MessageOutcome>)[]>;

export function createSender(parts: OutcomeParts): Sender {
  const { state, suspects, refusals, monotonic } = parts;
  const client = createRequestClient(parts);
  const { outcomesOf, sendPart, recordSuspects } = createRequestOutcomes(parts, client);

  const isolateAll = async (
    batch: readonly OutgoingMessage[],
    sent: SentRequest,
    refused: readonly MessageOutcome[],
    signal: AbortSignal,
  ): Promise<MessageOutcome[]> => {
    const detail = refused[0]?.kind === 'retry' ? refused[0].detail : '';
    return isolateRefused(batch, refused, {
      refusedAt: monotonic(),
      refusals,
      hold: () => heldRequestOutcome(sent, detail, 'destination'),
      sendPart: (part) => sendPart(part, signal),
    });
  };

  /**
   * Isolates a culprit at once if there must be one: suspects failed again although others
   * succeeded since they failed before. What Adobe refuses as a whole is tried in parts.
   */
  const send = async (batch: readonly OutgoingMessage[], signal: AbortSignal): Promise<MessageOutcome[]> => {
    const failedBefore = batch.map((message) => suspects.lastFailedAt(message.receipt));
    const sent = await client.request(batch, 'batch', signal);
    if (typeof sent === 'string') return batch.map(() => heldOutcome(sent));
    const outcomes = await outcomesOf(batch, sent, signal);
    if (batch.length === 1 || !allFailed(outcomes)) return outcomes;
    if (sent.verdict.kind === 'invalid') return isolateAll(batch, sent, outcomes, signal);
    const hasCulprit = batch.every((message, position) => {
      const failedAt = failedBefore[position] ?? suspects.lastFailedAt(message.receipt);
      return failedAt !== undefined && state.hasSucceededSince(failedAt);
    });
    if (!hasCulprit) return outcomes;
    const found = await isolateCulprit(batch, outcomes, (part) => sendPart(part, signal));
    if (found.culprit !== undefined) recordSuspects([found.culprit]);
    return found.outcomes;
  };

  return async (batch, signal) => {
    try {
      const outcomes = await send(batch, signal);
      return outcomes.map((outcome, position) => {
        const message = batch[position];
        const isRefused = outcome.kind === 'rejected' && outcome.reason === 'rejected';
        return isRefused && message !== undefined ? refusals.decide(message, outcome) : outcome;
      });
    } catch (error) {
      // Only an aborted signal leads here: the relay is stopping and the events stay pending.
      return batch.map(() => heldOutcome(error instanceof Error ? error.message : 'stopped'));
    }
  };
}
