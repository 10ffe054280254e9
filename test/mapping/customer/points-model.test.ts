import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHistory, DAY_MS, issued, joined, lotsOf, noon, PROGRAM, START } from './history-rig.ts';
import type { HistoryEvent } from './history-rig.ts';
import { type Action, action, addTo, Capillary, isPossible } from './points-world.ts';

/*
 * A simulated Capillary keeps the points of two customers in two programs, lot by lot, and sends
 * events about them. The relay gets them in any order and some of them twice. What it writes must
 * not depend on that, and must be true: the balance is Capillary's, and if expiring points are
 * listed, they are exactly the lots that Capillary has.
 */

const RUNS = 150;

interface Plan {
  readonly actions: readonly Action[];
  /** The relay sees both registrations. */
  readonly isJoined: boolean;
  /** The last event states the balance of the main program. */
  readonly isStated: boolean;
}

function historyOf({ actions, isJoined, isStated }: Plan) {
  const capillary = new Capillary();
  if (isJoined) {
    capillary.send(1, joined());
    capillary.send(2, joined());
  }
  for (const next of actions) {
    if (isPossible(next, capillary.day)) {
      capillary.perform(next);
    }
  }
  if (isStated) {
    addTo(capillary.lots(1, 0), 700, 1);
    capillary.send(1, issued(0, [[1, 700]], capillary.balance(1, 0), PROGRAM));
  }
  return capillary;
}

/** The final record of customer 1, and that of customer 2 unless it was merged. */
async function recordsOf(events: readonly HistoryEvent[]) {
  const history = createHistory({ destination: { schemaFeatures: { loyalty2026: true } } });
  for (const event of events) {
    await history.send(event);
  }
  // An event without any effect on points shows the final state.
  const last = { eventName: 'customerUpdated', day: 350, data: { firstName: 'Asha' } };
  return history.send({ ...last, customerId: 1, eventId: 'last' });
}

function truthOf(capillary: Capillary): readonly (readonly [number, number])[] {
  return [...capillary.lots(1, 0)]
    .filter(([day, points]) => day * DAY_MS + START > noon(350) - DAY_MS && points > 0)
    .toSorted(([a], [b]) => a - b)
    .map(([day, points]) => [points, day] as const);
}

describe('points of two customers in two programs', () => {
  it('are the same in any order and with repetitions, and what is written is true', async () => {
    const written = { points: 0, lots: 0, pointsRedeemed: 0, expiredPoints: 0 };
    const plans: fc.Arbitrary<Plan> = fc.record({
      actions: fc.array(action, { maxLength: 14 }),
      isJoined: fc.boolean(),
      isStated: fc.boolean(),
    });
    const ranks = fc.array(fc.nat(1_000), { minLength: 40, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(plans, ranks, async (plan, order) => {
        const capillary = historyOf(plan);
        const events = capillary.events.filter((event) => 'eventName' in event);
        const shuffled = [...events, ...events.filter((_, at) => (order[at] ?? 0) % 3 === 0)]
          .map((event, at) => ({ event, rank: order[at % order.length] ?? 0 }))
          .toSorted((a, b) => a.rank - b.rank)
          .map(({ event }) => event);
        const inOrder = await recordsOf(events);

        expect((await recordsOf(shuffled)).record).toEqual(inOrder.record);
        const { loyalty } = inOrder;
        const truth = {
          points: capillary.balance(1, 0),
          pointsRedeemed: capillary.redeemed[1],
          expiredPoints: capillary.expired[1],
        };
        const untrue: unknown[] = [];
        for (const name of ['points', 'pointsRedeemed', 'expiredPoints'] as const) {
          const value = loyalty[name];
          written[name] += Number(value !== undefined);
          if (value !== undefined && value !== truth[name]) {
            untrue.push([name, value, truth[name]]);
          }
        }
        if (plan.isStated && loyalty['points'] === undefined) {
          untrue.push('the stated balance is missing');
        }
        const lots = lotsOf(loyalty);
        written.lots += Number(lots !== undefined);
        if (lots !== undefined && JSON.stringify(lots) !== JSON.stringify(truthOf(capillary))) {
          untrue.push([lots, truthOf(capillary)]);
        }
        expect(untrue).toEqual([]);
      }),
      { numRuns: RUNS },
    );
    // Each of them is known often enough for the comparison to mean something.
    expect(Math.min(...Object.values(written))).toBeGreaterThan(RUNS / 20);
  });
});
