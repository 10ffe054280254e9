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
  /** Sends what has waited long enough. */
  pump(): void;
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
/** ms that a batch waits longer, at most, while more events are on their way to it. */
const HELD_OPEN = 50;

/** `{"messages":[` and `]}`, less the comma that the first message does not need. */
const FRAME_BYTES = 14;

/**
 * Takes from the head of the queue what fits into one request: bytes, count, and the room that each message leaves.
 * A message larger than maxBytes goes alone.
 */
export function takeBatch(queue: Waiting[], limits: BatchLimits): Waiting[] {
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
}

/** Messages of one kind. */
interface Queue {
  readonly waiting: Waiting[];
  /** Of a request with all of them. */
  bytes: number;
  /** When the first of them waits no longer: then all go that fit. */
  end: number;
}

function emptyQueue(): Queue {
  return { waiting: [], bytes: FRAME_BYTES, end: Number.POSITIVE_INFINITY };
}

function add(queue: Queue, waiting: Waiting): void {
  queue.waiting.push(waiting);
  queue.bytes += waiting.message.bytes + 1;
  queue.end = Math.min(queue.end, waiting.until);
}

/** Reckons anew what is known of a queue that something was taken out of. */
function recount(queue: Queue): void {
  queue.bytes = queue.waiting.reduce((sum, { message }) => sum + message.bytes + 1, FRAME_BYTES);
  queue.end = Math.min(...queue.waiting.map(({ until }) => until));
}

export function createOutbox(parts: {
  readonly limits: BatchLimits;
  readonly pace: Pace;
  readonly send: Sender;
  readonly signal: AbortSignal;
  /** Whether events are being mapped; whoever says so pumps when that has ended. */
  readonly isMoreComing?: () => boolean;
}): Outbox {
  const { limits, pace, signal, isMoreComing = () => false } = parts;
  // Suspects travel apart from the others, so that what is wrong with one of them delays no good neighbour.
  const queues: Record<`${MessageKind}${'' | '-suspect'}`, Queue> = {
    event: emptyQueue(),
    profile: emptyQueue(),
    'event-suspect': emptyQueue(),
    'profile-suspect': emptyQueue(),
  };
  let timer: { readonly at: number; readonly handle: NodeJS.Timeout } | undefined;

  const isFull = ({ waiting, bytes }: Queue): boolean =>
    waiting.length >= limits.maxMessages || bytes >= limits.maxBytes;

  const stopTimer = (): void => {
    clearTimeout(timer?.handle);
    timer = undefined;
  };

  const pumpAt = (at: number): void => {
    if (at === Number.POSITIVE_INFINITY || (timer !== undefined && timer.at <= at)) return;
    stopTimer();
    timer = { at, handle: setTimeout(pump, Math.max(0, at - performance.now())) };
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
    stopTimer();
    let next = Number.POSITIVE_INFINITY;
    const now = performance.now();
    const longer = isMoreComing() ? HELD_OPEN : 0;
    for (const queue of Object.values(queues)) {
      while (queue.waiting.length > 0) {
        if (!isFull(queue) && queue.end + longer > now) {
          next = Math.min(next, queue.end + longer);
          break;
        }
        if (!pace.trySlot()) break;
        const batch = takeBatch(queue.waiting, limits);
        recount(queue);
        void dispatch(batch);
      }
    }
    pumpAt(next);
  };

  return {
    pump,
    submit(message, room) {
      return new Promise((resolve) => {
        const queue = queues[message.suspect ? (`${message.kind}-suspect` as const) : message.kind];
        const wait = Math.max(limits.maxWait - message.age, Math.min(GATHERING, limits.maxWait));
        add(queue, { message, room, until: performance.now() + wait, resolve });
        // Time is up between two turns of the event loop only: what is mapped in one turn goes together.
        if (wait === 0 || isFull(queue)) pump();
        else pumpAt(queue.end);
      });
    },
    drain(reason) {
      stopTimer();
      for (const queue of Object.values(queues)) {
        const waiting = queue.waiting.splice(0);
        recount(queue);
        for (const { resolve } of waiting) resolve(held(reason));
      }
    },
    get waiting() {
      return Object.values(queues).reduce((sum, { waiting }) => sum + waiting.length, 0);
    },
  };
}
