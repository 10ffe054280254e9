import { expect } from 'vitest';
import { createEventSource, type GeneratedEvent } from '../../../../src/simulator/capillary/event-source.ts';
import type { Bill } from '../../../../src/simulator/capillary/world/world-bill.ts';
import { balanceOf, type PointsAccount } from '../../../../src/simulator/capillary/world/points-account.ts';
import { createPopulation } from '../../../../src/simulator/capillary/world/population.ts';
import { createWorld, type World } from '../../../../src/simulator/capillary/world/world.ts';
import { createRandom } from '../../../../src/simulator/random.ts';

export const NOW = Date.parse('2026-10-01T09:15:02Z');

/** An event of the world as Capillary posts it. */
export interface WorldEvent {
  readonly eventName: string;
  readonly eventLogId?: number;
  readonly loyaltyEventId: string | null;
  readonly createdAt: number;
  readonly data: Record<string, any>;
}

export interface WorldRun {
  readonly world: World;
  readonly raised: readonly GeneratedEvent[];
  readonly events: readonly WorldEvent[];
}

export interface RunOptions {
  readonly count: number;
  readonly seed?: number;
  readonly customers?: number;
  readonly names?: readonly string[];
  readonly awkward?: number;
  /** Called after each event. */
  readonly onEvent?: (event: WorldEvent, world: World) => void;
}

/** A world with some members, and events of one second each. */
export function runWorld({
  count,
  seed = 1,
  customers = 8,
  names,
  awkward = 0.2,
  onEvent,
}: RunOptions): WorldRun {
  const world = createWorld({ seed, orgId: 100_737 });
  for (let number = 0; number < customers; number += 1) world.addMember(NOW);
  const random = createRandom(seed);
  const population = createPopulation(world, customers, random);
  const source = createEventSource({ world, population, random, names, awkward, isLive: true });
  const raised = Array.from({ length: count }, (_, index) => {
    const event = source.next(NOW + index * 1_000);
    onEvent?.(JSON.parse(event.body) as WorldEvent, world);
    return event;
  });
  return { world, raised, events: raised.map(({ body }) => JSON.parse(body) as WorldEvent) };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function expectAccountToAddUp(account: PointsAccount): void {
  const { lots, lifetimePoints, redeemed, expired, returned } = account;
  expect(balanceOf(account)).toBe(lifetimePoints - redeemed - expired - returned);
  expect(lifetimePoints).toBe(sumOf(lots.map(({ issued }) => issued)));
  for (const lot of lots) {
    expect(lot.available).toBe(lot.issued - lot.redeemed - lot.expired - lot.returned);
    expect(Math.min(lot.available, lot.redeemed, lot.expired, lot.returned)).toBeGreaterThanOrEqual(0);
  }
}

export function expectBillToAddUp(bill: Bill): void {
  expect(bill.amount).toBe(bill.gross - bill.discount);
  expect(bill.gross).toBe(sumOf(bill.lines.map(({ value }) => value)));
  expect(bill.amount).toBe(sumOf(bill.tenders.map(({ amount }) => amount)));
  expect(bill.amount).toBeLessThanOrEqual(sumOf(bill.lines.map(({ amount }) => amount)));
  for (const line of bill.lines) {
    expect(line.value).toBe(line.rate * line.quantity);
    expect(line.amount).toBe(line.value - line.discount);
  }
}

/** Everything in the world adds up. */
export function expectWorldToAddUp(world: World): void {
  for (const customer of world.customers.values()) {
    for (const account of customer.accounts) expectAccountToAddUp(account);
    const [main] = customer.accounts;
    const net = sumOf(customer.bills.map(({ type, amount }) => (type === 'RETURN' ? -amount : amount)));
    expect(main?.purchases ?? 0).toBe(net);
  }
  for (const bill of world.bills.values()) {
    expectBillToAddUp(bill);
    expect(world.customers.get(bill.customerId)?.bills).toContain(bill);
  }
}
