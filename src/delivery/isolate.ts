import type { MessageOutcome, OutMessage } from './message.ts';
import { held } from './outcomes.ts';

type SendWhole = (batch: readonly OutMessage[]) => Promise<MessageOutcome[]>;

/**
 * Finds the message that makes a batch fail while others pass, with one request per halving: the first half is sent; if it passes, the
 * fault is in the second, which need not be sent whole. Halves that were not tried go together at the end.
 * @returns an outcome for each message, in order
 */
export const isolate = async (
  batch: readonly OutMessage[],
  sendWhole: SendWhole,
): Promise<MessageOutcome[]> => {
  const outcomes = new Map<OutMessage, MessageOutcome>();
  const sendPart = async (part: readonly OutMessage[]): Promise<readonly MessageOutcome[]> => {
    const results = await sendWhole(part);
    part.forEach((message, position) => outcomes.set(message, results[position] ?? held('no outcome')));
    return results;
  };
  const untried: OutMessage[] = [];
  let bad = batch;
  while (bad.length > 1) {
    const middle = Math.ceil(bad.length / 2);
    const low = bad.slice(0, middle);
    const high = bad.slice(middle);
    const results = await sendPart(low);
    if (results.every((result) => result.kind === 'retry')) {
      untried.push(...high);
      bad = low;
    } else bad = high;
  }
  await sendPart(bad);
  if (untried.length > 0) await sendPart(untried);
  return batch.map((message) => outcomes.get(message) ?? held('no outcome'));
};
