import { setTimeout as sleep } from 'node:timers/promises';
import { deliverFlatOut, LIMITS } from '../flat-out.ts';
import type { Figure } from '../part.ts';
import { PEAK_RATE } from '../parts/steady.ts';
import type { RelayUnderTest } from '../processes/relay.ts';
import { send } from '../processes/sender.ts';
import { cpuSeconds, peakMib } from '../processes/usage.ts';
import { dropSchema, type PostgresRig } from './rig.ts';
import { serverCpuSeconds } from './server.ts';

/** What the last events have both do later, such as a checkpoint. */
const AFTERWARDS_MS = 3_000;

interface Costs {
  /** µs of CPU time an event. */
  readonly relay: number;
  readonly server: number;
}

/** What events cost from now on. @returns to call when they have landed */
function startCosts({ server }: PostgresRig, relay: RelayUnderTest): (events: number) => Promise<Costs> {
  const before = { relay: cpuSeconds(relay.pid), server: serverCpuSeconds(server) };
  return async (events) => {
    await sleep(AFTERWARDS_MS);
    return {
      relay: ((cpuSeconds(relay.pid) - before.relay) * 1e6) / events,
      server: ((serverCpuSeconds(server) - before.server) * 1e6) / events,
    };
  };
}

function costRows(what: string, costs: Costs, most?: number): readonly Figure[] {
  return [
    { what: `${what}: CPU time per event, relay`, value: costs.relay, unit: 'µs' },
    { what: `${what}: CPU time per event, server`, value: costs.server, unit: 'µs' },
    {
      what: `${what}: CPU time per event, together`,
      value: costs.relay + costs.server,
      unit: 'µs',
      ...(most !== undefined && { goal: { most } }),
    },
  ];
}

/** All documented kinds of events at the peak rate, accepted and delivered. */
async function measureSteady(rig: PostgresRig, relay: RelayUnderTest): Promise<readonly Figure[]> {
  const { bench, inlet } = rig;
  const count = PEAK_RATE * (bench.short ? 3 : 12);
  bench.log(`accepting and delivering ${PEAK_RATE}/s`);
  await inlet.reset();
  const costs = startCosts(rig, relay);
  const { times } = await send({
    ...relay.webhook('header'),
    connections: 50,
    rate: PEAK_RATE,
    events: { count, body: 'mixed', customers: 20_000, seed: 3 },
  });
  await inlet.whenLanded(count);
  const what = `${PEAK_RATE}/s through`;
  return [
    { what: `${what}: response time, p50`, value: times.p50, unit: 'ms' },
    { what: `${what}: response time, p99`, value: times.p99, unit: 'ms' },
    ...costRows(what, await costs(count)),
  ];
}

/** Events from the webhook to the inlet: as fast as they go, and at the peak rate. */
export async function measureThrough(rig: PostgresRig): Promise<readonly Figure[]> {
  const { bench, inlet } = rig;
  const count = bench.short ? 6_000 : 50_000;
  const relay = await rig.folder('through', { limits: LIMITS }).start(bench.nodeFlags);
  const costs = startCosts(rig, relay);
  const { seconds, sent } = await deliverFlatOut(bench, inlet, relay, count);
  const { profiles, repeated } = await inlet.counts();
  const flatOut = await costs(count);
  const figures: Figure[] = [
    { what: 'events accepted and landed', value: count / seconds, unit: '/s', goal: { least: 1_500 } },
    { what: 'events accepted meanwhile', value: (count * 1_000) / sent.tookMs, unit: '/s' },
    { what: 'messages per event', value: (count + profiles) / count, unit: '' },
    { what: 'events that landed twice', value: repeated, unit: '' },
    ...costRows('flat out', flatOut, 700),
    ...(await measureSteady(rig, relay)),
    { what: 'peak resident memory of the relay', value: peakMib(relay.pid), unit: 'MiB' },
  ];
  await relay.stop();
  await dropSchema(rig, 'through');
  return figures;
}
