import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFetchedHistory } from './fetched-history.ts';
import { daysOf, type HistoryEvent, joined } from './history-rig.ts';
import { type Action, action, Capillary, type Fetch, isPossible, type Since } from './points-world.ts';

/*
 * As the model of events alone (`points-model.test.ts`), and the API is asked now and then. Events
 * and answers arrive in any order and more than once. What is written must not depend on that, and
 * must be true; after an answer that has everything nothing may be missing.
 */

const RUNS = 100;

type Next = Action | { kind: 'fetch'; customer: number; hasLots: boolean; since: Since };

const next: fc.Arbitrary<Next> = fc.oneof(
  { weight: 4, arbitrary: action },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fetch' as const),
      customer: fc.integer({ min: 1, max: 2 }),
      hasLots: fc.boolean(),
      since: fc.constantFrom('before' as const, 'same' as const, 'after' as const),
    }),
  },
);

interface Plan {
  readonly actions: readonly Next[];
  readonly isJoined: boolean;
  /** The API is asked last. */
  readonly isFetched: boolean;
}

function historyOf({ actions, isJoined, isFetched }: Plan): Capillary {
  const capillary = new Capillary();
  if (isJoined) {
    capillary.send(1, joined());
    capillary.send(2, joined());
  }
  for (const step of actions) {
    if (step.kind === 'fetch') {
      capillary.fetch(step.customer, step);
    } else if (isPossible(step, capillary.day)) {
      capillary.perform(step);
    }
  }
  if (isFetched) {
    capillary.fetch(1, { hasLots: true, since: 'after' });
  }
  return capillary;
}

/** What is known in the end, as an event without any effect on points shows it. */
async function outcomeOf(steps: readonly (HistoryEvent | Fetch)[], day: number) {
  const history = createFetchedHistory();
  const last = { eventName: 'customerUpdated', day, data: { firstName: 'Asha' }, eventId: 'last' };
  const { record, loyalty } = await history.send(...steps, { ...last, customerId: 1 });
  return { state: history.stateOf(1), record, loyalty };
}

function lotsOf(capillary: Capillary): readonly (readonly [number, number])[] {
  return [...capillary.lots(1, 0)]
    .filter(([day, points]) => day >= capillary.day && points > 0)
    .toSorted(([a], [b]) => a - b)
    .map(([day, points]) => [points, day] as const);
}

describe('points of two customers in two programs, with answers of the API', () => {
  it('are the same in any order and with repetitions, and what is written is true', async () => {
    const written = { points: 0, pointsRedeemed: 0, expiredPoints: 0, adjustedPoints: 0, lifetimePoints: 0 };
    let listed = 0;
    const plans: fc.Arbitrary<Plan> = fc.record({
      actions: fc.array(next, { maxLength: 14 }),
      isJoined: fc.boolean(),
      isFetched: fc.boolean(),
    });
    const ranks = fc.array(fc.nat(1_000), { minLength: 40, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(plans, ranks, async (plan, order) => {
        const capillary = historyOf(plan);
        const { events } = capillary;
        const shuffled = [...events, ...events.filter((_, at) => (order[at] ?? 0) % 3 === 0)]
          .map((event, at) => ({ event, rank: order[at % order.length] ?? 0 }))
          .toSorted((a, b) => a.rank - b.rank)
          .map(({ event }) => event);
        const inOrder = await outcomeOf(events, capillary.day);

        expect(await outcomeOf(shuffled, capillary.day)).toEqual(inOrder);
        const { loyalty } = inOrder;
        const truth = {
          points: capillary.balance(1, 0),
          pointsRedeemed: capillary.redeemed[1],
          expiredPoints: capillary.expired[1],
          adjustedPoints: capillary.adjusted[1],
          lifetimePoints: capillary.lifetime[1],
        };
        const untrue: unknown[] = [];
        for (const name of Object.keys(written) as (keyof typeof written)[]) {
          const value = loyalty[name];
          written[name] += Number(value !== undefined);
          if (value === undefined ? plan.isFetched : value !== truth[name]) {
            untrue.push([name, value, truth[name]]);
          }
        }
        const [days, lots] = [daysOf(loyalty), lotsOf(capillary)];
        listed += Number(days !== undefined);
        const isMissing = plan.isFetched && lots.length > 0;
        if (days === undefined ? isMissing : JSON.stringify(days) !== JSON.stringify(lots)) {
          untrue.push([days, lots]);
        }
        expect(untrue).toEqual([]);
      }),
      { numRuns: RUNS },
    );
    expect(Math.min(listed, ...Object.values(written))).toBeGreaterThan(RUNS / 20);
  });
});
