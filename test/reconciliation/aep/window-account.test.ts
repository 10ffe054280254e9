import { describe, expect, it } from 'vitest';
import { accountOf, NO_CARRY, withoutMissing } from '../../../src/reconciliation/aep/window-account.ts';

const HOUR = 3_600_000;
const ZERO = { acknowledged: 0, ingested: 0, underWay: 0, ingestedAfter: 0, overlapping: 0 };

interface Simulated {
  readonly deficit: number;
  readonly carry: number;
}

/**
 * Accounts of whole hours of traffic, of which AEP ingests everything that is not lost, `lag` later
 * in runs of five minutes.
 * @param rates records of each minute, by hour
 */
function simulate(
  rates: readonly number[],
  lag: number,
  isLost: (minute: number) => boolean = () => false,
  copies = 1,
): Simulated[] {
  const minutes = rates.flatMap((rate) => Array.from({ length: 60 }, () => rate));
  const acknowledged = (from: number, until: number): number =>
    minutes.slice(Math.max(0, from), Math.max(0, until)).reduce((sum, rate) => sum + rate, 0);
  const runs = new Map<number, number>();
  for (const [minute, rate] of minutes.entries()) {
    const start = Math.ceil((minute + lag) / 5) * 5;
    if (!isLost(minute)) runs.set(start, (runs.get(start) ?? 0) + rate * copies);
  }
  const ingested = (from: number, until: number): number =>
    [...runs].reduce((sum, [start, records]) => sum + (start >= from && start < until ? records : 0), 0);
  let carry = NO_CARRY;
  return rates.map((_, hour) => {
    const [from, until] = [hour * 60, (hour + 1) * 60];
    const account = accountOf({ from: hour * HOUR, until: (hour + 1) * HOUR }, carry, {
      acknowledged: acknowledged(from, until),
      ingested: ingested(from, until),
      underWay: acknowledged(until - 30, until),
      ingestedAfter: ingested(until, until + 30),
      overlapping: 0,
    });
    carry = account.carry;
    return { deficit: account.deficit, carry: carry.records };
  });
}

const DAY = [5, 5, 5, 10, 20, 40, 80, 160, 200, 200, 150, 100, 200, 200, 80, 40, 20, 10, 5, 0, 0, 0];

describe('the account of windows', () => {
  it.each([0, 1, 7, 15, 24])(
    'has no deficit with a lag of %i minutes, however the traffic changes',
    (lag) => {
      expect(simulate(DAY, lag).every(({ deficit }) => deficit === 0)).toBe(true);
      expect(simulate(DAY, lag).at(-1)?.carry).toBe(0);
    },
  );

  it('has no deficit because of records that AEP has twice', () => {
    expect(simulate(DAY, 10, undefined, 2).every(({ deficit }) => deficit === 0)).toBe(true);
  });

  it('finds the loss of a whole hour at once', () => {
    const accounts = simulate(DAY, 10, (minute) => minute >= 480 && minute < 540);
    expect(accounts[8]?.deficit).toBeGreaterThan(200 * 30 - 1);
  });

  it.each([0, 5, 15])('finds a loss that can be under way as soon as there is little traffic', (lag) => {
    const lost = 200 * 5;
    const accounts = simulate(DAY, lag, (minute) => minute >= 500 && minute < 505);
    const found = accounts.reduce((sum, { deficit }) => sum + deficit, 0);
    expect(found).toBe(lost);
  });

  it('says since when the records can be missing', () => {
    const first = accountOf({ from: 0, until: HOUR }, NO_CARRY, {
      ...ZERO,
      acknowledged: 100,
      ingested: 90,
      underWay: 50,
      ingestedAfter: 50,
    });
    expect(first).toMatchObject({ deficit: 0, carry: { records: 10, since: 0 } });
    const second = accountOf({ from: HOUR, until: 2 * HOUR }, first.carry, ZERO);
    expect(second).toMatchObject({ deficit: 10, since: 0, carry: { records: 0 } });
  });

  it('takes a surplus into the next window only from runs that went on into it', () => {
    const surplus = { ...ZERO, acknowledged: 10, ingested: 20 };
    const window = { from: 0, until: HOUR };
    expect(accountOf(window, NO_CARRY, surplus).carry.records).toBe(0);
    const { carry } = accountOf(window, NO_CARRY, { ...surplus, overlapping: 4 });
    expect(carry.records).toBe(-4);
    const next = { ...ZERO, acknowledged: 6, ingested: 1 };
    expect(accountOf({ from: HOUR, until: 2 * HOUR }, carry, next).deficit).toBe(1);
  });

  it('forgets what was carried and turned out to be missing', () => {
    const carry = { records: 10, since: 0, lowest: 8 };
    expect(withoutMissing(carry, 4)).toEqual({ records: 6, since: 0, lowest: 6 });
    expect(withoutMissing(carry, 20)).toEqual({ records: 0, since: 0, lowest: 0 });
    expect(withoutMissing(carry, -1)).toBe(carry);
  });
});
