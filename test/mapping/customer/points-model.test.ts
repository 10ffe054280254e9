import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import {
  createHistory,
  DAY_MS,
  type HistoryEvent,
  issued,
  joined,
  lotsOf,
  noon,
  PROGRAM,
  redeemed,
  START,
} from './history-rig.ts';

/*
 * A simulated Capillary keeps the points of two customers in two programs, lot by lot, and sends
 * events about them. The relay gets them in any order and some of them twice. What it writes must
 * not depend on that, and must be true: the balance is Capillary's, and if expiring points are
 * listed, they are exactly the lots that Capillary has.
 */

const PROGRAMS: readonly JsonObject[] = [PROGRAM, { id: 99, name: 'Tea Club', isDefault: false }];
const RUNS = 150;
const EXPIRIES = [200, 230, 260];

type Action =
  | { kind: 'issue'; customer: number; program: number; points: number; expiry: number; states: boolean }
  | {
      kind: 'redeem' | 'adjust';
      customer: number;
      program: number;
      share: number;
      first: boolean;
      states: boolean;
    }
  | { kind: 'expire' | 'remind'; customer: number; program: number }
  | { kind: 'change'; customer: number; program: number; from: number; to: number; share: number }
  | { kind: 'transfer'; customer: number; program: number; points: number }
  | { kind: 'merge' };

const place = { customer: fc.integer({ min: 1, max: 2 }), program: fc.integer({ min: 0, max: 1 }) };
const share = fc.constantFrom(0.1, 0.5, 1);
const expiry = fc.integer({ min: 0, max: EXPIRIES.length - 1 });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('issue' as const),
      ...place,
      points: fc.integer({ min: 1, max: 50 }),
      expiry,
      states: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('redeem' as const, 'adjust' as const),
      ...place,
      share,
      first: fc.boolean(),
      states: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('expire' as const, 'remind' as const), ...place }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('change' as const), ...place, from: expiry, to: expiry, share }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('transfer' as const),
      ...place,
      points: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'merge' as const }) },
);

/** Capillary's own account: points by day of expiry; day 0 is a day that no event says. */
type Lots = Map<number, number>;

class Capillary {
  readonly events: HistoryEvent[] = [];
  readonly #lots = new Map<string, Lots>();
  /** Of the main program, by customer. */
  readonly redeemed = [0, 0, 0];
  readonly expired = [0, 0, 0];
  isMerged = false;
  day = 1;

  lots(customer: number, program: number): Lots {
    const key = `${this.isMerged ? 1 : customer} ${program}`;
    const lots = this.#lots.get(key) ?? new Map<number, number>();
    this.#lots.set(key, lots);
    return lots;
  }

  balance(customer: number, program: number): number {
    return [...this.lots(customer, program).values()].reduce((sum, points) => sum + points, 0);
  }

  count(
    totals: number[],
    { customer, program }: { customer: number; program: number },
    points: number,
  ): void {
    const owner = this.isMerged ? 1 : customer;
    totals[owner] = (totals[owner] ?? 0) + (program === 0 ? points : 0);
  }

  send(customer: number, event: HistoryEvent): void {
    const customerId = this.isMerged ? 1 : customer;
    this.events.push({ ...event, customerId, day: this.day, eventId: `e${this.events.length}` });
    this.day += 1;
  }

  /** @param first whether the lots that expire first are taken, or the others */
  take(lots: Lots, points: number, first: boolean): void {
    let left = points;
    for (const day of [...lots.keys()].toSorted((a, b) => (first ? a - b : b - a))) {
      const taken = Math.min(left, lots.get(day) ?? 0);
      addTo(lots, day, -taken);
      left -= taken;
    }
  }

