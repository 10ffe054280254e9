import { createRandom, type Random } from '../../src/simulator/random.ts';
import type { VirtualClock } from './virtual-clock.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const MINUTE_MS = 60_000;

/** Share of a day's purchases by hour: shops, and a web shop at night; most at noon and evening. */
const HOURS = [
  0.5, 0.3, 0.2, 0.2, 0.3, 0.5, 1.2, 2.5, 4, 5.5, 6.5, 7.5, 8, 7.5, 6.5, 6, 6.5, 7.5, 8.5, 8, 6, 3.5, 1.8, 1,
] as const;
const HOURS_SUM = HOURS.reduce((sum, share) => sum + share, 0);

/** What a purchase raises, and when its webhook comes, in ms after the purchase. */
const EVENTS_OF_PURCHASE = [
  ['transactionAdded', 0],
  ['pointsIssued', 400],
  ['customerUpdated', 900],
  ['promotionEarned', 1_600],
] as const;
const MAX_DELAY_MS = 500;

/** The job that lets points expire starts at 01:00 and takes so long. */
const FLOOD_STARTS_MS = HOUR_MS;
const FLOOD_TAKES_MS = 1.5 * HOUR_MS;

export interface Traffic {
  readonly purchasesPerDay: number;
  /** Customers who buy; each is as likely as the other. */
  readonly customers: number;
  /** Customers whose points expire on the first day. */
  readonly expiries: number;
}

export interface TrafficEvent {
  readonly eventName: string;
  readonly customerId: string;
  /** Of a purchase. */
  readonly transactionId?: string;
}

/** As many as a Poisson process has in a minute. */
function poisson(random: Random, mean: number): number {
  let count = 0;
  for (let sum = -Math.log(1 - random()); sum < mean; sum -= Math.log(1 - random())) count += 1;
  return count;
}

/** Raises events day after day. */
export function startTraffic(
  { purchasesPerDay, customers, expiries }: Traffic,
  clock: VirtualClock,
  onEvent: (event: TrafficEvent) => void,
): void {
  const random = createRandom(1);
  let purchases = 0;

  const purchase = (): void => {
    purchases += 1;
    const transactionId = String(3_000_000_000 + purchases);
    const customerId = String(1 + Math.floor(random() * customers));
    for (const [eventName, ms] of EVENTS_OF_PURCHASE)
      clock.after(ms + random() * MAX_DELAY_MS, () => onEvent({ eventName, customerId, transactionId }));
  };

  const minute = (): void => {
    const hour = Math.floor((clock.monotonic() % DAY_MS) / HOUR_MS);
    const mean = (purchasesPerDay * (HOURS[hour] ?? 0)) / HOURS_SUM / 60;
    for (let count = poisson(random, mean); count > 0; count -= 1)
      clock.after(random() * MINUTE_MS, purchase);
    clock.after(MINUTE_MS, minute);
  };

  const expire = (index: number): void => {
    if (index >= expiries) return;
    onEvent({ eventName: 'pointsExpired', customerId: String(1 + index) });
    clock.after(FLOOD_TAKES_MS / expiries, () => expire(index + 1));
  };

  minute();
  clock.after(FLOOD_STARTS_MS, () => expire(0));
}
