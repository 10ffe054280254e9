import type { MessageOutcome, OutMessage } from './message.ts';
import { held } from './outcomes.ts';

type SendWhole = (batch: readonly OutMessage[]) => Promise<MessageOutcome[]>;

const allFailed = (results: readonly MessageOutcome[]): boolean =>
  results.every((result) => result.kind === 'retry');

/**
 * Finds the message that makes a batch fail, with one request per halving: the first half is sent; if it passes, the fault is in the
 * second, which need not be sent whole. Halves that were not tried go together at the end. While nothing has passed yet the second half is
 * tried too; if both fail the destination may be down, and the search ends after two requests.
 * @param proven others passed since the batch failed, so the fault is known to be in it
 * @returns an outcome for each message, in order
 */
export const isolate = async (
  batch: readonly OutMessage[],
  sendWhole: SendWhole,
  proven: boolean,
): Promise<MessageOutcome[]> => {
  const outcomes = new Map<OutMessage, MessageOutcome>();
  const passes = async (part: readonly OutMessage[]): Promise<boolean> => {
    const results = await sendWhole(part);
    part.forEach((message, position) => outcomes.set(message, results[position] ?? held('no outcome')));
    return !allFailed(results);
  };
  const untried: OutMessage[] = [];
  let bad = batch;
  for (let known = proven; bad.length > 1; known = true) {
    const middle = Math.ceil(bad.length / 2);
    const [low, high] = [bad.slice(0, middle), bad.slice(middle)];
    if (await passes(low)) bad = high;
    else if (known) {
      untried.push(...high);
      bad = low;
    } else if (await passes(high)) bad = low;
    else return batch.map((message) => outcomes.get(message) ?? held('no outcome'));
  }
  await passes(bad);
  if (untried.length > 0) await passes(untried);
  return batch.map((message) => outcomes.get(message) ?? held('no outcome'));
};
