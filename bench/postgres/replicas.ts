import { setTimeout as sleep } from 'node:timers/promises';
import { startBalancer } from '../../src/simulator/balancer.ts';
import { DOCUMENTED_NAMES, makeEvents } from '../../src/simulator/capillary/capillary-events.ts';
import { sendEvents } from '../../src/simulator/capillary/webhook-sender.ts';
import { KEY } from '../../test/helpers/relay-process.ts';
import type { Figure } from '../part.ts';
import type { RelayUnderTest } from '../processes/relay.ts';
import { cpuSeconds } from '../processes/usage.ts';
import { dropSchema, type PostgresRig } from './rig.ts';
import { serverCpuSeconds } from './server.ts';

const REPLICAS = 3;
/** Slots of a destination. */
const SLOTS = 64;
/** Of the simulated events. */
const ORG_ID = 100_458;
const WARM_UP_EVENTS = 3_000;
const EVENTS_PER_SECOND = 150;
const REPEAT_AFTER_MS = 100;
const POLL_INTERVAL_MS = 20;
/** The work that follows a start. */
const SETTLE_MS = 5_000;

async function startReplicas(rig: PostgresRig): Promise<readonly RelayUnderTest[]> {
  const relays = await Promise.all(
    Array.from({ length: REPLICAS }, () => rig.folder('replicas', { batch: { maxWait: '50ms' } }).start()),
  );
  await whenShared(relays);
  return relays;
}

/** Waits until the relays own all slots, each its share. @returns ms */
async function whenShared(relays: readonly RelayUnderTest[]): Promise<number> {
  const started = performance.now();
  for (;;) {
    const owned = await Promise.all(relays.map((relay) => relay.ownedSlots()));
    const isComplete = owned.reduce((sum, count) => sum + count, 0) === SLOTS;
    if (isComplete && Math.min(...owned) >= Math.floor(SLOTS / relays.length))
      return performance.now() - started;
    await sleep(POLL_INTERVAL_MS);
  }
}

interface Sending {
  readonly url: string;
  readonly count: number;
  /** Of other events. */
  readonly seed: number;
  /** Events a second; by default as fast as they are answered. */
  readonly rate?: number;
}

/** Webhooks that are sent again a moment after they were not accepted, and what the sender sees. */
async function sendWithRepeats({ url, count, seed, rate }: Sending) {
  const firstSentAt = new Map<unknown, number>();
  const seen = { longestGap: 0, longestWait: 0, repeats: 0 };
  let acceptedAt = performance.now();
  const report = await sendEvents({
    url,
    events: makeEvents({ count, customers: 2_000, orgId: ORG_ID, seed, names: DOCUMENTED_NAMES, awkward: 0 }),
    ...(rate !== undefined && { rate }),
    concurrency: 50,
    minDelayMs: REPEAT_AFTER_MS,
    maxDelayMs: REPEAT_AFTER_MS,
    sign: () => ({ 'x-relay-key': KEY }),
    onAnswer: ({ send, status, durationMs, retryInMs }) => {
      const now = performance.now();
      const sentAt = firstSentAt.get(send.event) ?? now - durationMs;
      firstSentAt.set(send.event, sentAt);
      if (retryInMs !== undefined) seen.repeats += 1;
      if (status !== 200) return;
      seen.longestGap = Math.max(seen.longestGap, now - acceptedAt);
      seen.longestWait = Math.max(seen.longestWait, now - sentAt);
      acceptedAt = now;
    },
  });
  return { ...seen, accepted: report.accepted + report.duplicate };
}

/** What a sender that repeats sees of the death of a replica behind a balancer. */
export async function measureKill(rig: PostgresRig): Promise<readonly Figure[]> {
  const { bench, inlet } = rig;
  const seconds = bench.short ? 8 : 16;
  const count = EVENTS_PER_SECOND * seconds;
  const relays = await startReplicas(rig);
  const [victim, ...others] = relays;
  if (victim === undefined) throw new Error('there is no replica');
  const balancer = await startBalancer(relays.map(({ intakeUrl }) => intakeUrl));
  const url = `${balancer.url}/webhooks/acme`;
  bench.log('warming up');
  await inlet.reset();
  const warmUp = await sendWithRepeats({ url, count: WARM_UP_EVENTS, seed: 1 });
  await inlet.whenLanded(warmUp.accepted);
  await inlet.reset();
  bench.log(`killing one of ${REPLICAS} replicas at ${EVENTS_PER_SECOND}/s`);
  const sending = sendWithRepeats({ url, count, seed: 2, rate: EVENTS_PER_SECOND });
  await sleep((seconds * 1_000) / 4);
  await victim.stop('SIGKILL');
  const takenOverMs = await whenShared(others);
  const { longestGap, longestWait, repeats, accepted } = await sending;
  await inlet.whenLanded(accepted);
  await balancer.close();
  for (const relay of others) await relay.stop();
  await dropSchema(rig, 'replicas');
  const what = `one of ${REPLICAS} replicas killed`;
  return [
    { what: `${what}: longest time without an answer`, value: longestGap, unit: 'ms', goal: { most: 1_000 } },
    {
      what: `${what}: longest time until an event was accepted, with repeats`,
      value: longestWait,
      unit: 'ms',
      goal: { most: 1_000 },
    },
    { what: `${what}: webhooks that were repeated`, value: repeats, unit: '' },
    { what: `${what}: events not accepted`, value: count - accepted, unit: '', goal: { most: 0 } },
    {
      what: `${what}: its customers taken over after`,
      value: takenOverMs,
      unit: 'ms',
      goal: { most: 10_000 },
    },
  ];
}

/** What replicas without events cost, the database included. */
export async function measureIdle(rig: PostgresRig): Promise<readonly Figure[]> {
  const { bench, server } = rig;
  const relays = await startReplicas(rig);
  const seconds = bench.short ? 5 : 20;
  bench.log(`${REPLICAS} replicas without events for ${seconds} s`);
  await sleep(SETTLE_MS);
  const read = (): { relays: number; server: number } => ({
    relays: relays.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0),
    server: serverCpuSeconds(server),
  });
  const before = read();
  await sleep(seconds * 1_000);
  const after = read();
  for (const relay of relays) await relay.stop();
  await dropSchema(rig, 'replicas');
  const share = (cpu: number): number => (cpu * 100) / seconds / REPLICAS;
  const ofRelay = share(after.relays - before.relays);
  const ofServer = share(after.server - before.server);
  return [
    { what: 'idle: CPU use of a replica, of one CPU', value: ofRelay, unit: '%' },
    { what: 'idle: CPU use of the server for each replica', value: ofServer, unit: '%' },
    { what: 'idle: both together', value: ofRelay + ofServer, unit: '%', goal: { most: 2 } },
  ];
}
