import { runDays, type DaysResult } from '../enrichment/virtual-days.ts';
import { HOUR_MS, type Traffic } from '../enrichment/traffic.ts';
import type { Figure, Part } from '../part.ts';
import { percentiles } from '../statistics.ts';

/** Members; who buys is any of them. */
const CUSTOMERS = 1_000_000;
const EXPIRIES = 300_000;
const MAX_DELAY_MS = 60_000;

interface Case extends Omit<Traffic, 'customers'> {
  readonly callsPerMinute: number;
  readonly days: number;
}

const CASES: readonly Case[] = [
  { purchasesPerDay: 30_000, callsPerMinute: 100, expiries: 0, days: 2 },
  { purchasesPerDay: 60_000, callsPerMinute: 100, expiries: 0, days: 2 },
  { purchasesPerDay: 100_000, callsPerMinute: 100, expiries: 0, days: 2 },
  { purchasesPerDay: 100_000, callsPerMinute: 200, expiries: 0, days: 2 },
  { purchasesPerDay: 100_000, callsPerMinute: 300, expiries: 0, days: 2 },
  { purchasesPerDay: 30_000, callsPerMinute: 100, expiries: EXPIRIES, days: 6 },
  { purchasesPerDay: 100_000, callsPerMinute: 300, expiries: EXPIRIES, days: 2 },
];

function nameOf({ purchasesPerDay, callsPerMinute, expiries }: Case): string {
  const flood = expiries === 0 ? '' : ` and ${expiries} expiries`;
  return `${purchasesPerDay} purchases a day${flood}, ${callsPerMinute} calls a minute`;
}

/** Percentiles of all purchases; one that lies among those not completed is left out. */
function timesOf(name: string, { profileTimes, purchases }: DaysResult, days: number): Figure[] {
  const { p50, p95, p99 } = percentiles(profileTimes);
  const open = profileTimes.filter((ms) => !Number.isFinite(ms)).length;
  const times = Object.entries({ p50, p95, p99 }).filter(([, ms]) => Number.isFinite(ms));
  return [
    ...times.map(([which, ms]) => ({
      what: `${name}: purchase to completed profile, ${which}`,
      value: ms / 1_000,
      unit: 's',
    })),
    ...(open === 0
      ? []
      : [
          {
            what: `${name}: profiles not completed in ${days} days`,
            value: (open / purchases) * 100,
            unit: '%',
          },
        ]),
  ];
}

function figuresOf(one: Case, result: DaysResult): Figure[] {
  const name = nameOf(one);
  const { purchases, liveProfiles, liveBills, calls, left, leftAtEnd, emptyAfter } = result;
  const row = (what: string, value: number, unit: string): Figure => ({
    what: `${name}: ${what}`,
    value,
    unit,
  });
  return [
    ...timesOf(name, result, one.days),
    row('profiles completed by the events of the purchase', (liveProfiles / purchases) * 100, '%'),
    row('bills completed by their event', (liveBills / purchases) * 100, '%'),
    row('calls per purchase on that day', calls / purchases, ''),
    row('customers left to the refresh job at midnight', left.customers, ''),
    row('bills left to the refresh job at midnight', left.bills, ''),
    emptyAfter === undefined
      ? row(`left after ${one.days} days`, leftAtEnd.customers + leftAtEnd.bills, '')
      : row('nothing is left after midnight and', emptyAfter / HOUR_MS, 'h'),
  ];
}

/** How long truth takes, in virtual time: the stage and the refresh job against a simulated day. */
export const enrichment: Part = async (bench) => {
  const figures: Figure[] = [];
  for (const one of bench.short ? CASES.slice(0, 1) : CASES) {
    bench.log(nameOf(one));
    figures.push(...figuresOf(one, await runDays({ ...one, customers: CUSTOMERS, maxDelay: MAX_DELAY_MS })));
  }
  return figures;
};
