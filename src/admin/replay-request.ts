import { z } from 'zod';
import { suggest } from '../config/nearest.ts';
import { SETTLED_STATES } from '../operations/settled-replay.ts';
import {
  bodyFlag,
  commonFields,
  EITHER_ERROR,
  eventFields,
  filterOf,
  withSelectionCheck,
} from './requests.ts';

const STATES_ERROR = `must be an array with at least one of ${SETTLED_STATES.join(', ')}`;

/** States that events can have, but from which this does not replay them. */
const OTHER_STATES: Readonly<Record<string, string>> = {
  pending: 'pending events are delivered without a replay',
  malformed: 'malformed bodies are replayed by POST /admin/v1/dead-letters/replay',
};

function stateProblem(word: unknown): string {
  const text = typeof word === 'string' ? word : '';
  return [STATES_ERROR, OTHER_STATES[text] ?? suggest(text, SETTLED_STATES, '')].filter(Boolean).join('; ');
}

const settledState = z.enum(SETTLED_STATES, { error: ({ input }) => stateProblem(input) });

/** Body of `POST /admin/v1/events/replay`. */
export const settledReplayBody = withSelectionCheck(
  z.strictObject(
    {
      ...commonFields,
      filter: filterOf(eventFields),
      states: z
        .array(settledState, { error: STATES_ERROR })
        .min(1, { error: STATES_ERROR })
        .transform((states) => [...new Set(states)])
        .optional(),
      asNew: bodyFlag(),
      refetch: bodyFlag(),
    },
    { error: EITHER_ERROR },
  ),
).superRefine(({ filter, states }, context) => {
  // Which states are meant by a filter is too important to be guessed.
  if (filter !== undefined && states === undefined)
    context.addIssue({ code: 'custom', path: ['states'], message: STATES_ERROR });
});

const ID_ERROR = 'must be the id of a replay, such as 7';

/** The id in the path of one replay. */
export const replayParams = z.object({
  id: z
    .string()
    .regex(/^\d{1,15}$/, { error: ID_ERROR })
    .transform(Number),
});
