import type { EventFilter, EventState } from '../journal/journal.ts';

const DEAD_LETTER_STATES: readonly EventState[] = ['dead', 'malformed'];

/** Narrows a filter to dead letters: buried events and malformed bodies. */
export function deadLetterFilter(filter: EventFilter): EventFilter {
  return {
    ...filter,
    states: DEAD_LETTER_STATES,
  };
}
