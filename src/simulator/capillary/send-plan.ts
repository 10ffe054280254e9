import type { GeneratedEvent } from './capillary-events.ts';
import { type Random, randomInteger } from '../random.ts';

/** One thing to send. */
export interface PlannedSend {
  readonly event: GeneratedEvent;
  /** It has been planned before: the receiver should know it. */
  readonly isDuplicate: boolean;
  /** It was held back until later events had gone. */
  readonly isLate: boolean;
}

export interface PlanOptions {
  /** How many events there are. */
  readonly count: number;
  /** Share of them that is sent a second time, a few places later. */
  readonly duplicates: number;
  /** Share of them that is held back until the next event of the same customer has gone, or long enough. */
  readonly disorder: number;
  readonly random: Random;
}

const FARTHEST_DUPLICATE = 5;
const LONGEST_HOLD = 100;

/** Says yes at random places, round(share × count) times in all if it is asked at every place. */
function createChooser(share: number, count: number, random: Random): (place: number) => boolean {
  let wanted = Math.round(share * count);
  return (place) => {
    const isChosen = random() < wanted / (count - place);
    if (isChosen) wanted -= 1;
    return isChosen;
  };
}

interface Held {
  readonly event: GeneratedEvent;
  readonly until: number;
}

function late({ event }: Held): PlannedSend {
  return { event, isDuplicate: false, isLate: true };
}

/** The events in their order, but for those held back. */
function* disordered(events: Iterable<GeneratedEvent>, options: PlanOptions): Generator<PlannedSend> {
  const isChosen = createChooser(options.disorder, options.count, options.random);
  const held = new Map<string, Held>();
  let place = 0;
  for (const event of events) {
    const { customerId = '' } = event;
    const earlier = held.get(customerId);
    const holds = !earlier && customerId !== '' && isChosen(place);
    if (holds) held.set(customerId, { event, until: place + LONGEST_HOLD });
    else yield { event, isDuplicate: false, isLate: false };
    if (earlier) {
      held.delete(customerId);
      yield late(earlier);
    }
    for (const [key, waiting] of held) {
      if (waiting.until > place) break;
      held.delete(key);
      yield late(waiting);
    }
    place += 1;
  }
  for (const waiting of held.values()) yield late(waiting);
}

/** In what order events go out, and which of them twice: Capillary promises neither order nor uniqueness (reference: capillary.md §3). */
export function* planSends(events: Iterable<GeneratedEvent>, options: PlanOptions): Generator<PlannedSend> {
  const isChosen = createChooser(options.duplicates, options.count, options.random);
  let due: Held[] = [];
  let place = 0;
  for (const send of disordered(events, options)) {
    yield send;
    if (isChosen(place)) {
      due.push({ event: send.event, until: place + randomInteger(options.random, 0, FARTHEST_DUPLICATE) });
    }
    for (const { event, until } of due) {
      if (until <= place) yield { event, isDuplicate: true, isLate: false };
    }
    due = due.filter(({ until }) => until > place);
    place += 1;
  }
  for (const { event } of due) yield { event, isDuplicate: true, isLate: false };
}
