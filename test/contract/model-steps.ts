import * as fc from 'fast-check';
import type { EventState } from '../../src/journal/journal.ts';

export const SOURCES = ['a', 'b'] as const;
export const DESTINATIONS = ['x', 'y'] as const;

const source = fc.constantFrom(...SOURCES);
const destination = fc.constantFrom(...DESTINATIONS);
/** One of them again and again: what goes wrong goes wrong among the events of one lane. */
const lane = fc.constantFrom(undefined, 0, 0, 0, 1, 2);
const identity = fc.integer({ min: 0, max: 40 });
const pick = fc.nat({ max: 99 });
/** Seldom: what is erased can be replayed no more. */
const erase = fc.nat({ max: 5 }).map((n) => n === 5);
/** Seldom: soon all lanes are one. A merge: from, to, and whether the first told something meanwhile. */
const alias = fc.oneof(
  { weight: 8, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({ from: fc.nat({ max: 2 }), to: fc.nat({ max: 2 }), stale: fc.boolean() }),
  },
);
const outcome = fc.constantFrom<EventState[]>('delivered', 'ignored', 'dead', 'pending');
const settledState = fc.constantFrom<EventState[]>('delivered', 'ignored', 'dead', 'malformed');

const arrival = { source, destination, lane, identity };
/** One call to the journal, or a change of the world around it. */
export const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('append' as const), ...arrival }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      destination,
      sources: fc.subarray([...SOURCES], { minLength: 1 }),
      limit: fc.integer({ min: 1, max: 4 }),
      replays: fc.integer({ min: 0, max: 4 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      pick,
      claimed: fc.boolean(),
      outcome,
      wait: fc.integer({ min: 0, max: 30 }),
      erase,
      alias,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('malformed' as const), source, destination }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('promote' as const), pick, ...arrival }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('replay' as const), state: settledState }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('discard' as const), state: settledState }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reroute' as const), source, destination }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('time' as const), by: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);
export type Step = typeof step extends fc.Arbitrary<infer Of> ? Of : never;
/** The step of this name. */
export type Did<Name extends Step['do']> = Extract<Step, { do: Name }>;
