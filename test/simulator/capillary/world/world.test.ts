import { describe, expect, it } from 'vitest';
import { balanceOf, type PointsAccount } from '../../../../src/simulator/capillary/world/points-account.ts';
import { accountOf } from '../../../../src/simulator/capillary/world/world-customer.ts';
import type { World } from '../../../../src/simulator/capillary/world/world.ts';
import { expectWorldToAddUp, runWorld } from './world-rig.ts';

function summary(seed: number) {
  const { raised, world } = runWorld({ count: 80, seed });
  return { raised, customers: [...world.customers.values()], bills: [...world.bills.values()] };
}

describe('a world', () => {
  it('is the same for the same seed and different for another one', () => {
    const first = summary(3);
    expect(summary(3)).toEqual(first);
    expect(summary(4)).not.toEqual(first);
  });

  it.each([1, 2, 3, 4, 5, 6])('adds up at all times (seed %i)', (seed) => {
    let events = 0;
    const onEvent = (_: unknown, world: World): void => {
      events += 1;
      if (events % 20 === 0) expectWorldToAddUp(world);
    };
    runWorld({ count: 200, seed, onEvent });
    expect(events).toBe(200);
  });

  it('has the changes of every name of an event', () => {
    const { events, world } = runWorld({ count: 1_500, customers: 20 });
    const names = new Set(events.map(({ eventName }) => eventName));
    for (const name of ['issuedPointsReversed', 'redeemedPointsReversed', 'identifierReleased'])
      expect(names).toContain(name);
    for (const name of ['promisedToCurrentPointsConversion', 'requestUpdated', 'customerSubscription'])
      expect(names).toContain(name);
    expectWorldToAddUp(world);
  });
});

describe('an event', () => {
  it('of a bill agrees with the bill', () => {
    let bills = 0;
    runWorld({
      count: 300,
      onEvent: ({ eventName, data }, world) => {
        if (!eventName.startsWith('transaction')) return;
        const bill = world.bills.get(data.transactionId)!;
        expect(data).toMatchObject({
          amount: bill.amount / 100,
          grossAmount: bill.gross / 100,
          discount: bill.discount / 100,
          billType: bill.type,
          deliveryStatus: bill.deliveryStatus,
          customerIdentifiers: { customerId: bill.customerId },
          // An update has neither of them.
          ...(eventName === 'transactionAdded'
            ? { billNumber: bill.number, lineItemCount: bill.lines.length }
            : {}),
        });
        bills += 1;
      },
    });
    expect(bills).toBeGreaterThan(25);
  });

  it('states the balances that the customer then has', () => {
    let stated = 0;
    runWorld({
      count: 400,
      onEvent: ({ data }, world) => {
        if (data.programCurrentPoints === undefined) return;
        const account = accountOf(world.customers.get(data.customerIdentifiers.customerId)!);
        expect(data.programCurrentPoints).toBe(balanceOf(account));
        expect(data.programLifetimePoints).toBe(account.lifetimePoints);
        stated += 1;
      },
    });
    expect(stated).toBeGreaterThan(20);
  });

  it('changes the balance by what it says, for each person and program', () => {
    const balances = new Map<string, number>();
    const changes: Record<string, (data: Record<string, any>) => number> = {
      pointsIssued: (data) => data.totalPointsIssued - (data.promisedPointsIssued[0]?.promisedPoints ?? 0),
      pointsRedeemed: (data) => -data.totalPointsRedeemed,
      pointsExpired: (data) => -data.pointsExpired,
      issuedPointsReversed: (data) => -data.totalIssuedPointsReversed,
      redeemedPointsReversed: (data) => data.redeemedPointsReversedDetails.available,
      promisedToCurrentPointsConversion: (data) => data.pointsConverted,
    };
    const found: [now: number, expected: number][] = [];
    runWorld({
      count: 600,
      onEvent: ({ eventName, data }, world) => {
        const { customerId } = data.customerIdentifiers ?? {};
        if (customerId !== undefined) {
          const key = `${customerId} ${data.loyaltyProgramId}`;
          const account = accountOf(world.customers.get(customerId)!, data.loyaltyProgramId);
          const before = balances.get(key);
          const change = changes[eventName]?.(data);
          if (before !== undefined && change !== undefined) found.push([balanceOf(account), before + change]);
        }
        for (const { customerId: id, accounts } of world.customers.values())
          for (const account of accounts) balances.set(`${id} ${account.program.id}`, balanceOf(account));
      },
    });
    expect(found.map(([now]) => now)).toEqual(found.map(([, expected]) => expected));
    expect(found.length).toBeGreaterThan(100);
  });

  it('of a group changes nobody’s points', () => {
    const totalOf = (world: World): number =>
      [...world.customers.values()]
        .flatMap(({ accounts }) => accounts.map(balanceOf))
        .reduce((a, b) => a + b);
    const totals: number[] = [];
    const { raised } = runWorld({
      count: 200,
      customers: 40,
      names: ['pointsRedeemed', 'customerUpdated'],
      awkward: 0.5,
      onEvent: (_, world) => totals.push(totalOf(world)),
    });
    const groups = raised.flatMap(({ variant }, index) => (variant === 'group' && index > 0 ? [index] : []));
    expect(groups.length).toBeGreaterThan(10);
    for (const index of groups) expect(totals[index]).toBe(totals[index - 1]);
  });

  it('names tiers that follow from each other, and an upgrade is earned', () => {
    const { events, world } = runWorld({ count: 600, customers: 10, awkward: 0 });
    const tiers = new Map<number, number>();
    for (const { eventName, data } of events) {
      if (!/^tier(Up|Down)graded/.test(eventName)) continue;
      const { customerId } = data.customerIdentifiers;
      expect(data.previousTierNumber).toBe(tiers.get(customerId) ?? data.previousTierNumber);
      tiers.set(customerId, data.upgradedTierNumber ?? data.downgradedTierNumber);
    }
    for (const [customerId, number] of tiers) {
      const { standing, program, lifetimePoints } = accountOf(world.customers.get(customerId)!);
      expect(standing.tier.number).toBe(number);
      const upgrades = standing.history.filter(({ type }) => type === 'UPGRADE');
      for (const { to } of upgrades) expect(lifetimePoints).toBeGreaterThanOrEqual(to.threshold);
      expect(program.tiers.map((tier) => tier.number)).toContain(number);
    }
    expect(tiers.size).toBeGreaterThan(5);
  });

  it('of a purchase is followed by its points, and these by an upgrade if they are enough', () => {
    const { events } = runWorld({ count: 400, awkward: 0 });
    const bills = events.filter(({ eventName }) => eventName === 'transactionAdded');
    expect(bills.length).toBeGreaterThan(15);
    for (const bill of bills.slice(0, -1)) {
      const next = events[events.indexOf(bill) + 1]!;
      expect(next.eventName).toBe('pointsIssued');
      expect(next.data.triggeringActivity.identifiers).toEqual([
        { key: 'BillId', value: String(bill.data.transactionId) },
      ]);
    }
  });
});

