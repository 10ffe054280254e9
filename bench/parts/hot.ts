import { setTimeout as sleep } from 'node:timers/promises';
import { compare } from '../statistics.ts';
import type { Part } from '../part.ts';
import { startInlet } from '../processes/inlet.ts';
import { relayFolder } from '../processes/relay.ts';
import { prepareSender, send } from '../processes/sender.ts';

const RATE = 250;

/** Time until the events of a thousand customers have landed, alone and beside one customer with very many. */
export const hot: Part = async ({ short, report: told }) => {
  const seconds = short ? 3 : 8;
  const inlet = await startInlet();
  /** p99 of the others, ms. */
  const measure = async (beside: number): Promise<number> => {
    const folder = relayFolder(inlet);
    const relay = await folder.start();
    await inlet.reset();
    const target = relay.webhook('header');
    const crowd = await prepareSender({
      ...target,
      connections: 20,
      rate: RATE,
      events: { count: RATE * seconds, body: 330, customers: 1_000, seed: 1 },
    });
    if (beside > 0) {
      told(`beside a customer with ${beside} events`);
      const events = { count: beside, body: 330, customers: 'hot', seed: 2 } as const;
      await send({ ...target, connections: 50, events });
    } else told('alone');
    await crowd.go();
    let { others } = await inlet.times();
    while (others.count < RATE * seconds) {
      await sleep(50);
      ({ others } = await inlet.times());
    }
    // The hot customer's events that are left are of no interest.
    await relay.end('SIGKILL');
    folder.remove();
    return others.p99;
  };
  const events = short ? 2_000 : 10_000;
  const { ratio, control, a, b } = await compare(
    short ? 1 : 2,
    () => measure(0),
    () => measure(events),
  );
  await inlet.end();
  return [
    { what: 'others alone, p99', value: a, unit: 'ms' },
    { what: `others beside a customer with ${events} events, p99`, value: b, unit: 'ms' },
    { what: 'beside to alone', value: 1 / ratio, unit: '×', goal: { most: 1.5 }, control },
  ];
};
