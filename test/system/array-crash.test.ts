import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { nextEventId } from '../fixtures/events.ts';
import { relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

const PRELOAD = new URL('../helpers/crash-at-failpoint.mjs', import.meta.url).href;
/** More than are committed together. */
const EVENTS = 1_200;

let simulator: Simulator;
let folder: ReturnType<typeof relayFolder>;
beforeAll(async () => {
  simulator = await startSimulator();
  folder = relayFolder(relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() }));
});
afterAll(async () => {
  await folder.remove();
  await simulator.close();
});

it('a relay that is killed within an array has each of its events once when it is sent again', async () => {
  const events = Array.from({ length: EVENTS }, (_, index) => ({
    eventName: 'customerUpdated',
    eventId: nextEventId(),
    orgId: 100458,
    createdAt: 1_790_848_801_774,
    data: { customerIdentifiers: { customerId: index + 1, instore: {} } },
  }));
  const body = JSON.stringify(events);
  // The second batch of appends is on disk, but the relay does not know it yet.
  const env = { NODE_OPTIONS: `--import=${PRELOAD}`, CRASH_AT: 'journal-committed#2#append' };
  const killed = await folder.start({ env });
  await expect(killed.post(body)).rejects.toThrow('fetch failed');
  expect(await killed.exited).toBeNull();

  const relay = await folder.start();
  const { accepted } = (await relay.admin('/admin/v1/ledger')).body;
  expect(accepted).toBeGreaterThan(0);
  expect(accepted).toBeLessThan(EVENTS);
  const answer = await relay.post(body);
  const { receipts } = (await answer.json()) as { receipts: string[] };
  expect(new Set(receipts).size).toBe(EVENTS);
  expect((await relay.admin('/admin/v1/ledger')).body).toMatchObject({ accepted: EVENTS, balanced: true });
  await until(async () => (await relay.admin('/admin/v1/ledger')).body.delivered === EVENTS);
  expect(new Set(simulator.landed({ kind: 'event' }).map(({ id }) => id)).size).toBe(EVENTS);
});
