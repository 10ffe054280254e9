import { expect, it, onTestFinished } from 'vitest';
import type { JsonObject } from '../../src/capillary/json.ts';
import { balanceOf } from '../../src/simulator/capillary/world/points-account.ts';
import type { WorldCustomer } from '../../src/simulator/capillary/world/world-customer.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

const CLIENT = { key: 'northKey', secret: 'northSecret' };
const ENRICH = { coalesce: '200ms', attempts: 1, maxDelay: '4s' };

interface Order {
  readonly purchaseID?: string;
}

function configFor(simulator: Simulator) {
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  const api = { url: simulator.capillaryUrl, ...CLIENT, callsPerMinute: 60_000 };
  const [{ orgIds: _any, ...source } = {}] = config.sources;
  config.sources = [{ ...source, api, enrich: ENRICH }];
  return config;
}

async function startBoth() {
  const simulator = await startSimulator({
    capillary: { clients: [CLIENT], world: { customers: 40 } },
    validationDelayMs: 0,
  });
  onTestFinished(() => simulator.close());
  const folder = relayFolder(configFor(simulator));
  onTestFinished(() => folder.remove());
  return { simulator, folder, relay: await folder.start() };
}

async function postAll(relay: RelayProcess, bodies: readonly string[]): Promise<void> {
  const answers = await Promise.all(bodies.map((body) => relay.post(body)));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
}

function ledgerOf(relay: RelayProcess): Promise<Record<string, number>> {
  return relay.admin('/admin/v1/ledger').then(({ body }) => body as Record<string, number>);
}

/** Nothing is pending, and nothing waits to be completed. */
async function whenComplete(relay: RelayProcess): Promise<Record<string, number>> {
  return until(async () => {
    const ledger = await ledgerOf(relay);
    const { body } = await relay.admin('/metrics');
    const refreshes = [...String(body).matchAll(/^relay_enrichment_refreshes\{.*\} (\d+)$/gm)];
    const isDone = ledger['pending'] === 0 && refreshes.every(([, count]) => count === '0');
    return isDone && ledger;
  });
}

/** Events of a bill in the lake, and of them those that have its lines. */
function billEvents(simulator: Simulator, billNumber: string) {
  const events = simulator
    .landed({ kind: 'event' })
    .map(({ entity, eventType }) => ({ entity, eventType }))
    .filter(({ entity }) => {
      const { order } = (entity['commerce'] ?? {}) as { order?: Order };
      return order?.purchaseID === billNumber || JSON.stringify(entity).includes(`"${billNumber}"`);
    });
  return { events, withLines: events.filter(({ entity }) => entity['productListItems'] !== undefined) };
}

function loyaltyOf(simulator: Simulator, { customerId }: WorldCustomer): JsonObject | undefined {
  const record = simulator
    .landed({ kind: 'profile' })
    .findLast(({ identity }) => identity?.id === String(customerId));
  return record?.entity['loyalty'] as JsonObject | undefined;
}

function pointsIssuedTo({ customerId }: WorldCustomer, orgId: number, eventId: string): string {
  return JSON.stringify({
    eventName: 'pointsIssued',
    eventId,
    orgId,
    createdAt: Date.now(),
    data: { customerIdentifiers: { customerId }, loyaltyProgramId: 1, totalPointsIssued: 1 },
  });
}

