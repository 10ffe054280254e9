import type { EventFilter } from './event-log.ts';
import type { EventState } from './stored-event.ts';

/* What the changes of operators have in common, whatever stores them. */

/** Records that one step changes: a few hundred take some ms, which an append can wait for. */
export const MAX_CHANGES_PER_STEP = 250;

/** The texts of the history of an event. */
export const PROMOTED = 'promoted';
export const DISCARDED = 'discarded';
/** Of an event that was made pending to complete what could not be fetched before. */
export const REFRESHED = 'refreshed';
/** Who did it: no operator. */
export const REFRESHER = 'relay';

const WITH_REFETCH = ' with refetch';

export function replayedAction(asNew: boolean, refetch = false): string {
  return `replayed${asNew ? ' as new' : ''}${refetch ? WITH_REFETCH : ''}`;
}

/**
 * SQL for the last of the actions by which an event can be pending in the queue of replays: when it
 * was, if what was fetched for the event is to be fetched again; else null. Needs columns `at` and
 * `action`, and an order.
 */
export const REFETCHED_AT = `CASE WHEN action LIKE 'replayed%${WITH_REFETCH}' THEN at END`;
export const IS_RESTART = `(action LIKE 'replayed%' OR action = '${REFRESHED}')`;

export function reroutedAction(from: string, to: string): string {
  return `rerouted from ${from} to ${to}`;
}

/**
 * The suffix of `_id` after a replay. Replays as new are numbered to make the ids distinct; any
 * other replay uses the last id again.
 */
export function suffixAfterReplay(suffix: string, asNew: boolean): string {
  return asNew ? `-r${Number(suffix.slice('-r'.length)) + 1}` : suffix;
}

/** The filter restricted to these states. */
export function withStates(filter: EventFilter, states: readonly EventState[]): EventFilter {
  return {
    ...filter,
    states: filter.states === undefined ? states : states.filter((state) => filter.states?.includes(state)),
  };
}
