import { costFigures } from '../flat-out.ts';
import type { Bench, Figure, Part } from '../part.ts';
import { startChild, stopChild } from '../processes/child.ts';
import { type CountingInlet, startInlet } from '../processes/inlet.ts';
import { relayFolder } from '../processes/relay.ts';
import { send } from '../processes/sender.ts';
import { startUsage, type Usage } from '../processes/usage.ts';
import type { Percentiles } from '../statistics.ts';

/** Capillary's maximum for one organisation, events per second. */
export const PEAK_RATE = 833;

interface Steady {
  readonly events: number;
  readonly times: Percentiles;
  readonly usage: Usage;
}

/** All documented kinds of events at the peak rate, accepted and delivered by a new relay. */
async function runSteady(bench: Bench, inlet: CountingInlet): Promise<Steady> {
  const folder = relayFolder(bench, inlet);
  const relay = await folder.start(bench.nodeFlags);
  const run = async (seconds: number, seed: number): Promise<Percentiles> => {
    await inlet.reset();
    const events = { count: PEAK_RATE * seconds, body: 'mixed', customers: 20_000, seed } as const;
    const job = { ...relay.webhook('header'), connections: 50, rate: PEAK_RATE, events };
    const { times } = await send(job);
    await inlet.whenLanded(events.count);
    return times;
  };
  await run(bench.short ? 2 : 5, 1);
  const usage = startUsage(relay.pid);
  const times = await run(bench.short ? 4 : 15, 2);
  const used = await usage();
  await relay.stop();
  folder.remove();
  return { events: times.count, times, usage: used };
}

/**
 * What an event costs, and when it is answered, at Capillary's peak rate beside delivery; then the
 * answers alone while another process keeps one core busy.
 */
export const steady: Part = async (bench) => {
  const inlet = await startInlet();
  bench.log(`${PEAK_RATE}/s, with delivery`);
  const alone = await runSteady(bench, inlet);
  bench.log(`${PEAK_RATE}/s, one core busy`);
  const busy = startChild(['--eval', 'for (;;);']);
  const beside = await runSteady(bench, inlet);
  await stopChild(busy);
  await inlet.stop();
  const figures: readonly Figure[] = [
    { what: 'response time, p50', value: alone.times.p50, unit: 'ms', goal: { most: 6 } },
    { what: 'response time, p99', value: alone.times.p99, unit: 'ms', ratioGoal: { most: 1 } },
    { what: 'response time, one core busy, p50', value: beside.times.p50, unit: 'ms' },
    { what: 'response time, one core busy, p99', value: beside.times.p99, unit: 'ms', goal: { most: 25 } },
  ];
  return [
    ...costFigures(`${PEAK_RATE}/s`, alone.usage, alone.events, { cpuRatio: 0.45, kib: 5 }),
    ...figures,
  ];
};
