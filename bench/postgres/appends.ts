import type { Figure } from '../part.ts';
import { measureAcceptRate } from '../parts/accept.ts';
import { PEAK_RATE } from '../parts/steady.ts';
import type { RelayUnderTest } from '../processes/relay.ts';
import { send } from '../processes/sender.ts';
import { cpuSeconds } from '../processes/usage.ts';
import { compare } from '../statistics.ts';
import { insertPending } from './pending-events.ts';
import { plainInsertRate } from './plain-inserts.ts';
import { dropSchema, type PostgresRig } from './rig.ts';
import { serverCpuSeconds } from './server.ts';

/** Enough that each statement has many events. */
const CONNECTIONS = 200;
const BODY_BYTES = 330;
/** How often the answers at the peak rate are measured: a pause of a shared machine spoils one. */
const ROUNDS = 3;

function acceptRate(relay: RelayUnderTest, count: number): Promise<number> {
  return measureAcceptRate(relay.webhook('header'), BODY_BYTES, count, CONNECTIONS);
}

async function compareWithInserts(
  { bench, server }: PostgresRig,
  relay: RelayUnderTest,
): Promise<readonly Figure[]> {
  const count = bench.short ? 4_000 : 20_000;
  const insertCount = 2 * count;
  bench.log('warming up');
  await acceptRate(relay, bench.short ? 4_000 : 40_000);
  bench.log('relay and hand-written inserts alternately');
  const { ratio, control, a, b } = await compare(
    bench.short ? 1 : 3,
    () => acceptRate(relay, count),
    () =>
      plainInsertRate({
        url: server.url(),
        schema: 'accepting',
        callers: CONNECTIONS,
        count: insertCount,
        bodyBytes: BODY_BYTES,
      }),
  );
  return [
    { what: 'durable responses, one replica', value: a, unit: '/s', goal: { least: 2_500 } },
    { what: 'the same rows by hand-written inserts', value: b, unit: '/s' },
    { what: 'ratio relay / inserts', value: ratio, unit: '×', goal: { least: 0.5 }, control },
  ];
}

function least(values: readonly number[]): number {
  return Math.min(...values);
}

/** Answers at the peak rate, while nothing is delivered; the best of a few rounds. */
async function measureAnswers(
  { bench, server }: PostgresRig,
  relay: RelayUnderTest,
): Promise<readonly Figure[]> {
  const count = PEAK_RATE * (bench.short ? 3 : 10);
  const runs: { readonly p50: number; readonly p99: number; readonly cpu: number }[] = [];
  for (let round = 0; round < (bench.short ? 1 : ROUNDS); round += 1) {
    bench.log(`answers at ${PEAK_RATE}/s`);
    const before = cpuSeconds(relay.pid) + serverCpuSeconds(server);
    const { times } = await send({
      ...relay.webhook('header'),
      connections: 50,
      rate: PEAK_RATE,
      events: { count, body: BODY_BYTES, customers: 20_000, seed: 100 + round },
    });
    const cpu = cpuSeconds(relay.pid) + serverCpuSeconds(server) - before;
    runs.push({ p50: times.p50, p99: times.p99, cpu: (cpu * 1e6) / count });
  }
  return [
    { what: `response time at ${PEAK_RATE}/s, p50`, value: least(runs.map(({ p50 }) => p50)), unit: 'ms' },
    {
      what: `response time at ${PEAK_RATE}/s, p99`,
      value: least(runs.map(({ p99 }) => p99)),
      unit: 'ms',
      goal: { most: 25 },
    },
    {
      what: `CPU time per event accepted at ${PEAK_RATE}/s, relay and server`,
      value: least(runs.map(({ cpu }) => cpu)),
      unit: 'µs',
    },
  ];
}

async function compareWithBacklog(rig: PostgresRig, small: RelayUnderTest): Promise<readonly Figure[]> {
  const { bench, server } = rig;
  const pending = bench.short ? 50_000 : 1_000_000;
  bench.log(`writing ${pending} pending events`);
  const folder = rig.folder('backlog');
  const full = await folder.start();
  await full.setDelivering(false);
  await insertPending(server, 'backlog', pending);
  bench.log('accepting with the backlog and without alternately');
  const count = bench.short ? 4_000 : 20_000;
  await acceptRate(full, count);
  const { ratio, control, a } = await compare(
    bench.short ? 1 : 3,
    () => acceptRate(full, count),
    () => acceptRate(small, count),
  );
  await full.stop();
  return [
    { what: `durable responses beside ${pending} pending`, value: a, unit: '/s' },
    {
      what: `ratio beside ${pending} pending / without`,
      value: ratio,
      unit: '×',
      goal: { least: 0.9 },
      control,
    },
  ];
}

/** What accepting achieves, compared with a program that only inserts, and beside a backlog. */
export async function measureAppends(rig: PostgresRig): Promise<readonly Figure[]> {
  const relay = await rig.folder('accepting').start(rig.bench.nodeFlags);
  await relay.setDelivering(false);
  const figures = [
    ...(await compareWithInserts(rig, relay)),
    ...(await measureAnswers(rig, relay)),
    ...(await compareWithBacklog(rig, relay)),
  ];
  await relay.stop();
  await rig.server.query('DROP TABLE plain_events, plain_bodies, plain_queue');
  await rig.server.query('DROP SEQUENCE plain_positions');
  for (const schema of ['accepting', 'backlog']) await dropSchema(rig, schema);
  return figures;
}
