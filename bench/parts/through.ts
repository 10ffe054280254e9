import { costFigures, deliverFlatOut, LIMITS } from '../flat-out.ts';
import type { Part } from '../part.ts';
import { startInlet } from '../processes/inlet.ts';
import { relayFolder } from '../processes/relay.ts';
import { peakMib } from '../processes/usage.ts';

/**
 * End-to-end rate of all documented kinds of events, and what an event costs. V8 chooses the size
 * of its heap.
 */
export const through: Part = async (bench) => {
  const count = bench.short ? 10_000 : 100_000;
  const inlet = await startInlet();
  const folder = relayFolder(bench, inlet, { limits: LIMITS });
  const relay = await folder.start(bench.nodeFlags);
  const { sent, seconds, usage } = await deliverFlatOut(bench, inlet, relay, count);
  const { profiles, repeated } = await inlet.counts();
  const peak = peakMib(relay.pid);
  await relay.stop();
  folder.remove();
  await inlet.stop();
  return [
    {
      what: 'events accepted and landed',
      value: count / seconds,
      unit: '/s',
      ratioGoal: { least: 1.8 },
    },
    { what: 'events accepted', value: (count * 1_000) / sent.tookMs, unit: '/s' },
    { what: 'messages per event', value: (count + profiles) / count, unit: '' },
    { what: 'events that landed twice', value: repeated, unit: '' },
    ...costFigures('flat out', usage, count, { cpuRatio: 0.5, kib: 3 }),
    { what: 'peak resident memory', value: peak, unit: 'MiB', goal: { most: 220 } },
  ];
};
