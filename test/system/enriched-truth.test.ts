import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GeneratedEvent } from '../../src/simulator/capillary/capillary-events.ts';
import type { RaiseOptions } from '../../src/simulator/capillary/api/event-run.ts';
import type { RelayProcess } from '../helpers/relay-process.ts';
import {
  landedLines,
  landedOf,
  landedTypes,
  type TruthRig,
  truthOf,
  truthRig,
} from './enriched-truth-rig.ts';

/*
 * Three days of a brand, with returns, merges, erasures, expiries, repeated and overtaking
 * webhooks, outages of both APIs, and a limit of calls. 80 calls a minute at Capillary are 80 a
 * second here: a minute of the limit is a second. The waits of `enrich` are as documented.
 */

const isLong = process.env['LONG_ENRICHMENT'] === '1';
/** What happens to whom; when it happens differs from run to run. */
const SEED = Number(process.env['ENRICHMENT_SEED'] ?? 504);
const CUSTOMERS = isLong ? 2_000 : 120;
const EVENTS_A_DAY = isLong ? 1_600 : 120;
const EVENTS_PER_SECOND = isLong ? 80 : 40;
const CALLS_PER_MINUTE = 60 * 80;
const DAYS = 3;
const OUTAGE_MS = isLong ? 4_000 : 1_500;
const PURCHASES = isLong ? 200 : 30;
/** 27 purchases a minute at 80 calls. */
const PURCHASES_PER_SECOND = 27;
const MAX_CALLS_PER_PURCHASE = 2.2;
const QUIET_INTERVAL_MS = 250;
const TEST_LIMIT_MS = 10 * 60_000;

let rig: TruthRig;
let relay: RelayProcess;
/** All events, the oldest first. */
const raised: GeneratedEvent[] = [];

beforeAll(async () => {
  rig = await truthRig(SEED, CALLS_PER_MINUTE);
  relay = await rig.relay.start();
});

afterAll(() => rig.close());

/** Capillary's API is away, then refuses for a moment; Adobe answers some requests with 503. */
async function outage(): Promise<void> {
  const { simulator } = rig;
  await sleep(OUTAGE_MS / 3);
  simulator.setFaults([
    { on: 'capillary', match: { path: '/v2' }, then: { status: 503 } },
    { on: 'inlet', times: 3, then: { status: 503 } },
  ]);
  await sleep(OUTAGE_MS);
  simulator.setFaults([
    { on: 'capillary', match: { path: '/v2/' }, times: 2, then: { status: 429, retryAfter: 1 } },
  ]);
}

async function isQuiet(): Promise<boolean> {
  const { body: ledger } = await relay.admin('/admin/v1/ledger');
  const { body: enrichment } = await relay.admin('/admin/v1/enrichment');
  return (
    ledger.pending === 0 &&
    enrichment.sources.every(
      ({ refreshes }: { refreshes: { customers: number; bills: number; running: number } }) =>
        refreshes.customers + refreshes.bills + refreshes.running === 0,
    )
  );
}

/** Resolves when nothing waits any more, and nothing is to be refreshed. */
async function quiet(): Promise<void> {
  const deadline = performance.now() + TEST_LIMIT_MS;
  while (!(await isQuiet())) {
    if (performance.now() > deadline) throw new Error('events wait, or are still to be completed');
    await sleep(QUIET_INTERVAL_MS);
  }
}

/** Resolves when the relay has accepted all. */
async function raise(options: RaiseOptions): Promise<readonly GeneratedEvent[]> {
  const run = await rig.simulator.capillary.raiseEvents({ customers: CUSTOMERS, ...options });
  const { accepted, givenUp, unlisted } = await run.settled();
  expect({ accepted, givenUp, unlisted }).toEqual({ accepted: options.count, givenUp: 0, unlisted: 0 });
  raised.push(...run.events);
  return run.events;
}

