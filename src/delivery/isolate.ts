import type { MessageOutcome, OutMessage } from './message.ts';
import { held } from './outcomes.ts';

type SendWhole = (batch: readonly OutMessage[]) => Promise<MessageOutcome[]>;

/** True when the request failed as a whole and each of its messages is to be tried again. */
export function allFailed(results: readonly MessageOutcome[]): boolean {
  return results.every((result) => result.kind === 'retry');
}

function readPart(results: readonly MessageOutcome[]): 'failed' | 'passed' | 'not-sent' {
  if (results.some((result) => result.kind === 'held')) return 'not-sent';
  return allFailed(results) || (results.length === 1 && results[0]?.kind === 'rejected')
    ? 'failed'
    : 'passed';
}

export interface Isolated {
  /** One for each message, in order. */
  readonly outcomes: MessageOutcome[];
  /** The message that made the batch fail, if there is one such; absent when the search had to be given up. */
  readonly culprit?: OutMessage;
}

/**
 * Finds the message that makes a batch fail, with one request per halving: the first half is sent; if it passes, the fault is in the second,
 * which need not be sent whole. What the halvings left out goes together at the end. That is at most log2(batch) requests and one for the
 * good ones left out. A culprit known only because all the others passed is not sent again here and keeps the outcome it had.
 * @param batch known to fail as a whole
 * @param before the outcomes of that failure, in order
 */
export async function isolate(
  batch: readonly OutMessage[],
  before: readonly MessageOutcome[],
  sendWhole: SendWhole,
): Promise<Isolated> {
  const latest = new Map(batch.map((message, position) => [message, before[position]]));
  const sendPart = async (part: readonly OutMessage[]): Promise<ReturnType<typeof readPart>> => {
    const results = await sendWhole(part);
    part.forEach((message, position) => latest.set(message, results[position]));
    return readPart(results);
  };
  const outcomes = (): MessageOutcome[] => batch.map((message) => latest.get(message) ?? held('no outcome'));

  const left: OutMessage[] = [];
  let bad = batch;
  while (bad.length > 1) {
    const middle = Math.ceil(bad.length / 2);
    const [low, high] = [bad.slice(0, middle), bad.slice(middle)];
    const result = await sendPart(low);
    if (result === 'not-sent') return { outcomes: outcomes() };
    if (result === 'failed') left.push(...high);
    bad = result === 'failed' ? low : high;
  }
  if (left.length > 0) await sendPart(left);
  return { outcomes: outcomes(), ...(bad[0] && { culprit: bad[0] }) };
}
