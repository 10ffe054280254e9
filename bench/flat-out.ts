import type { SendResult } from './load/job.ts';
import type { Bench, Figure } from './part.ts';
import type { CountingInlet } from './processes/inlet.ts';
import type { RelayUnderTest } from './processes/relay.ts';
import { prepareSender } from './processes/sender.ts';
import { startUsage, type Usage } from './processes/usage.ts';

export const WARM_UP_EVENTS = 3_000;
/** The maximum that Adobe allows. */
export const LIMITS = { messagesPerSecond: 10_000, requestsPerSecond: 1_000 };

interface Delivered {
  readonly sent: SendResult;
  /** From the first request until the last event landed. */
  readonly seconds: number;
  readonly usage: Usage;
}

/** Has a relay accept and deliver all documented kinds of events as fast as it can. */
export async function deliverFlatOut(
  { log }: Bench,
  inlet: CountingInlet,
  relay: RelayUnderTest,
  count: number,
): Promise<Delivered> {
  const job = { ...relay.webhook('header'), connections: 50 };
  log('warming up');
  const warmUp = { count: WARM_UP_EVENTS, body: 'mixed', customers: 1_000, seed: 1 } as const;
  await (await prepareSender({ ...job, events: warmUp })).go();
  await inlet.whenLanded(WARM_UP_EVENTS);
  await inlet.reset();

  log(`${count} events`);
  const sender = await prepareSender({
    ...job,
    events: { count, body: 'mixed', customers: 20_000, seed: 2 },
  });
  const usage = startUsage(relay.pid);
  const started = performance.now();
  const sent = await sender.go();
  await inlet.whenLanded(count);
  const seconds = (performance.now() - started) / 1_000;
  return { sent, seconds, usage: await usage() };
}

/** CPU time per event. */
export function cpuMicros({ cpuSeconds }: Pick<Usage, 'cpuSeconds'>, events: number): number {
  return (cpuSeconds * 1e6) / events;
}

/** What an event costs. */
export function costFigures(
  what: string,
  usage: Usage,
  events: number,
  goals: { readonly cpuRatio?: number; readonly kib?: number } = {},
): readonly Figure[] {
  return [
    {
      what: `${what}: CPU time per event`,
      value: cpuMicros(usage, events),
      unit: 'µs',
      ...(goals.cpuRatio !== undefined && { ratioGoal: { most: goals.cpuRatio } }),
    },
    {
      what: `${what}: written to disk per event`,
      value: usage.writtenKib / events,
      unit: 'KiB',
      ...(goals.kib !== undefined && { goal: { most: goals.kib } }),
    },
  ];
}
