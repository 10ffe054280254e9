import { compare } from '../statistics.ts';
import type { SendJob } from '../load/job.ts';
import type { Bench, Figure, Part } from '../part.ts';
import { type BareRoute, startBare } from '../processes/bare.ts';
import { startInlet } from '../processes/inlet.ts';
import { relayFolder, type RelayUnderTest } from '../processes/relay.ts';
import { send } from '../processes/sender.ts';

const CONNECTIONS = 50;
/** Capillary's maximum for one organisation, events per second. */
export const PEAK_RATE = 833;

/**
 * After this many events V8 has optimised the code; earlier, the comparison would measure its
 * compilers.
 */
const WARM_UP_EVENTS = 40_000;

type Target = Pick<SendJob, 'url' | 'proof'>;

/** Sends as fast as the server answers. @returns events per second */
export async function measureAcceptRate(target: Target, body: number, count: number): Promise<number> {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const events = { count, body, customers: 20_000, seed };
  const { tookMs } = await send({ ...target, connections: CONNECTIONS, events });
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
        { what: `${what}: durable responses`, value: comparison.a, unit: '/s' },
        { what: `${what}: bare route`, value: comparison.b, unit: '/s' },
        { what: `${what}: ratio relay / bare route`, value: ratio, unit: '×', goal: { least: 0.6 }, control },
      );
    }
  }
  return rows;
}

/**
 * Compares the webhook, with delivery paused, with a bare route; then measures the response time at
 * Capillary's peak rate, with delivery running.
 */
export const accept: Part = async (bench) => {
  const inlet = await startInlet();
  const folder = relayFolder(inlet);
  const relay = await folder.start(bench.nodeFlags);
  const bare = await startBare();
  await relay.setDelivering(false);
  const rows = await compareWithBareRoute(bench, relay, bare);
  await bare.stop();
  await relay.stop();
  folder.remove();

  bench.log(`${PEAK_RATE}/s, with delivery`);
  const steadyFolder = relayFolder(inlet);
  const steady = await steadyFolder.start();
  const job = { ...steady.webhook('header'), connections: CONNECTIONS, rate: PEAK_RATE };
  await send({ ...job, events: { count: PEAK_RATE * 2, body: 330, customers: 20_000, seed: 1 } });
  const count = PEAK_RATE * (bench.short ? 3 : 10);
  const { times } = await send({ ...job, events: { count, body: 330, customers: 20_000, seed: 2 } });
  await steady.stop();
  steadyFolder.remove();
  await inlet.stop();
  return [
    ...rows,
    { what: `response time at ${PEAK_RATE}/s, p50`, value: times.p50, unit: 'ms' },
    { what: `response time at ${PEAK_RATE}/s, p99`, value: times.p99, unit: 'ms', goal: { most: 10 } },
  ];
};
