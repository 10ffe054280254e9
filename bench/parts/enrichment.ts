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

/** Those that were completed; the others are a figure of their own. */
function timesOf(name: string, { profileTimes, purchases }: DaysResult, days: number): Figure[] {
  const done = profileTimes.filter((ms) => Number.isFinite(ms)).map((ms) => ms / 1_000);
  const { p50, p95, p99 } = percentiles(done);
  const open = purchases - done.length;
  const row = (what: string, value: number, unit: string): Figure => ({
    what: `${name}: ${what}`,
    value,
    unit,
  });
  return [
    row('purchase to completed profile, p50', p50, 's'),
    row('purchase to completed profile, p95', p95, 's'),
    row('purchase to completed profile, p99', p99, 's'),
    ...(open === 0 ? [] : [row(`profiles not completed in ${days} days`, (open / purchases) * 100, '%')]),
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
