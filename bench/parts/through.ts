import type { Part } from '../part.ts';
import { startInlet } from '../processes/inlet.ts';
import { relayFolder } from '../processes/relay.ts';
import { prepareSender } from '../processes/sender.ts';
import { cpuSeconds, peakMib } from '../processes/usage.ts';

/** End-to-end rate of all documented kinds of events, and the CPU time of the relay per event. */
export const through: Part = async ({ short, nodeFlags: flags, log }) => {
  const count = short ? 10_000 : 100_000;
  const inlet = await startInlet();
  const folder = relayFolder(inlet, { limits: { messagesPerSecond: 10_000, requestsPerSecond: 1_000 } });
  const relay = await folder.start(flags);
  const job = { ...relay.webhook('header'), connections: 50 };
  log('warming up');
  await (
    await prepareSender({ ...job, events: { count: 3_000, body: 'mixed', customers: 1_000, seed: 1 } })
  ).go();
  await inlet.whenLanded(3_000);
  await inlet.reset();

  log(`${count} events`);
  const events = { count, body: 'mixed', customers: 20_000, seed: 2 } as const;
  const sender = await prepareSender({ ...job, events });
  const cpuBefore = cpuSeconds(relay.pid);
  const started = performance.now();
  const sent = await sender.go();
  await inlet.whenLanded(count);
  const seconds = (performance.now() - started) / 1_000;
  const cpu = cpuSeconds(relay.pid) - cpuBefore;
  const { profiles, repeated } = await inlet.counts();
  const peak = peakMib(relay.pid);
  await relay.stop();
  folder.remove();
  await inlet.stop();
  return [
    { what: 'events accepted and landed', value: count / seconds, unit: '/s' },
    { what: 'events accepted', value: (count * 1_000) / sent.tookMs, unit: '/s' },
    { what: 'messages per event', value: (count + profiles) / count, unit: '' },
    { what: 'events that landed twice', value: repeated, unit: '' },
    {
      what: 'CPU time of the relay per event',
      value: (cpu * 1e6) / count,
      unit: 'µs',
      goal: { most: 100 },
    },
    { what: 'peak resident memory', value: peak, unit: 'MiB' },
  ];
};