describe('the ledger', () => {
  it.each([1, 2, 3])('has every change of a balance (seed %i)', (seed) => {
    const opening = new Map<PointsAccount, number>();
    const { world } = runWorld({
      count: 400,
      seed,
      awkward: 0,
      onEvent: (_, { customers }) => {
        for (const { accounts } of customers.values())
          for (const account of accounts)
            if (account.ledger.length === 0) opening.set(account, balanceOf(account));
      },
    });
    let booked = 0;
    for (const [account, before] of opening) {
      const main = account.ledger.filter(({ category }) => category === 'Main');
      const changes = main.map(({ type, points }) => (type === 'CREDIT' ? points : -points));
      expect(before + changes.reduce((total, change) => total + change, 0)).toBe(balanceOf(account));
      booked += main.length;
    }
    expect(booked).toBeGreaterThan(20);
    expect(world.customers.size).toBeGreaterThan(8);
  });
});

describe('names that are not asked for', () => {
  it('happen without an event', () => {
    const { events, world } = runWorld({ count: 40, names: ['transactionAdded'], awkward: 0 });
    expect(new Set(events.map(({ eventName }) => eventName))).toEqual(new Set(['transactionAdded']));
    for (const { data } of events) {
      const account = accountOf(world.customers.get(data.customerIdentifiers.customerId)!);
      expect(account.lots.some(({ billId }) => billId === data.transactionId)).toBe(true);
    }
  });
});

describe('a merge', () => {
  it('moves bills and points, and takes the victim out of the events', () => {
    const { events, world } = runWorld({ count: 300, customers: 6, awkward: 0.5 });
    const merges = events.filter(({ eventName }) => eventName === 'loyaltyCustomerMerge');
    expect(merges.length).toBeGreaterThan(5);
    for (const merge of merges) {
      const victim = merge.data.victimCustomerIdentifiers.customerId as number;
      expect(world.customers.get(victim)).toMatchObject({ state: 'merged', accounts: [], bills: [] });
      const later = events.slice(events.indexOf(merge) + 1);
      expect(later.map(({ data }) => data.customerIdentifiers?.customerId)).not.toContain(victim);
    }
    expectWorldToAddUp(world);
  });
});
