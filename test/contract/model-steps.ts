import * as fc from 'fast-check';
import type { EventState, MessageKind } from '../../src/journal/journal.ts';

export const SOURCES = ['a', 'b'] as const;
export const DESTINATIONS = ['x', 'y'] as const;

const source = fc.constantFrom(...SOURCES);
const destination = fc.constantFrom(...DESTINATIONS);
/** Mostly the same lane, because errors occur among the events of one lane. */
const lane = fc.constantFrom(undefined, 0, 0, 0, 1, 2);
const identity = fc.integer({ min: 0, max: 40 });
const pick = fc.nat({ max: 99 });
/** Rare, because erased events can no longer be replayed. */
const erase = fc.nat({ max: 5 }).map((n) => n === 5);
/** Rare, because soon all lanes would be one. `stale`: the merged profile has changed since. */
const alias = fc.oneof(
  { weight: 8, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({ from: fc.nat({ max: 2 }), to: fc.nat({ max: 2 }), stale: fc.boolean() }),
  },
);
const outcome = fc.constantFrom<EventState[]>('delivered', 'ignored', 'dead', 'pending');
const delivered = fc.subarray<MessageKind>(['event', 'profile']);
const settledState = fc.constantFrom<EventState[]>('delivered', 'ignored', 'dead', 'malformed');

const arrival = { source, destination, lane, identity };
const arrivalStep = fc.record(arrival);
/** Several claimants at each destination, with a token each. */
const claimant = fc.nat({ max: 1 });
const parts = fc.record({ customer: fc.boolean(), bill: fc.boolean() });
/** What was fetched and what is missing: how often there is anything, and something missing. */
function enrichmentOf(weights: { readonly nil: number; readonly missing: number }) {
  const missing = fc.tuple(parts, fc.integer({ min: 0, max: 2 }));
  const some = fc.record({
    entities: fc.option(fc.nat({ max: 9 }), { nil: undefined }),
    missing: fc.option(missing, { nil: undefined, freq: weights.missing }),
    refreshed: fc.option(parts, { nil: undefined, freq: 1 }),
  });
  return fc.oneof({ weight: weights.nil, arbitrary: fc.constant(undefined) }, { weight: 4, arbitrary: some });
}
const settlement = fc.record({
  pick,
  /** Whether an event is chosen that the claimant holds, or any event. */
  held: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  outcome,
  delivered,
  wait: fc.integer({ min: 0, max: 30 }),
  erase,
  alias,
  enrichment: enrichmentOf({ nil: 8, missing: 2 }),
});
/** One call to the journal, a restart, or a change of the time. */
export const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      events: fc.array(arrivalStep, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      claimant,
      destination,
      sources: fc.subarray([...SOURCES], { minLength: 1 }),
      events: fc.integer({ min: 1, max: 4 }),
      replays: fc.integer({ min: 0, max: 4 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      claimant,
      destination,
      settlements: fc.array(settlement, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('release' as const),
      claimant,
      destination,
      picks: fc.array(pick, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('malformed' as const), source, destination }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('promote' as const), pick, ...arrival }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('replay' as const), state: settledState, refetch: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('refresh' as const),
      sources: fc.subarray([...SOURCES], { minLength: 1 }),
      destination,
      running: fc.nat({ max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('discard' as const), state: settledState }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reroute' as const), source, destination }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('time' as const), by: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);
/**
 * Steps of one claimant at one destination, of few customers, most of whose events are delivered
 * and have something missing: whatever refreshes can meet comes up often.
 */
export const refreshStep = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      events: fc.array(
        fc.record({
          source: fc.constantFrom(SOURCES[0], SOURCES[0], SOURCES[0], SOURCES[1]),
          destination: fc.constant(DESTINATIONS[0]),
          lane: fc.constantFrom(undefined, 0, 0, 1, 1),
          identity: fc.integer({ min: 0, max: 1_000 }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      claimant: fc.constant(0),
      destination: fc.constant(DESTINATIONS[0]),
      sources: fc.constant<(typeof SOURCES)[number][]>([...SOURCES]),
      events: fc.constant(4),
      replays: fc.constant(4),
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      claimant: fc.constant(0),
      destination: fc.constant(DESTINATIONS[0]),
      settlements: fc.array(
        fc.record({
          pick,
          held: fc.constant(true),
          outcome: fc.constantFrom<EventState[]>(
            'delivered',
            'delivered',
            'delivered',
            'delivered',
            'dead',
            'pending',
          ),
          delivered,
          wait: fc.constant(0),
          erase,
          alias,
          enrichment: enrichmentOf({ nil: 1, missing: 4 }),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('refresh' as const),
      sources: fc.constant<(typeof SOURCES)[number][]>([...SOURCES]),
      destination: fc.constant(DESTINATIONS[0]),
      running: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('replay' as const),
      state: fc.constant('delivered' as const),
      refetch: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('reroute' as const),
      source: fc.constant(SOURCES[1]),
      destination,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('time' as const), by: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);

export type ArrivalStep = typeof arrivalStep extends fc.Arbitrary<infer Generated> ? Generated : never;
export type SettlementStep = typeof settlement extends fc.Arbitrary<infer Generated> ? Generated : never;
export type Step = typeof step extends fc.Arbitrary<infer Generated> ? Generated : never;
export type StepOf<Name extends Step['do']> = Extract<Step, { do: Name }>;
