import type { MessageKind } from '../journal/journal.ts';
import type { MessageOutcome, OutMessage } from './message.ts';
import { held } from './outcomes.ts';
import type { Pace } from './pace.ts';
import type { Sender } from './sender.ts';

export interface BatchLimits {
  readonly maxBytes: number;
  readonly maxMessages: number;
  /** ms from its receipt that a message waits for company. */
  readonly maxWait: number;
}

/** Collects messages into batches and sends them while the pace has free slots. */
export interface Outbox {
  /** Resolves with what became of the message. `room`: the most messages its request may hold. */
  submit(message: OutMessage, room: number): Promise<MessageOutcome>;
  /** Gives back everything that is not on its way yet. */
  drain(reason: string): void;
  readonly waiting: number;
}

interface Waiting {
  readonly message: OutMessage;
  readonly room: number;
  /** When it waits no longer. */
  readonly until: number;
  readonly resolve: (outcome: MessageOutcome) => void;
}

/** ms in which messages that were claimed together arrive: what has waited long enough in the journal still waits for these. */
const GATHERING = 10;

/** `{"messages":[` and `]}`, less the comma that the first message does not need. */
const FRAME_BYTES = 14;

/**
 * Takes from the head of the queue what fits into one request: bytes, count, and the room that each message leaves.
 * A message larger than maxBytes goes alone.
 */
export const takeBatch = (queue: Waiting[], limits: BatchLimits): Waiting[] => {
  let bytes = FRAME_BYTES;
  let room = limits.maxMessages;
  let count = 0;
  for (const waiting of queue) {
    const nextRoom = Math.min(room, waiting.room);
    const nextBytes = bytes + waiting.message.bytes + 1;
    if (count > 0 && (count + 1 > nextRoom || nextBytes > limits.maxBytes)) break;
    bytes = nextBytes;
    room = nextRoom;
    count += 1;
  }
  return queue.splice(0, count);
};

/** When the first of them waits no longer: then all go that fit. */
const firstEnd = (queue: readonly Waiting[]): number =>
  queue.reduce((first, { until }) => Math.min(first, until), Number.POSITIVE_INFINITY);

export const createOutbox = (parts: {
  readonly limits: BatchLimits;
  readonly pace: Pace;
  readonly send: Sender;
  readonly signal: AbortSignal;
}): Outbox => {
  const { limits, pace, signal } = parts;
  // Suspects travel apart from the others, so that what is wrong with one of them delays no good neighbour.
  const queues: Record<`${MessageKind}${'' | '-suspect'}`, Waiting[]> = {
    event: [],
    profile: [],
    'event-suspect': [],
    'profile-suspect': [],
  };
  let timer: NodeJS.Timeout | undefined;

  const isFull = (queue: readonly Waiting[]): boolean => {
    if (queue.length >= limits.maxMessages) return true;
    let bytes = FRAME_BYTES;
    for (const waiting of queue) {
      bytes += waiting.message.bytes + 1;
      if (bytes >= limits.maxBytes) return true;
    }
    return false;
  };

  const dispatch = async (batch: readonly Waiting[]): Promise<void> => {
    const outcomes = await parts.send(
      batch.map((waiting) => waiting.message),
      signal,
    );
    pace.freeSlot();
    batch.forEach((waiting, position) => waiting.resolve(outcomes[position] ?? held('no outcome')));
    pump();
  };

  const pump = (): void => {
    clearTimeout(timer);
    let wait = Number.POSITIVE_INFINITY;
    const now = performance.now();
    for (const queue of Object.values(queues)) {
      while (queue.length > 0) {
        const left = isFull(queue) ? 0 : firstEnd(queue) - now;
        if (left > 0) {
          wait = Math.min(wait, left);
          break;
        }
        if (!pace.trySlot()) break;
        void dispatch(takeBatch(queue, limits));
      }
    }
    if (wait !== Number.POSITIVE_INFINITY) timer = setTimeout(pump, wait);
  };

  return {
    submit(message, room) {
      return new Promise((resolve) => {
        const queue = queues[message.suspect ? (`${message.kind}-suspect` as const) : message.kind];
        const wait = Math.max(limits.maxWait - message.age, Math.min(GATHERING, limits.maxWait));
        queue.push({ message, room, until: performance.now() + wait, resolve });
        pump();
      });
    },
    drain(reason) {
      clearTimeout(timer);
      for (const queue of Object.values(queues)) {
        for (const waiting of queue.splice(0)) waiting.resolve(held(reason));
      }
    },
    get waiting() {
      return Object.values(queues).reduce((sum, queue) => sum + queue.length, 0);
    },
  };
};
