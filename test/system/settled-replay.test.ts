import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

const PRELOAD = new URL('../helpers/crash-at-failpoint.mjs', import.meta.url).href;
/** Of several steps. */
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

async function ledger(relay: RelayProcess) {
  return (await relay.admin('/admin/v1/ledger')).body;
}

/** Ids of the events in the data lake, each once. */
function eventIds(): Set<string> {
  return new Set(simulator.lake('events-dataset').map(({ id }) => id ?? ''));
}

it('a replay of everything that was delivered between two times continues after kills, each event once', async () => {
  const relay = await folder.start({
    env: { NODE_OPTIONS: `--import=${PRELOAD}`, CRASH_AT: 'journal-committed#2#replayStep' },
  });
  const since = new Date().toISOString();
  expect((await relay.post(Array.from({ length: EVENTS }, (_, n) => transactionAdded(n)))).status).toBe(200);
  await until(async () => (await ledger(relay)).delivered === EVENTS);
  const first = eventIds();
  expect(first.size).toBe(EVENTS);
  const body = {
    filter: { destination: 'acme-aep', settledSince: since, settledUntil: Date.now() + 1 },
    states: ['delivered'],
    asNew: true,
  };
  const dryRun = await relay.admin('/admin/v1/events/replay', {
    method: 'POST',
    body: JSON.stringify({ ...body, dryRun: true }),
  });
  expect(dryRun.body).toMatchObject({ matched: EVENTS, eligible: EVENTS, dryRun: true });
  expect(dryRun.body.sample).toHaveLength(10);

  // The relay dies while it answers: the caller does not know whether the replay was recorded.
  const lost = relay.admin('/admin/v1/events/replay', { method: 'POST', body: JSON.stringify(body) });
  expect(await lost.catch(() => 'no answer')).toBe('no answer');
  await relay.exited;
  // Killed again while it continues.
  const second = folder.start({
    env: { NODE_OPTIONS: `--import=${PRELOAD}`, CRASH_AT: 'journal-committed#2#replayStep' },
  });
  await second.then(
    ({ exited }) => exited,
    () => undefined,
  );

  const last = await folder.start();
  const jobOf = async () => (await last.admin('/admin/v1/replays/1')).body;
  await until(async () => (await jobOf()).done === true);
  expect(await jobOf()).toMatchObject({ matched: EVENTS, replayed: EVENTS, asNew: true });
  await until(async () => (await ledger(last)).delivered === EVENTS);
  expect(await ledger(last)).toMatchObject({ accepted: EVENTS, pending: 0, dead: 0, balanced: true });
  const again = [...eventIds()].filter((id) => !first.has(id));
  expect(again.toSorted()).toEqual([...first].map((id) => `${id}-r1`).toSorted());
  // What was delivered by it was settled later, so the repeated request finds nothing.
  const repeated = await last.admin('/admin/v1/events/replay', {
    method: 'POST',
    body: JSON.stringify(body),
  });
  expect(repeated).toMatchObject({ status: 200, body: { matched: 0, replayed: 0, done: true } });
  expect(await last.stop('SIGTERM')).toBe(0);
});