  perform(next: Action): void {
    if (next.kind === 'merge') {
      this.#merge();
      return;
    }
    const { customer, program } = next;
    const lots = this.lots(customer, program);
    const id = Number(PROGRAMS[program]?.['id']);
    const named = (eventName: string, data: JsonObject): HistoryEvent => ({
      eventName,
      day: 0,
      data: { loyaltyProgramId: id, loyaltyProgramDetails: PROGRAMS[program] ?? {}, ...data },
    });
    const balance = this.balance(customer, program);
    if (next.kind === 'issue') {
      const day = EXPIRIES[next.expiry] ?? 0;
      addTo(lots, day, next.points);
      const stated = next.states ? this.balance(customer, program) : undefined;
      this.send(customer, issued(0, [[next.points, day]], stated, PROGRAMS[program]));
    } else if (next.kind === 'redeem' || next.kind === 'adjust') {
      const points = Math.floor(balance * next.share);
      this.take(lots, points, next.first);
      if (next.kind === 'redeem') {
        this.count(this.redeemed, next, points);
        const { data } = redeemed(0, points, next.states ? balance - points : undefined, id);
        this.send(customer, named('pointsRedeemed', data));
      } else {
        this.send(
          customer,
          named('manualPointsAdjustment', { programPointsSplit: [{ programId: id, points }] }),
        );
      }
    } else if (next.kind === 'transfer') {
      addTo(lots, 0, next.points);
      this.send(customer, named('pointsTransferredReceived', { totalPointsTransferred: next.points }));
    } else if (next.kind === 'expire' || next.kind === 'remind' || next.kind === 'change') {
      this.#changeExpiry(next, lots, named);
    }
  }

  #changeExpiry(
    next: Extract<Action, { kind: 'expire' | 'remind' | 'change' }>,
    lots: Lots,
    named: (eventName: string, data: JsonObject) => HistoryEvent,
  ): void {
    const { customer } = next;
    if (next.kind === 'change') {
      const [from, to] = [EXPIRIES[next.from] ?? 0, EXPIRIES[next.to] ?? 0];
      const points = Math.floor((lots.get(from) ?? 0) * next.share);
      if (points > 0 && from !== to) {
        addTo(lots, from, -points);
        addTo(lots, to, points);
        const part = {
          points,
          pointsPreviousExpiryDateInMillis: noon(from),
          newExpiryDateInMillis: noon(to),
        };
        this.send(customer, named('pointsExpiryChange', { updatedPointsExpiryBreakup: [part] }));
      }
      return;
    }
    const first = EXPIRIES.find((day) => (lots.get(day) ?? 0) > 0);
    if (first === undefined) {
      return;
    }
    const points = lots.get(first) ?? 0;
    if (next.kind === 'remind') {
      const data = { pointsScheduledForExpiry: points, scheduledExpiryDateInMillis: noon(first) };
      this.send(customer, named('pointsExpiryReminder', data));
    } else {
      // From then on no lot of that day can be issued: it is in the past.
      this.day = Math.max(this.day, first + 1);
      lots.delete(first);
      this.count(this.expired, next, points);
      this.send(customer, named('pointsExpired', { pointsExpired: points }));
    }
  }

  #merge(): void {
    if (this.isMerged) {
      return;
    }
    for (const program of [0, 1]) {
      for (const [day, points] of this.lots(2, program)) {
        addTo(this.lots(1, program), day, points);
      }
    }
    this.isMerged = true;
    for (const totals of [this.redeemed, this.expired]) {
      totals[1] = (totals[1] ?? 0) + (totals[2] ?? 0);
    }
    const summary = PROGRAMS.map(({ id }, program) => ({
      loyaltyProgramId: Number(id),
      currentPoints: this.balance(1, program),
    }));
    this.send(1, {
      eventName: 'loyaltyCustomerMerge',
      day: 0,
      data: {
        survivorCustomerIdentifiers: { customerId: 1 },
        victimCustomerIdentifiers: { customerId: 2 },
        survivorCustomerLoyaltySummary: summary,
      },
    });
  }
}

function addTo(lots: Lots, day: number, points: number): void {
  lots.set(day, (lots.get(day) ?? 0) + points);
}

/** Days in the past cannot be issued for or moved to. */
function isPossible(next: Action, day: number): boolean {
  const days = next.kind === 'issue' ? [next.expiry] : next.kind === 'change' ? [next.from, next.to] : [];
  return days.every((index) => (EXPIRIES[index] ?? 0) > day + 1);
}

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
        const { events } = capillary;
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
