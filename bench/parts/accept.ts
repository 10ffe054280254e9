import { compare } from '../statistics.ts';
import type { SendJob } from '../load/job.ts';
import type { Bench, Figure, Part } from '../part.ts';
import { type BareRoute, startBare } from '../processes/bare.ts';
import { startInlet } from '../processes/inlet.ts';
import { relayFolder, type RelayUnderTest } from '../processes/relay.ts';
import { send } from '../processes/sender.ts';

const CONNECTIONS = 50;
/**
 * After this many events V8 has optimised the code; earlier, the comparison would measure its
 * compilers.
 */
const WARM_UP_EVENTS = 40_000;

type Target = Pick<SendJob, 'url' | 'proof'>;

/** Sends as fast as the server answers. @returns events per second */
export async function measureAcceptRate(
  target: Target,
  body: number,
  count: number,
  connections = CONNECTIONS,
): Promise<number> {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const events = { count, body, customers: 20_000, seed };
  const { tookMs } = await send({ ...target, connections, events });
  return (count * 1_000) / tookMs;
}

async function compareWithBareRoute(
  { short, log }: Bench,
  relay: RelayUnderTest,
  bare: BareRoute,
): Promise<Figure[]> {
  const rows: Figure[] = [];
  log('warming up');
  for (const route of [relay, bare])
    await measureAcceptRate(route.webhook('header'), 330, short ? 4_000 : WARM_UP_EVENTS);
  for (const body of short ? [330] : [330, 4_096]) {
    for (const proof of ['header', 'hmac'] as const) {
      log(`${body} B, ${proof}: relay and bare route alternately`);
      const measure = (server: RelayUnderTest | BareRoute, count: number) => () =>
        measureAcceptRate(server.webhook(proof), body, count);
      // The bare route is faster and gets more events, so that both take about the same time.
      const [relayCount, bareCount] = short ? [4_000, 8_000] : [8_000, 16_000];
      await measure(relay, short ? 2_000 : 10_000)();
      await measure(bare, short ? 4_000 : 20_000)();
      const comparison = await compare(short ? 1 : 2, measure(relay, relayCount), measure(bare, bareCount));
      const what = `${body} B, ${proof}`;
      const { ratio, control } = comparison;
      rows.push(
        {
          what: `${what}: durable responses`,
          value: comparison.a,
          unit: '/s',
          ratioGoal: { least: 1.5 },
        },
        { what: `${what}: bare route`, value: comparison.b, unit: '/s' },
        { what: `${what}: ratio relay / bare route`, value: ratio, unit: '×', goal: { least: 0.6 }, control },
      );
    }
  }
  return rows;
}

/** Compares the webhook, with delivery paused, with a bare route. */
export const accept: Part = async (bench) => {
  const inlet = await startInlet();
  const folder = relayFolder(bench, inlet);
  const relay = await folder.start(bench.nodeFlags);
  const bare = await startBare();
  await relay.setDelivering(false);
  const rows = await compareWithBareRoute(bench, relay, bare);
  await bare.stop();
  await relay.stop();
  folder.remove();
  await inlet.stop();
  return rows;
};
