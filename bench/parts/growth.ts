import { fillStore, sizesOf } from '../full-store.ts';
import type { Bench, GrowthPoint, Part } from '../part.ts';
import { startInlet } from '../processes/inlet.ts';

/** Slope of CPU time over events in a log-log plot: 1 if every event takes the same time. */
function slopeOf(growth: readonly GrowthPoint[]): number {
  const [first, last] = [growth[0], growth.at(-1)];
  if (first === undefined || last === undefined) return Number.NaN;
  return Math.log(last.cpuSeconds / first.cpuSeconds) / Math.log(last.events / first.events);
}

async function measureGrowth(bench: Bench): Promise<readonly GrowthPoint[]> {
  const inlet = await startInlet();
  const { relay, folder, growth } = await fillStore(bench, inlet, sizesOf(bench));
  await relay.stop('SIGKILL');
  folder.remove();
  await inlet.stop();
  return growth;
}

/**
 * CPU time per event while a store fills up. Uses the store of the part `backlog` if that has run.
 */
export const growth: Part = async (bench) => {
  const points = bench.shared.growth ?? (await measureGrowth(bench));
  return [
    ...points.map(({ events, cpuSeconds }) => ({
      what: `CPU time per event, ${events} stored`,
      value: (cpuSeconds * 1e6) / events,
      unit: 'µs',
    })),
    {
      what: 'slope of CPU time over events, log-log',
      value: slopeOf(points),
      unit: '',
      goal: { most: 1.05 },
    },
  ];
};
