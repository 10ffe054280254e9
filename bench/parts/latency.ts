import type { Part } from '../part.ts';
import { startInlet } from '../processes/inlet.ts';
import { relayFolder } from '../processes/relay.ts';
import { send } from '../processes/sender.ts';
import { cpuSeconds } from '../processes/usage.ts';
import { PEAK_RATE } from './accept.ts';

/** From when Capillary sent an event until Adobe had it, at Capillary's peak rate. */
export const latency: Part = async ({ short, nodeFlags: flags, report: told }) => {
  const inlet = await startInlet();
  const folder = relayFolder(inlet, { batch: { maxWait: '50ms' } });
  const relay = await folder.start(flags);
  const job = { ...relay.webhook('header'), connections: 50, rate: PEAK_RATE };
  const run = async (seconds: number, seed: number): Promise<void> => {
    const count = PEAK_RATE * seconds;
    await send({ ...job, events: { count, body: 330, customers: 20_000, seed } });
    await inlet.landed(count);
  };
  told(`${PEAK_RATE}/s`);
  await run(2, 1);
  await inlet.reset();
  const seconds = short ? 3 : 12;
  const cpuBefore = cpuSeconds(relay.pid);
  await run(seconds, 2);
  const cpu = cpuSeconds(relay.pid) - cpuBefore;
  const { others } = await inlet.times();
  await relay.end();
  folder.remove();
  await inlet.end();
  return [
    { what: `sent to landed at ${PEAK_RATE}/s, p50`, value: others.p50, unit: 'ms' },
    { what: `sent to landed at ${PEAK_RATE}/s, p99`, value: others.p99, unit: 'ms', goal: { most: 150 } },
    { what: 'processors that the relay keeps busy meanwhile', value: cpu / seconds, unit: '' },
  ];
};
