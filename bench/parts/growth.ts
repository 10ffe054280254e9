import { fillStore, sizesOf } from '../full-store.ts';
import { cpuMicros } from '../flat-out.ts';
import type { Bench, Figure, GrowthPoint, Part } from '../part.ts';
import { startInlet } from '../processes/inlet.ts';
import { measureLife, wholeLife } from './life.ts';

/** Slope of CPU time over events in a log-log plot: 1 if every event takes the same time. */
function slopeOf(growth: readonly GrowthPoint[]): number {
  const [first, last] = [growth[0], growth.at(-1)];
  if (first === undefined || last === undefined) return Number.NaN;
  return Math.log(last.cpuSeconds / first.cpuSeconds) / Math.log(last.events / first.events);
}

async function measureFilling(bench: Bench): Promise<readonly GrowthPoint[]> {
  const inlet = await startInlet();
  const { relay, folder, growth } = await fillStore(bench, inlet, sizesOf(bench));
  await relay.stop('SIGKILL');
  folder.remove();
  await inlet.stop();
  return growth;
}

/** Lives of fewer and of more events than those of the part `life`, which is one of them. */
async function measureLives(bench: Bench): Promise<readonly GrowthPoint[]> {
  const [few, some, many] = bench.short ? [2_000, 5_000, 10_000] : [10_000, 40_000, 160_000];
  const lives = [
    await measureLife(bench, few),
    bench.shared.life ?? (await measureLife(bench, some)),
    await measureLife(bench, many),
  ];
  return lives.map((life) => ({ events: life.events, cpuSeconds: wholeLife(life).cpuSeconds }));
}

function figuresOf(
  points: readonly GrowthPoint[],
  what: (events: number) => string,
  slope: string,
): Figure[] {
  return [
    ...points.map(({ events, cpuSeconds }) => ({
      what: `CPU time per event, ${what(events)}`,
      value: cpuMicros({ cpuSeconds }, events),
      unit: 'µs',
    })),
    {
      what: `slope of CPU time over ${slope}, log-log`,
      value: slopeOf(points),
      unit: '',
      goal: { most: 1.05 },
    },
  ];
}

/**
 * CPU time per event while a store fills up, and that of a whole life for more and more events.
 * Uses what the parts `backlog` and `life` left if they have run.
 */
export const growth: Part = async (bench) => {
  const filling = bench.shared.growth ?? (await measureFilling(bench));
  const lives = await measureLives(bench);
  return [
    ...figuresOf(filling, (events) => `${events} stored`, 'stored events'),
    ...figuresOf(lives, (events) => `whole life of ${events}`, 'whole lives'),
  ];
};
