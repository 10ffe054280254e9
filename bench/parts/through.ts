import type { Part } from '../part.ts';
import { startInlet } from '../processes/inlet.ts';
import { relayFolder } from '../processes/relay.ts';
import { prepareSender } from '../processes/sender.ts';
import { cpuSeconds, peakMib } from '../processes/usage.ts';

/** Events of all documented kinds, accepted and landed: how many a second, and what the relay's process spends on one. */
export const through: Part = async ({ short, nodeFlags: flags, report: told }) => {
  const count = short ? 10_000 : 100_000;
  const inlet = await startInlet();
  const folder = relayFolder(inlet, { limits: { messagesPerSecond: 10_000, requestsPerSecond: 1_000 } });
  const relay = await folder.start(flags);
  const job = { ...relay.webhook('header'), connections: 50 };
  told('getting warm');
  await (
    await prepareSender({ ...job, events: { count: 3_000, body: 'mixed', customers: 1_000, seed: 1 } })
  ).go();
  await inlet.landed(3_000);
  await inlet.reset();

  told(`${count} events`);
  const events = { count, body: 'mixed', customers: 20_000, seed: 2 } as const;
  const sender = await prepareSender({ ...job, events });
  const cpuBefore = cpuSeconds(relay.pid);
  const begun = performance.now();
  const sent = await sender.go();
  await inlet.landed(count);
  const seconds = (performance.now() - begun) / 1_000;
  const cpu = cpuSeconds(relay.pid) - cpuBefore;
  const { profiles, again } = await inlet.counts();
  const peak = peakMib(relay.pid);
  await relay.end();
  folder.remove();
  await inlet.end();
  return [
    { what: 'events accepted and landed', value: count / seconds, unit: '/s' },
    { what: 'events accepted', value: (count * 1_000) / sent.tookMs, unit: '/s' },
    { what: 'messages an event', value: (count + profiles) / count, unit: '' },
    { what: 'events landed twice', value: again, unit: '' },
    {
      what: 'processor time of the relay an event',
      value: (cpu * 1e6) / count,
      unit: 'µs',
      goal: { most: 100 },
    },
    { what: 'most resident memory', value: peak, unit: 'MiB' },
  ];
};
