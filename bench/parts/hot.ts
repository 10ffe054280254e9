import { setTimeout as sleep } from 'node:timers/promises';
import { compare } from '../statistics.ts';
import type { Part } from '../part.ts';
import { startInlet } from '../processes/inlet.ts';
import { relayFolder } from '../processes/relay.ts';
import { prepareSender, send } from '../processes/sender.ts';

const EVENTS_PER_SECOND = 250;
const POLL_INTERVAL_MS = 50;

/**
 * Delivery time for a thousand customers, with and without a hot customer who has a large backlog.
 */
export const hot: Part = async (bench) => {
  const { short, log } = bench;
  const seconds = short ? 3 : 8;
  const inlet = await startInlet();
  /** p99 of the other customers, ms. */
  const measure = async (hotEvents: number): Promise<number> => {
    const folder = relayFolder(bench, inlet);
    const relay = await folder.start();
    await inlet.reset();
    const target = relay.webhook('header');
    const sender = await prepareSender({
      ...target,
      connections: 20,
      rate: EVENTS_PER_SECOND,
      events: { count: EVENTS_PER_SECOND * seconds, body: 330, customers: 1_000, seed: 1 },
    });
    if (hotEvents > 0) {
      log(`with a hot customer who has ${hotEvents} events`);
      const events = { count: hotEvents, body: 330, customers: 'hot', seed: 2 } as const;
      await send({ ...target, connections: 50, events });
    } else log('without the hot customer');
    await sender.go();
    let { others } = await inlet.times();
    while (others.count < EVENTS_PER_SECOND * seconds) {
      await sleep(POLL_INTERVAL_MS);
      ({ others } = await inlet.times());
    }
    // The remaining events of the hot customer do not matter.
    await relay.stop('SIGKILL');
    folder.remove();
    return others.p99;
  };
  const events = short ? 2_000 : 10_000;
  const { ratio, control, a, b } = await compare(
    short ? 1 : 2,
    () => measure(0),
    () => measure(events),
  );
  await inlet.stop();
  return [
    { what: 'other customers alone, p99', value: a, unit: 'ms' },
    { what: `other customers with one who has ${events} events, p99`, value: b, unit: 'ms' },
    { what: 'ratio with / without that customer', value: 1 / ratio, unit: '×', goal: { most: 1.5 }, control },
  ];
};