/** Calls that read customers and bills, so far. */
function callCount(): number {
  let count = 0;
  for (const [route, outcomes] of rig.simulator.capillary.calls)
    if (/^GET .*(customer|transaction)s?\//.test(route))
      for (const calls of outcomes.values()) count += calls;
  return count;
}

function purchasesIn(events: readonly GeneratedEvent[]): number {
  return events.filter(({ name }) => name === 'transactionAdded').length;
}

/** Those whom events were about; events of groups name a member who has none of it. */
function touchedCustomers() {
  const ids = new Set(
    raised.flatMap(({ customerId, variant }) =>
      customerId === undefined || variant === 'group' ? [] : [Number(customerId)],
    ),
  );
  return [...rig.simulator.capillary.world.customers.values()].filter(({ customerId }) =>
    ids.has(customerId),
  );
}

it(
  `shows in Adobe what is true at Capillary (seed ${SEED})`,
  async () => {
    for (let day = DAYS - 1; day >= 0; day -= 1) {
      rig.setDaysAgo(day);
      const interrupted = outage();
      await raise({ count: EVENTS_A_DAY, rate: EVENTS_PER_SECOND, seed: SEED + day, awkward: 0.1 });
      await interrupted;
    }
    await quiet();
    const now = rig.now();
    const live = touchedCustomers().filter(({ state }) => state === 'live');
    const landed = live.map(({ customerId }) => ({
      customerId,
      ...landedOf(rig.simulator, customerId, now),
    }));
    const truth = live.map((customer) => ({ customerId: customer.customerId, ...truthOf(customer, now) }));
    expect(landed).toEqual(truth);
    expect(live.length).toBeGreaterThan(CUSTOMERS / 3);
  },
  TEST_LIMIT_MS,
);

it('has the lines of each bill once', () => {
  const { simulator } = rig;
  const isSold = new Set(
    raised.flatMap(({ name, body }) => {
      const { data } = JSON.parse(body) as { data: { transactionId?: number } };
      return name === 'transactionAdded' ? [data.transactionId] : [];
    }),
  );
  const { bills, customers } = simulator.capillary.world;
  const sold = [...bills.values()].filter(
    ({ id, customerId }) => isSold.has(id) && customers.get(customerId)?.state === 'live',
  );
  const truth = sold.map(({ id, lines }) => {
    const skus: Record<string, number> = {};
    for (const { product } of lines) skus[product.sku] = (skus[product.sku] ?? 0) + 1;
    return { id, lines: skus };
  });
  const landed = landedLines(simulator);
  expect(sold.map(({ id }) => ({ id, lines: landed.get(id) }))).toEqual(truth);
  expect(sold.length).toBeGreaterThan(0);
});

it(
  'has and sends nothing of customers who were erased',
  async () => {
    const { simulator } = rig;
    const erased = touchedCustomers().filter(({ state }) => state === 'erased');
    expect(erased.length).toBeGreaterThan(0);
    const landed = landedTypes(simulator);
    for (const { customerId } of erased) {
      const types = landed.get(String(customerId)) ?? [];
      const deletion = types.indexOf('loyalty.customerDeleted');
      expect(deletion).toBeGreaterThanOrEqual(0);
      expect(new Set(types.slice(deletion))).toEqual(new Set(['loyalty.customerDeleted']));
    }
    // The admin API limits requests.
    for (const { customerId } of erased.slice(0, 20)) {
      const { body } = await relay.admin(`/admin/v1/events?customerId=${customerId}`);
      for (const { receipt } of body.events) {
        const { body: record } = await relay.admin(`/admin/v1/events/${receipt}`);
        expect(record).toMatchObject({ customerId: String(customerId), hasBody: false });
        expect(record).not.toHaveProperty('enrichment');
      }
    }
  },
  TEST_LIMIT_MS,
);

it(
  `makes at most ${MAX_CALLS_PER_PURCHASE} calls per purchase while there are enough`,
  async () => {
    const before = callCount();
    const events = await raise({
      count: 2 * PURCHASES,
      rate: 2 * PURCHASES_PER_SECOND,
      seed: SEED + DAYS,
      names: ['transactionAdded', 'pointsIssued'],
      awkward: 0,
    });
    await quiet();
    const perPurchase = (callCount() - before) / purchasesIn(events);
    console.log(
      `seed ${SEED}: ${perPurchase} calls per purchase; in all ${callCount()} calls,`,
      `${raised.length} events, ${purchasesIn(raised)} bills, ${touchedCustomers().length} customers`,
    );
    expect(perPurchase).toBeLessThanOrEqual(MAX_CALLS_PER_PURCHASE);
  },
  TEST_LIMIT_MS,
);
