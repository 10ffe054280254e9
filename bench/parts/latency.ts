import type { Part } from '../part.ts';
import { startInlet } from '../processes/inlet.ts';
import { relayFolder } from '../processes/relay.ts';
import { send } from '../processes/sender.ts';
import { cpuSeconds } from '../processes/usage.ts';
import { PEAK_RATE } from './steady.ts';

/** Time from sending an event until it landed at Adobe, at Capillary's peak rate. */
export const latency: Part = async (bench) => {
  const { short, nodeFlags: flags, log } = bench;
  const inlet = await startInlet();
  const folder = relayFolder(bench, inlet, { batch: { maxWait: '50ms' } });
  const relay = await folder.start(flags);
  const job = { ...relay.webhook('header'), connections: 50, rate: PEAK_RATE };
  const run = async (seconds: number, seed: number): Promise<void> => {
    const count = PEAK_RATE * seconds;
    await send({ ...job, events: { count, body: 330, customers: 20_000, seed } });
    await inlet.whenLanded(count);
  };
  log(`${PEAK_RATE}/s`);
  await run(2, 1);
  await inlet.reset();
  const seconds = short ? 3 : 12;
  const cpuBefore = cpuSeconds(relay.pid);
  await run(seconds, 2);
  const cpu = cpuSeconds(relay.pid) - cpuBefore;
  const { others } = await inlet.times();
  await relay.stop();
  folder.remove();
  await inlet.stop();
  return [
    { what: `time from sent to landed at ${PEAK_RATE}/s, p50`, value: others.p50, unit: 'ms' },
    {
      what: `time from sent to landed at ${PEAK_RATE}/s, p99`,
      value: others.p99,
      unit: 'ms',
      goal: { most: 150 },
    },
    { what: 'CPUs used by the relay', value: cpu / seconds, unit: '' },
  ];
};
