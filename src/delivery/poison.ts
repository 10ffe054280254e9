import { heldOutcome, type MessageOutcome, type OutgoingMessage } from './outcome.ts';

/**
 * Remembers the size and time of the last failed request of each message, to retry the message in
 * ever smaller batches and to see whether other messages succeeded since. It is lost at a restart;
 * then the stored number of failed attempts decides.
 */
export interface SuspectHistory {
  recordFailure(receipts: Iterable<string>, batchSize: number, at: number): void;
  forget(receipt: string): void;
  /** Maximum number of messages in a request with this one. */
  maxBatchSize(receipt: string, failedAttempts: number, maxMessages: number): number;
  /** The time of its last failure; undefined if it has not failed in this process. */
  lastFailedAt(receipt: string): number | undefined;
}

export function createSuspectHistory(): SuspectHistory {
  const suspects = new Map<string, { batchSize: number; at: number }>();
  return {
    recordFailure(receipts, batchSize, at) {
      for (const receipt of receipts) suspects.set(receipt, { batchSize, at });
    },
    forget(receipt) {
      suspects.delete(receipt);
    },
    maxBatchSize(receipt, failedAttempts, maxMessages) {
      const batchSize = suspects.get(receipt)?.batchSize;
      const size = batchSize === undefined ? maxMessages / 2 ** Math.min(failedAttempts, 30) : batchSize / 2;
      return Math.max(1, Math.ceil(size));
    },
    lastFailedAt: (receipt) => suspects.get(receipt)?.at,
  };
}

type SendBatch = (batch: readonly OutgoingMessage[]) => Promise<MessageOutcome[]>;

/** True if the whole request failed and each of its messages is to be retried. */
export function allFailed(outcomes: readonly MessageOutcome[]): boolean {
  return outcomes.every((outcome) => outcome.kind === 'retry');
}

function resultOfPart(outcomes: readonly MessageOutcome[]): 'failed' | 'passed' | 'not-sent' {
  if (outcomes.some((outcome) => outcome.kind === 'held')) return 'not-sent';
  return allFailed(outcomes) || (outcomes.length === 1 && outcomes[0]?.kind === 'rejected')
    ? 'failed'
    : 'passed';
}

export interface IsolationResult {
  /** One for each message, in order. */
  readonly outcomes: MessageOutcome[];
  /** The message that makes the batch fail; absent if the search was aborted. */
  readonly culprit?: OutgoingMessage;
}

/**
 * Finds the message that makes a batch fail, with one request per halving: the first half is sent;
 * if it passes, the culprit is in the second, which need not be sent as a whole. The skipped halves
 * are sent together at the end, so at most log2(batch) + 1 requests are needed. A culprit that is
 * known only because all others passed is not sent again and keeps its outcome.
 * @param batch known to fail as a whole
 * @param failedOutcomes the outcomes of that failure, in order
 */
export async function isolateCulprit(
  batch: readonly OutgoingMessage[],
  failedOutcomes: readonly MessageOutcome[],
  sendBatch: SendBatch,
): Promise<IsolationResult> {
  const latest = new Map(batch.map((message, position) => [message, failedOutcomes[position]]));
  const sendPart = async (part: readonly OutgoingMessage[]): Promise<ReturnType<typeof resultOfPart>> => {
    const outcomes = await sendBatch(part);
    part.forEach((message, position) => latest.set(message, outcomes[position]));
    return resultOfPart(outcomes);
  };
  const latestOutcomes = (): MessageOutcome[] =>
    batch.map((message) => latest.get(message) ?? heldOutcome('no outcome'));

  const skipped: OutgoingMessage[] = [];
  let failing = batch;
  while (failing.length > 1) {
    const middle = Math.ceil(failing.length / 2);
    const [first, second] = [failing.slice(0, middle), failing.slice(middle)];
    const result = await sendPart(first);
    if (result === 'not-sent') return { outcomes: latestOutcomes() };
    if (result === 'failed') skipped.push(...second);
    failing = result === 'failed' ? first : second;
  }
  if (skipped.length > 0) await sendPart(skipped);
  return { outcomes: latestOutcomes(), ...(failing[0] && { culprit: failing[0] }) };
}
