import { compare } from '../statistics.ts';
import type { SendJob } from '../load/job.ts';
import type { Bench, Figure, Part } from '../part.ts';
import { type BareRoute, startBare } from '../processes/bare.ts';
import { startInlet } from '../processes/inlet.ts';
import { relayFolder, type RelayUnderTest } from '../processes/relay.ts';
import { send } from '../processes/sender.ts';

const CONNECTIONS = 50;
/** What Capillary sends to one organisation at the most, events a second. */
export const PEAK_RATE = 833;

/** Events after which V8 has optimised what a webhook passes through: before that the first comparison would be of two compilers. */
const WARM = 40_000;

type Target = Pick<SendJob, 'url' | 'proof'>;

/** Sends as fast as is answered. Answers events a second. */
export async function acceptRate(target: Target, body: number, count: number): Promise<number> {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const events = { count, body, customers: 20_000, seed };
  const { tookMs } = await send({ ...target, connections: CONNECTIONS, events });
  return (count * 1_000) / tookMs;
}

async function versusBare(
  { short, report: told }: Bench,
  relay: RelayUnderTest,
  bare: BareRoute,
): Promise<Figure[]> {
  const rows: Figure[] = [];
  told('getting warm');
  for (const route of [relay, bare]) await acceptRate(route.webhook('header'), 330, short ? 4_000 : WARM);
  for (const body of short ? [330] : [330, 4_096]) {
    for (const proof of ['header', 'hmac'] as const) {
      told(`${body} B, ${proof}: the relay and the bare route in turn`);
      const measure = (of: RelayUnderTest | BareRoute, count: number) => () =>
        acceptRate(of.webhook(proof), body, count);
      // The bare route is faster and would be through sooner.
      const [forRelay, forBare] = short ? [4_000, 8_000] : [8_000, 16_000];
      await measure(relay, short ? 2_000 : 10_000)();
      await measure(bare, short ? 4_000 : 20_000)();
      const found = await compare(short ? 1 : 2, measure(relay, forRelay), measure(bare, forBare));
      const what = `${body} B, ${proof}`;
      const { ratio, control } = found;
      rows.push(
        { what: `${what}: durable answers`, value: found.a, unit: '/s' },
        { what: `${what}: bare route`, value: found.b, unit: '/s' },
        { what: `${what}: relay to bare route`, value: ratio, unit: '×', goal: { least: 0.6 }, control },
      );
    }
  }
  return rows;
}

/** Webhooks with delivery paused against a bare route; then the time of an answer at Capillary's peak rate, with delivery going on. */
export const accept: Part = async (bench) => {
  const inlet = await startInlet();
  const folder = relayFolder(inlet);
  const relay = await folder.start(bench.nodeFlags);
  const bare = await startBare();
  await relay.deliver(false);
  const rows = await versusBare(bench, relay, bare);
  await bare.end();
  await relay.end();
  folder.remove();

  bench.report(`${PEAK_RATE}/s, with delivery`);
  const fresh = relayFolder(inlet);
  const steady = await fresh.start();
  const job = { ...steady.webhook('header'), connections: CONNECTIONS, rate: PEAK_RATE };
  await send({ ...job, events: { count: PEAK_RATE * 2, body: 330, customers: 20_000, seed: 1 } });
  const count = PEAK_RATE * (bench.short ? 3 : 10);
  const { times } = await send({ ...job, events: { count, body: 330, customers: 20_000, seed: 2 } });
  await steady.end();
  fresh.remove();
  await inlet.end();
  return [
    ...rows,
    { what: `answer at ${PEAK_RATE}/s, p50`, value: times.p50, unit: 'ms' },
    { what: `answer at ${PEAK_RATE}/s, p99`, value: times.p99, unit: 'ms', goal: { most: 10 } },
  ];
};
