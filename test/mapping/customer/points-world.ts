import fc from 'fast-check';
import type { ProgramEntity } from '../../../src/capillary/entities.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { type HistoryEvent, issued, noon, PROGRAM, redeemed } from './history-rig.ts';

/*
 * A Capillary that keeps the points of two customers in two programs, lot by lot, and sends events
 * about them.
 */

export const PROGRAMS: readonly JsonObject[] = [PROGRAM, { id: 99, name: 'Tea Club', isDefault: false }];
const EXPIRIES = [200, 230, 260];

export type Action =
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
export const action: fc.Arbitrary<Action> = fc.oneof(
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

/** When the API is asked, compared to the newest event that it knows. */
export type Since = 'before' | 'same' | 'after';

/** In days. */
const SECOND = 1 / 86_400;

/** What the API says about a customer. */
export interface Fetch {
  readonly day: number;
  readonly customerId: number;
  readonly programs: readonly ProgramEntity[];
}

export class Capillary {
  readonly events: (HistoryEvent | Fetch)[] = [];
  readonly #lots = new Map<string, Lots>();
  /** Of the main program, by customer. */
  readonly redeemed = [0, 0, 0];
  readonly expired = [0, 0, 0];
  readonly adjusted = [0, 0, 0];
  readonly lifetime = [0, 0, 0];
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

  /**
   * The API is asked about a customer.
   *
   * @param hasLots whether the answer has the points that are going to expire
   * @param since the event before, which it contains: it can have been asked for a moment earlier
   */
  fetch(customer: number, { hasLots, since }: { hasLots: boolean; since: Since }): void {
    const customerId = this.isMerged ? 1 : customer;
    const programs = PROGRAMS.map(({ id }, program) => ({
      programId: String(Number(id)),
      points: this.balance(customer, program),
      ...(program === 0 ? this.#totals(customerId) : {}),
      ...(hasLots ? { lots: this.#datedLots(customer, program) } : {}),
    }));
    const day = { before: this.day - 1 - SECOND, same: this.day - 1, after: this.day }[since];
    this.events.push({ day, customerId, programs });
    this.day += since === 'after' ? 1 : 0;
  }

  #totals(customerId: number) {
    const of = (totals: readonly number[]) => totals[customerId] ?? 0;
    return {
      redeemed: of(this.redeemed),
      expired: of(this.expired),
      adjusted: of(this.adjusted),
      lifetimePoints: of(this.lifetime),
    };
  }

  #datedLots(customer: number, program: number) {
    return [...this.lots(customer, program)]
      .filter(([day, points]) => day > 0 && points > 0)
      .map(([day, points]) => ({ points, expiryDate: new Date(noon(day)).toISOString().slice(0, 10) }));
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
      this.count(this.lifetime, next, next.points);
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
        this.count(this.adjusted, next, points);
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
    for (const totals of [this.redeemed, this.expired, this.adjusted, this.lifetime]) {
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

export function addTo(lots: Lots, day: number, points: number): void {
  lots.set(day, (lots.get(day) ?? 0) + points);
}

/** Days in the past cannot be issued for or moved to. */
export function isPossible(next: Action, day: number): boolean {
  const days = next.kind === 'issue' ? [next.expiry] : next.kind === 'change' ? [next.from, next.to] : [];
  return days.every((index) => (EXPIRIES[index] ?? 0) > day + 1);
}
