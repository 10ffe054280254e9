import { type Random, randomInteger } from '../random.ts';
import type { GeneratedEvent } from './capillary-events.ts';

export interface PlannedSend {
  readonly event: GeneratedEvent;
  /** The event was sent before. */
  readonly isDuplicate: boolean;
  /** The event was held back until later ones had been sent. */
  readonly isReordered: boolean;
}

export interface PlanOptions {
  /** Number of events. */
  readonly count: number;
  /** Share of events sent a second time, a few positions later. */
  readonly duplicates: number;
  /**
   * Share of events held back until the customer's next event is sent, or MAX_HELD_SENDS others.
   */
  readonly disorder: number;
  readonly random: Random;
}

const MAX_DUPLICATE_DISTANCE = 5;
const MAX_HELD_SENDS = 100;

/** True at round(share × count) random positions, if called for every position. */
function createChooser(share: number, count: number, random: Random): (position: number) => boolean {
  let wanted = Math.round(share * count);
  return (position) => {
    const isChosen = random() < wanted / (count - position);
    if (isChosen) wanted -= 1;
    return isChosen;
  };
}

interface HeldEvent {
  readonly event: GeneratedEvent;
  readonly until: number;
}

function reorderedSend({ event }: HeldEvent): PlannedSend {
  return { event, isDuplicate: false, isReordered: true };
}

/** The events in order, except those held back. */
function* reorder(events: Iterable<GeneratedEvent>, options: PlanOptions): Generator<PlannedSend> {
  const isChosen = createChooser(options.disorder, options.count, options.random);
  const held = new Map<string, HeldEvent>();
  let position = 0;
  for (const event of events) {
    const { customerId = '' } = event;
    const earlier = held.get(customerId);
    const isHeld = !earlier && customerId !== '' && isChosen(position);
    if (isHeld) held.set(customerId, { event, until: position + MAX_HELD_SENDS });
    else yield { event, isDuplicate: false, isReordered: false };
    if (earlier) {
      held.delete(customerId);
      yield reorderedSend(earlier);
    }
    for (const [key, waiting] of held) {
      if (waiting.until > position) break;
      held.delete(key);
      yield reorderedSend(waiting);
    }
    position += 1;
  }
  for (const waiting of held.values()) yield reorderedSend(waiting);
}

/**
 * The order of the sends, and which events are sent twice: Capillary guarantees neither order nor
 * uniqueness (docs/platforms/capillary.md#order-and-duplicates).
 */
export function* planSends(events: Iterable<GeneratedEvent>, options: PlanOptions): Generator<PlannedSend> {
  const isChosen = createChooser(options.duplicates, options.count, options.random);
  let due: HeldEvent[] = [];
  let position = 0;
  for (const send of reorder(events, options)) {
    yield send;
    if (isChosen(position)) {
      due.push({
        event: send.event,
        until: position + randomInteger(options.random, 0, MAX_DUPLICATE_DISTANCE),
      });
    }
    for (const { event, until } of due) {
      if (until <= position) yield { event, isDuplicate: true, isReordered: false };
    }
    due = due.filter(({ until }) => until > position);
    position += 1;
  }
  for (const { event } of due) yield { event, isDuplicate: true, isReordered: false };
}
