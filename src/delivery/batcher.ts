import type { MessageKind } from '../journal/journal.ts';
import { heldOutcome, type MessageOutcome, type OutgoingMessage } from './outcome.ts';
import type { Pace } from './pace.ts';
import type { Sender } from './sender.ts';

export interface BatchLimits {
  readonly maxBytes: number;
  readonly maxMessages: number;
  /** ms after its receipt during which a message waits for others to fill the batch. */
  readonly maxWait: number;
}

/** A message on its way. */
export interface Submitted<Owner> {
  readonly message: OutgoingMessage;
  /** Maximum number of messages in the request that carries it. */
  readonly maxBatchSize: number;
  /** What the caller knows it by. */
  readonly owner: Owner;
  /** ms of performance.now(). */
  readonly flushAt: number;
}

/** Collects messages into batches and sends them while the pace has free slots. */
export interface Batcher<Owner> {
  /** The outcome is given to `onOutcomes`. */
  submit(message: OutgoingMessage, maxBatchSize: number, owner: Owner): void;
  /** Sends the messages that have waited long enough. */
  flushDue(): void;
  /** Ends all messages that are not yet in a request as held. */
  releaseWaiting(reason: string): void;
  readonly waiting: number;
}

/**
 * Messages of one claim arrive within this time, so even a message that has already waited long
 * enough in the journal waits for the others.
 */
const GATHER_WINDOW_MS = 10;
/** How much longer a batch may wait while more events are being mapped for it. */
const MAX_HOLD_OPEN_MS = 100;

/** `{"messages":[` and `]}`, minus the comma that the first message does not need. */
const FRAME_BYTES = 14;

/**
 * Removes from the head of the queue what fits into one request by bytes, by count and by the
 * `maxBatchSize` of each message. A message larger than maxBytes goes alone.
 */
export function takeNextBatch<Owner>(queue: Submitted<Owner>[], limits: BatchLimits): Submitted<Owner>[] {
  let bytes = FRAME_BYTES;
  let maxCount = limits.maxMessages;
  let count = 0;
  for (const waiting of queue) {
    const nextMaxCount = Math.min(maxCount, waiting.maxBatchSize);
    const nextBytes = bytes + waiting.message.bytes + 1;
    if (count > 0 && (count + 1 > nextMaxCount || nextBytes > limits.maxBytes)) break;
    bytes = nextBytes;
    maxCount = nextMaxCount;
    count += 1;
  }
  return queue.splice(0, count);
}

/** Messages that may share a request. */
interface Queue<Owner> {
  readonly waiting: Submitted<Owner>[];
  /** Size of a request with all of them. */
  bytes: number;
  /** The earliest `flushAt` of its messages. */
  flushAt: number;
}

function emptyQueue<Owner>(): Queue<Owner> {
  return { waiting: [], bytes: FRAME_BYTES, flushAt: Number.POSITIVE_INFINITY };
}

function enqueue<Owner>(queue: Queue<Owner>, waiting: Submitted<Owner>): void {
  queue.waiting.push(waiting);
  queue.bytes += waiting.message.bytes + 1;
  queue.flushAt = Math.min(queue.flushAt, waiting.flushAt);
}

/** Updates the totals after messages were removed. */
function recalculate<Owner>(queue: Queue<Owner>): void {
  queue.bytes = FRAME_BYTES;
  queue.flushAt = Number.POSITIVE_INFINITY;
  for (const { message, flushAt } of queue.waiting) {
    queue.bytes += message.bytes + 1;
    queue.flushAt = Math.min(queue.flushAt, flushAt);
  }
}

export interface BatcherParts<Owner> {
  readonly limits: BatchLimits;
  readonly pace: Pace;
  readonly send: Sender;
  readonly signal: AbortSignal;
  /**
   * Called once for each request that has ended, with its messages and their outcomes in order. A
   * message whose outcome depends on requests of others follows by itself.
   */
  readonly onOutcomes: (sent: readonly Submitted<Owner>[], outcomes: readonly MessageOutcome[]) => void;
  /** Whether more events are being mapped; the caller flushes when that ends. */
  readonly isMoreComing?: () => boolean;
}

