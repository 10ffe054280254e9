import type { EventFilter, EventState, Journal } from '../journal/journal.ts';

/** What an operator should know of a replay before it runs. */
export interface ReplayWarning {
  /** Stable code. */
  readonly code: 'known-id' | 'counted-again' | 'ignored-again';
  /** How many events it is about. */
  readonly events: number;
  readonly detail: string;
}

const DETAILS: Readonly<Record<ReplayWarning['code'], string>> = {
  'known-id':
    'delivered events keep their _id: Profile ignores those that it has, and the data lake stores a second copy of them. Profile records are written again. To send events that Profile has to count again, add asNew (--as-new).',
  'counted-again':
    'delivered events get a new _id: those that AEP has already are there twice, and count twice. Without asNew (--as-new) Profile ignores what it has.',
  'ignored-again':
    'ignored events are mapped with the current configuration, and ignored again unless what ignored them has changed.',
};

interface Replayable {
  /** The events that have a body. */
  readonly selection: EventFilter;
  readonly eligible: number;
  readonly states: readonly EventState[];
  readonly asNew: boolean;
}

async function countOf(
  { count }: Pick<Journal, 'count'>,
  state: EventState,
  { selection, eligible, states }: Replayable,
): Promise<number> {
  if (eligible === 0 || !states.includes(state)) return 0;
  return states.length === 1 ? eligible : count({ ...selection, states: [state] });
}

/** The warnings that concern at least one of the events (docs/platforms/adobe.md#event-ids). */
export async function warningsOf(
  journal: Pick<Journal, 'count'>,
  replayable: Replayable,
): Promise<readonly ReplayWarning[]> {
  const delivered = await countOf(journal, 'delivered', replayable);
  const ignored = await countOf(journal, 'ignored', replayable);
  const counts = [
    [replayable.asNew ? 'counted-again' : 'known-id', delivered],
    ['ignored-again', ignored],
  ] as const;
  return counts
    .filter(([, events]) => events > 0)
    .map(([code, events]) => ({ code, events, detail: DETAILS[code] }));
}
