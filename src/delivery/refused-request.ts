import type { MessageOutcome, OutgoingMessage } from './outcome.ts';
import { allFailed, isolateCulprit } from './poison.ts';
import { type Refusals, SEVERAL_CUSTOMERS } from './refusals.ts';

/** Messages of different customers, from all over the batch. */
function witnessesOf(batch: readonly OutgoingMessage[]): readonly OutgoingMessage[] {
  const step = Math.max(1, (batch.length - 1) / (SEVERAL_CUSTOMERS - 1));
  const positions = Array.from({ length: SEVERAL_CUSTOMERS }, (_, index) => Math.round(index * step));
  return batch.filter((_, position) => positions.includes(position));
}

/**
 * Locates the cause of a request that Adobe refused as a whole, if it is a message. A few messages
 * are sent by themselves first: only if one passes is the rest worth halving. If none does, the
 * flow is probably at fault, and what was not sent by itself is held.
 * Source: docs/platforms/adobe.md#everything-refused
 * @param refused the outcomes of the refusal, in order
 * @param hold the outcome of a message that is not sent again
 * @param sendPart sends a request with these messages
 */
export async function isolateRefused(
  batch: readonly OutgoingMessage[],
  refused: readonly MessageOutcome[],
  parts: {
    /** Monotonic ms at which Adobe refused the batch. */
    readonly refusedAt: number;
    readonly refusals: Pick<Refusals, 'hasPassedSince'>;
    readonly hold: (message: OutgoingMessage) => MessageOutcome;
    readonly sendPart: (part: readonly OutgoingMessage[]) => Promise<MessageOutcome[]>;
  },
): Promise<MessageOutcome[]> {
  const { refusedAt, refusals, hold, sendPart } = parts;
  const kind = batch[0]?.kind ?? 'event';
  const latest = new Map(batch.map((message, position) => [message, refused[position] ?? hold(message)]));
  const latestOf = (message: OutgoingMessage): MessageOutcome => latest.get(message) ?? hold(message);
  const send = async (part: readonly OutgoingMessage[]): Promise<MessageOutcome[]> => {
    const outcomes = await sendPart(part);
    part.forEach((message, position) => latest.set(message, outcomes[position] ?? hold(message)));
    return outcomes;
  };
  const havePassed = (): boolean => refusals.hasPassedSince(kind, refusedAt);

  const sentAlone = new Set<OutgoingMessage>();
  let isCulpritFound = false;
  for (const witness of witnessesOf(batch)) {
    if (havePassed()) break;
    const [outcome] = await send([witness]);
    sentAlone.add(witness);
    isCulpritFound ||= outcome?.kind === 'rejected';
  }
  const rest = batch.filter((message) => !sentAlone.has(message));
  if (!havePassed()) for (const message of rest) latest.set(message, hold(message));
  else if (isCulpritFound || rest.length === 1) {
    const outcomes = await send(rest);
    if (rest.length > 1 && allFailed(outcomes)) await isolateCulprit(rest, outcomes, send);
  } else if (rest.length > 1) await isolateCulprit(rest, rest.map(latestOf), send);
  return batch.map(latestOf);
}
