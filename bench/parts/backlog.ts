import { setTimeout as sleep } from 'node:timers/promises';
import { compare } from '../statistics.ts';
import { fillStore, SMALL_POD, sizesOf, storeBytes } from '../full-store.ts';
import type { Bench, Figure, Part } from '../part.ts';
import { type CountingInlet, startInlet } from '../processes/inlet.ts';
import { relayFolder, type RelayUnderTest } from '../processes/relay.ts';
import { peakMib } from '../processes/usage.ts';
import { measureAcceptRate } from './accept.ts';

const INLET_LATENCY_MS = 20;
/** Messages that land before the rate is measured. */
const WARM_UP_EVENTS = 5_000;
/**
 * Events that land before the memory is read. What the relay remembers of customers and contacts
 * has its full size only after many different ones.
 */
const MEMORY_EVENTS = 150_000;

function acceptRate(relay: RelayUnderTest, count: number): Promise<number> {
  return measureAcceptRate(relay.webhook('header'), 330, count);
}

async function compareWithSmallStore(
  bench: Bench,
  inlet: CountingInlet,
  full: RelayUnderTest,
): Promise<readonly Figure[]> {
  const stored = bench.short ? 4_000 : 40_000;
  bench.log(`accepting with the backlog and with ${stored} events alternately`);
  const folder = relayFolder(bench, inlet);
  const small = await folder.start(SMALL_POD);
  await small.setDelivering(false);
  const count = bench.short ? 4_000 : 10_000;
  await acceptRate(small, stored);
  const { ratio, control, a, b } = await compare(
    bench.short ? 1 : 3,
    () => acceptRate(full, count),
    () => acceptRate(small, count),
  );
  await small.stop();
  folder.remove();
  return [
    { what: 'accepted with the backlog', value: a, unit: '/s' },
    { what: `accepted with ${stored} events`, value: b, unit: '/s' },
    { what: `ratio with backlog / ${stored} events`, value: ratio, unit: '×', goal: { least: 0.9 }, control },
  ];
}

/** Events that land per second, measured after the first ones have landed. */
async function drainRate(inlet: CountingInlet, relay: RelayUnderTest, seconds: number): Promise<number> {
  await relay.setDelivering(true);
  await inlet.whenLanded(WARM_UP_EVENTS);
  const { events: before } = await inlet.counts();
  const started = performance.now();
  await sleep(seconds * 1_000);
  const { events } = await inlet.counts();
  return ((events - before) * 1_000) / (performance.now() - started);
}

/**
 * A million pending events: their size, their effect on the intake, the time of a restart, and the
 * rate at which they are delivered.
 */
export const backlog: Part = async (bench) => {
  const sizes = sizesOf(bench);
  const inlet = await startInlet(INLET_LATENCY_MS);
  const { folder, relay, growth } = await fillStore(bench, inlet, sizes);
  bench.shared.growth = growth;
  const pending = growth.at(-1)?.events ?? 0;
  const rows = await compareWithSmallStore(bench, inlet, relay);
  const bytes = storeBytes(folder) / (await relay.ledger()).pending;
  const peakFilling = peakMib(relay.pid);
  await relay.stop('SIGKILL');

  bench.log('restarting after SIGKILL');
  const seconds = bench.short ? 4 : 10;
  const restarted = await folder.start(SMALL_POD);
  const { readyMs } = restarted;
  bench.log('delivering events and profile records');
  const bothRate = await drainRate(inlet, restarted, seconds);
  await inlet.whenLanded(Math.min(MEMORY_EVENTS, pending));
  const peakDraining = peakMib(restarted.pid);
  await restarted.stop('SIGKILL');

  bench.log('delivering events only');
  await inlet.reset();
  const eventsOnly = await folder.start(SMALL_POD, { profile: undefined });
  const eventsOnlyRate = await drainRate(inlet, eventsOnly, seconds);
  const peakEventsOnly = peakMib(eventsOnly.pid);
  await eventsOnly.stop('SIGKILL');
  folder.remove();
  await inlet.stop();
  const conditions = `from the backlog at ${INLET_LATENCY_MS} ms inlet latency`;
  return [
    ...rows,
    { what: `disk space per event, ${pending} pending`, value: bytes, unit: 'B' },
    { what: 'time to ready after SIGKILL', value: readyMs, unit: 'ms', goal: { most: 2_000 } },
    {
      what: `delivered ${conditions}, with profile records`,
      value: bothRate,
      unit: '/s',
      ratioGoal: { least: 1.5 },
    },
    {
      what: `delivered ${conditions}, events only`,
      value: eventsOnlyRate,
      unit: '/s',
      ratioGoal: { least: 1.5 },
    },
    { what: 'peak resident memory while accepting', value: peakFilling, unit: 'MiB', goal: { most: 256 } },
    {
      what: 'peak resident memory while delivering',
      value: Math.max(peakDraining, peakEventsOnly),
      unit: 'MiB',
      goal: { most: 256 },
    },
  ];
};
