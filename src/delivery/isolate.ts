import type { MessageOutcome, OutMessage } from './message.ts';
import { held } from './outcomes.ts';

type SendWhole = (batch: readonly OutMessage[]) => Promise<MessageOutcome[]>;

/** True when the request failed as a whole for a passing reason. */
export const allFailed = (results: readonly MessageOutcome[]): boolean =>
  results.every((result) => result.kind === 'retry');

/**
 * Finds the message that makes a batch fail while others pass, with one request per halving: the first half is sent; if it passes, the
 * fault is in the second, which need not be sent whole. Halves that were not tried go together at the end.
 * @param batch known to fail as a whole
 * @returns an outcome for each message, in order
 */
export const isolate = async (
  batch: readonly OutMessage[],
  sendWhole: SendWhole,
): Promise<MessageOutcome[]> => {
  const outcomes = new Map<OutMessage, MessageOutcome>();
  const fails = async (part: readonly OutMessage[]): Promise<boolean> => {
    const results = await sendWhole(part);
    part.forEach((message, position) => outcomes.set(message, results[position] ?? held('no outcome')));
    return allFailed(results);
  };
  const untried: OutMessage[] = [];
  let bad = batch;
  while (bad.length > 1) {
    const middle = Math.ceil(bad.length / 2);
    const [low, high] = [bad.slice(0, middle), bad.slice(middle)];
    if (await fails(low)) {
      untried.push(...high);
      bad = low;
    } else bad = high;
  }
  await fails(bad);
  if (untried.length > 0) await fails(untried);
  return batch.map((message) => outcomes.get(message) ?? held('no outcome'));
};
