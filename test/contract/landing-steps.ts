import * as fc from 'fast-check';
import type { EventState, MessageKind } from '../../src/journal/journal.ts';

export const LANDING_SOURCES = ['a', 'b'] as const;
export const LANDING_DESTINATIONS = ['x', 'y'] as const;

const source = fc.constantFrom(...LANDING_SOURCES);
const destination = fc.constantFrom(...LANDING_DESTINATIONS);
const pick = fc.nat({ max: 99 });
const kinds = fc.subarray<MessageKind>(['event', 'profile']);

/** Values of a step by field. */
function stepOf<Name extends string, Fields extends object>(
  name: Name,
  fields: { [Key in keyof Fields]: fc.Arbitrary<Fields[Key]> },
): fc.Arbitrary<{ readonly do: Name } & Fields> {
  return fc.record(fields).map((values) => ({ do: name, ...values }));
}

/** Steps that change what has landed, most of them of delivered events. */
export const landingStep = fc.oneof(
  {
    weight: 5,
    arbitrary: stepOf('append', {
      source,
      destination,
      count: fc.integer({ min: 1, max: 4 }),
      lane: fc.constantFrom(undefined, 'anna', 'ben'),
    }),
  },
  {
    weight: 14,
    arbitrary: stepOf('settle', {
      destination,
      pick,
      outcome: fc.constantFrom<EventState[]>(
        'delivered',
        'delivered',
        'delivered',
        'dead',
        'ignored',
        'pending',
      ),
      acknowledged: kinds,
      unanswered: kinds,
      watch: fc.boolean(),
      missing: fc.boolean(),
      erase: fc.nat({ max: 7 }).map((n) => n === 7),
      isStale: fc.nat({ max: 5 }).map((n) => n === 5),
    }),
  },
  {
    weight: 9,
    arbitrary: stepOf('confirm', {
      destination,
      from: fc.integer({ min: 0, max: 4 }),
      length: fc.integer({ min: 1, max: 5 }),
      since: fc.nat({ max: 3 }),
    }),
  },
  { weight: 7, arbitrary: stepOf('doubt', { picks: fc.array(pick, { minLength: 1, maxLength: 3 }) }) },
  { weight: 4, arbitrary: stepOf('clear', { picks: fc.array(pick, { minLength: 1, maxLength: 3 }) }) },
  {
    weight: 4,
    arbitrary: stepOf('refuse', {
      picks: fc.array(pick, { minLength: 1, maxLength: 3 }),
      isOther: fc.nat({ max: 4 }).map((n) => n === 4),
    }),
  },
  { weight: 1, arbitrary: stepOf('unwatch', { pick }) },
  {
    weight: 3,
    arbitrary: stepOf('replay', {
      pick,
      state: fc.constantFrom<(EventState | undefined)[]>(undefined, 'delivered', 'dead'),
      asNew: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: stepOf('refresh', { destination }) },
  { weight: 1, arbitrary: stepOf('discard', { source }) },
  { weight: 9, arbitrary: stepOf('time', { by: fc.integer({ min: 1, max: 15_000 }) }) },
  { weight: 1, arbitrary: stepOf('restart', {}) },
  { weight: 1, arbitrary: stepOf('retain', { keepRecords: fc.boolean() }) },
);

export type LandingStep = typeof landingStep extends fc.Arbitrary<infer Generated> ? Generated : never;
export type LandingStepOf<Name extends LandingStep['do']> = Extract<LandingStep, { do: Name }>;
