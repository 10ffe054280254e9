import { fillStore, type GrowthPoint, sizesOf } from '../full-store.ts';
import type { Bench, Part } from '../part.ts';
import { startInlet } from '../processes/inlet.ts';

/** How the cost of storing grows with what is stored: 1 when each event costs the same. */
function slopeOf(grown: readonly GrowthPoint[]): number {
  const [first, last] = [grown[0], grown.at(-1)];
  if (first === undefined || last === undefined) return Number.NaN;
  return Math.log(last.cpuSeconds / first.cpuSeconds) / Math.log(last.events / first.events);
}

async function grow(bench: Bench): Promise<readonly GrowthPoint[]> {
  const inlet = await startInlet();
  const { relay, folder, grown } = await fillStore(bench, inlet, sizesOf(bench));
  await relay.end('SIGKILL');
  folder.remove();
  await inlet.end();
  return grown;
}

/** What an event costs as more and more are stored. Beside the backlog's part its figures are those of the same filling. */
export const growth: Part = async (bench) => {
  const grown = bench.shared.grown ?? (await grow(bench));
  return [
    ...grown.map(({ events, cpuSeconds }) => ({
      what: `processor time an event, ${events} stored`,
      value: (cpuSeconds * 1e6) / events,
      unit: 'µs',
    })),
    { what: 'slope of time to events, log to log', value: slopeOf(grown), unit: '', goal: { most: 1.05 } },
  ];
};