it('bills get their lines once and profiles the truth, over an outage of the API and a kill', async () => {
  const started = await startBoth();
  const { simulator, folder } = started;
  let { relay } = started;
  const { world } = simulator.capillary;
  const { events } = await simulator.capillary.raiseEvents({
    count: 36,
    names: ['transactionAdded'],
    customers: 30,
    awkward: 0,
    seed: 3,
  });
  const bodies = events.map(({ body }) => body);
  const part = Math.ceil(bodies.length / 3);

  await postAll(relay, bodies.slice(0, part));
  await until(async () => (await ledgerOf(relay))['pending'] === 0);
  expect(simulator.landed({ kind: 'event' }).some(({ entity }) => 'productListItems' in entity)).toBe(true);

  // The API is away: events go on as they came.
  simulator.setFaults([{ on: 'capillary', then: { status: 503 } }]);
  await postAll(relay, bodies.slice(part, 2 * part));
  await until(async () => (await ledgerOf(relay))['pending'] === 0);
  const isCorrection = ({ eventType }: { eventType?: string | undefined }): boolean =>
    eventType === 'loyalty.transactionUpdated';
  expect(simulator.landed({ kind: 'event' }).some(isCorrection)).toBe(false);
  simulator.setFaults([]);
  await whenComplete(relay);
  expect(simulator.landed({ kind: 'event' }).some(isCorrection)).toBe(true);

  // The process is killed while events wait for its answers.
  simulator.setFaults([{ on: 'capillary', match: { path: '/v2' }, then: { delayMs: 1_000 } }]);
  await postAll(relay, bodies.slice(2 * part));
  await relay.stop('SIGKILL');
  simulator.setFaults([]);
  relay = await folder.start();

  const ledger = await whenComplete(relay);
  expect(ledger).toMatchObject({ accepted: bodies.length, delivered: bodies.length, dead: 0, ignored: 0 });
  const buyers = new Set(events.flatMap(({ customerId }) => customerId ?? []));
  for (const customerId of buyers) {
    const customer = world.customers.get(Number(customerId))!;
    const [account] = customer.accounts;
    expect(loyaltyOf(simulator, customer)?.['points']).toBe(account && balanceOf(account));
  }
  const bills = events.flatMap(({ name, body }) => {
    const { data } = JSON.parse(body) as { data: { billNumber: string } };
    return name === 'transactionAdded' ? [data.billNumber] : [];
  });
  expect(bills.length).toBeGreaterThan(10);
  const ids = (number: string) =>
    new Set(billEvents(simulator, number).withLines.map(({ entity }) => entity['_id']));
  for (const number of bills) expect([number, ids(number).size]).toEqual([number, 1]);
  expect(await relay.stop('SIGTERM')).toBe(0);
});

it('a customer who was merged or erased is treated so, also after a restart', async () => {
  const started = await startBoth();
  const { simulator, folder } = started;
  let { relay } = started;
  const { world, org } = simulator.capillary;
  const [survivor, victim, erased] = [...world.customers.values()];
  if (survivor === undefined || victim === undefined || erased === undefined) throw new Error('no customers');
  await postAll(
    relay,
    [survivor, victim, erased].map((customer, n) => pointsIssuedTo(customer, org, `before-${n}`)),
  );
  await whenComplete(relay);
  const upserts = () => simulator.landed({ kind: 'profile' }).map(({ identity }) => identity?.id);
  expect(new Set(upserts())).toEqual(
    new Set([survivor, victim, erased].map(({ customerId }) => String(customerId))),
  );

  const at = Date.now();
  world.merge(survivor, victim, at);
  world.erase(erased, at);
  const known = upserts().length;
  // An answer of some seconds ago does not know it.
  await relay.stop('SIGTERM');
  relay = await folder.start();
  await postAll(relay, [pointsIssuedTo(victim, org, 'after-1'), pointsIssuedTo(erased, org, 'after-2')]);
  const ledger = await whenComplete(relay);
  // The relay has appended the merge.
  expect(ledger).toMatchObject({ accepted: 6, pending: 0, dead: 0 });
  const merges = await relay.admin('/admin/v1/events?eventName=loyaltyCustomerMerge');
  expect(merges.body.events).toMatchObject([
    { verifiedBy: 'enrichment', customerId: String(survivor.customerId), state: 'delivered' },
  ]);
  const types = simulator.landed({ kind: 'event' }).map(({ eventType }) => eventType);
  expect(types).toContain('loyalty.customerMerge');
  expect(new Set(upserts().slice(known))).toEqual(new Set([String(survivor.customerId)]));

  await relay.stop('SIGKILL');
  relay = await folder.start();
  expect(await whenComplete(relay)).toEqual(ledger);
  expect(upserts()).not.toContain(undefined);
});