export function createBatcher<Owner>(parts: BatcherParts<Owner>): Batcher<Owner> {
  const { limits, pace, signal, onOutcomes, isMoreComing = () => false } = parts;
  // Suspects get requests of their own, so that a faulty one does not delay good messages.
  const queues: Record<`${MessageKind}${'' | '-suspect'}`, Queue<Owner>> = {
    event: emptyQueue(),
    profile: emptyQueue(),
    'event-suspect': emptyQueue(),
    'profile-suspect': emptyQueue(),
  };
  let timer: { readonly flushAt: number; readonly handle: NodeJS.Timeout } | undefined;

  const isFull = ({ waiting, bytes }: Queue<Owner>): boolean =>
    waiting.length >= limits.maxMessages || bytes >= limits.maxBytes;

  const stopTimer = (): void => {
    clearTimeout(timer?.handle);
    timer = undefined;
  };

  const scheduleFlush = (flushAt: number): void => {
    if (flushAt === Number.POSITIVE_INFINITY || (timer !== undefined && timer.flushAt <= flushAt)) return;
    stopTimer();
    timer = { flushAt, handle: setTimeout(flushDue, Math.max(0, flushAt - performance.now())) };
  };

  const sendBatch = async (batch: readonly Submitted<Owner>[]): Promise<void> => {
    const messages = batch.map(({ message }) => message);
    const outcomes = await parts.send(messages, signal);
    pace.releaseSlot();
    const known: MessageOutcome[] = [];
    const sent: Submitted<Owner>[] = [];
    for (const [position, one] of batch.entries()) {
      const outcome = outcomes[position] ?? heldOutcome('no outcome');
      if (outcome instanceof Promise) void outcome.then((later) => onOutcomes([one], [later]));
      else {
        known.push(outcome);
        sent.push(one);
      }
    }
    if (sent.length > 0) onOutcomes(sent, known);
    flushDue();
  };

  const flushDue = (): void => {
    stopTimer();
    let next = Number.POSITIVE_INFINITY;
    const now = performance.now();
    const holdOpen = isMoreComing() ? MAX_HOLD_OPEN_MS : 0;
    for (const queue of Object.values(queues)) {
      while (queue.waiting.length > 0) {
        if (!isFull(queue) && queue.flushAt + holdOpen > now) {
          next = Math.min(next, queue.flushAt + holdOpen);
          break;
        }
        if (!pace.tryAcquireSlot(flushDue)) break;
        const batch = takeNextBatch(queue.waiting, limits);
        recalculate(queue);
        void sendBatch(batch);
      }
    }
    scheduleFlush(next);
  };

  return {
    flushDue,
    submit(message, maxBatchSize, owner) {
      const queue = queues[message.isSuspect ? (`${message.kind}-suspect` as const) : message.kind];
      const wait = Math.max(limits.maxWait - message.ageMs, Math.min(GATHER_WINDOW_MS, limits.maxWait));
      enqueue(queue, { message, maxBatchSize, owner, flushAt: performance.now() + wait });
      // The timer fires after the current turn of the event loop, so all messages of a turn are
      // sent together.
      if (wait === 0 || isFull(queue)) flushDue();
      else scheduleFlush(queue.flushAt);
    },
    releaseWaiting(reason) {
      stopTimer();
      for (const queue of Object.values(queues)) {
        const waiting = queue.waiting.splice(0);
        recalculate(queue);
        const outcome = heldOutcome(reason);
        if (waiting.length > 0)
          onOutcomes(
            waiting,
            waiting.map(() => outcome),
          );
      }
    },
    get waiting() {
      return Object.values(queues).reduce((sum, { waiting }) => sum + waiting.length, 0);
    },
  };
}
