import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/capillary/json.ts';
import { issuePoints } from '../../src/simulator/capillary/world/points-account.ts';
import { accountOf, type WorldCustomer } from '../../src/simulator/capillary/world/world-customer.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { nextEventId } from '../fixtures/events.ts';
import { relayConfig, relayFolder, type RelayProcess } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

/*
 * What a marketer asks of the profiles and events that landed, after sequences of webhooks through
 * the built relay with the default configuration; docs/mapping.md#use-cases lists the same cases.
 * The last ones are about what only Capillary's API says, so their relay has `enrich`.
 */

const DAY_MS = 86_400_000;
const NOW = Date.now();
const daysFromNow = (days: number): number => NOW + days * DAY_MS;

/** With the names of programs and tiers, as most events have it. */
const PROGRAM = {
  id: 973,
  name: 'Circle',
  isDefault: true,
  tiers: [
    { tierNumber: 1, tierName: 'Silver' },
    { tierNumber: 2, tierName: 'Gold' },
  ],
};

const CLIENT = { key: 'northKey', secret: 'northSecret' };

let simulator: Simulator;
let relay: RelayProcess;
/** Of the same simulator, with `enrich`. */
let enriching: RelayProcess;
const folders: ReturnType<typeof relayFolder>[] = [];
let lastCustomer = 7_000;

async function start(source: object): Promise<RelayProcess> {
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  config.sources = config.sources.map((given) => ({ ...given, ...source }));
  const folder = relayFolder(config);
  folders.push(folder);
  return folder.start();
}

beforeAll(async () => {
  simulator = await startSimulator({ capillary: { clients: [CLIENT], world: { customers: 5 } } });
  const api = { url: simulator.capillaryUrl, ...CLIENT };
  const enrich = { coalesce: '100ms' };
  [relay, enriching] = await Promise.all([
    start({}),
    start({ orgIds: [simulator.capillary.org], api, enrich }),
  ]);
});
afterAll(async () => {
  await Promise.all([relay, enriching].map((one) => one.stop('SIGTERM')));
  await Promise.all(folders.map((folder) => folder.remove()));
  await simulator.close();
});

/** One customer, whose events are sent one after the other, a minute apart. */
function newCustomer() {
  lastCustomer += 1;
  const customerId = lastCustomer;
  let clock = daysFromNow(-1);
  const send = async (eventName: string, data: object, at = (clock += 60_000)): Promise<void> => {
    clock = Math.max(clock, at);
    const answer = await relay.post({
      eventName,
      eventId: nextEventId(),
      orgId: 100458,
      createdAt: at,
      data: {
        ...(eventName === 'loyaltyCustomerMerge' ? {} : { customerIdentifiers: { customerId } }),
        ...data,
      },
    });
    expect(answer.status).toBe(200);
  };
  return {
    customerId,
    send,
    issue: (points: number, balance: number, expiryAt: number, more: object = {}) =>
      send('pointsIssued', {
        loyaltyProgramId: 973,
        loyaltyProgramDetails: PROGRAM,
        totalPointsIssued: points,
        regularPointsIssued: points,
        programCurrentPoints: balance,
        regularPointsBreakup: [{ points, expiryAtInMillis: expiryAt }],
        ...more,
      }),
    /** The profile after all events have been delivered. */
    async profile(): Promise<JsonObject> {
      await settled(relay);
      return profileOf(customerId);
    },
    /** The events after all have been delivered. */
    async events(): Promise<readonly JsonObject[]> {
      await settled(relay);
      return eventsOf(customerId);
    },
  };
}

/**
 * A customer of Capillary's world who has bought something. The only event that the relay gets of
 * them is that of the bill, without its lines.
 */
async function newBuyer(prepare: (customer: WorldCustomer) => void = () => undefined) {
  const { world, org } = simulator.capillary;
  const buyer = world.addMember(NOW);
  prepare(buyer);
  const { customerId, bills } = buyer;
  const [bill] = bills;
  if (bill === undefined) throw new Error('a member has a bill');
  const answer = await enriching.post({
    eventName: 'transactionAdded',
    eventId: nextEventId(),
    orgId: org,
    createdAt: NOW,
    data: { customerIdentifiers: { customerId }, transactionId: bill.id, amount: bill.amount / 100 },
  });
  expect(answer.status).toBe(200);
  await settled(enriching);
  return { buyer, bill, profile: profileOf(customerId), events: eventsOf(customerId) };
}

function profileOf(customerId: number): JsonObject {
  const identity = { namespace: 'capillaryId', id: String(customerId) };
  return simulator.profile(identity)?.fragments[0]?.entity ?? {};
}

function eventsOf(customerId: number): readonly JsonObject[] {
  return simulator
    .landed({ kind: 'event', limit: 10_000 })
    .filter((record) => record.identity?.id === String(customerId) && record.dropped.length === 0)
    .map(({ entity }) => entity);
}

async function settled(process: RelayProcess): Promise<void> {
  await until(async () => {
    const { body } = await process.admin('/admin/v1/ledger');
    const { pending, dead, malformed } = body as Record<string, number>;
    expect({ dead, malformed }).toEqual({ dead: 0, malformed: 0 });
    return pending === 0;
  });
}

function valueAt(record: JsonValue | undefined, path: string): JsonValue | undefined {
  return path
    .split('.')
    .reduce<JsonValue | undefined>((value, name) => (isJsonObject(value) ? value[name] : undefined), record);
}

function textAt(record: JsonValue | undefined, path: string): string {
  const value = valueAt(record, path);
  return typeof value === 'string' ? value : '';
}

function numberAt(record: JsonObject, path: string): number {
  const value = valueAt(record, path);
  return typeof value === 'number' ? value : 0;
}

/** Points of the profile that expire within these days, as a segment would add them up. */
function expiringWithin(profile: JsonObject, days: number): number {
  const lots = valueAt(profile, 'loyalty.pointsExpiration');
  return (Array.isArray(lots) ? lots : [])
    .filter((lot) => Date.parse(textAt(lot, 'pointsExpirationDate')) <= daysFromNow(days))
    .reduce<number>((sum, lot) => sum + Number(valueAt(lot, 'pointsExpiring')), 0);
}

const MAPPING_PAGE = fileURLToPath(new URL('../../docs/mapping.md', import.meta.url));
const [, USE_CASES = ''] = readFileSync(MAPPING_PAGE, 'utf8').split('## Use cases\n');

/** Names of the use cases in the order of the table. */
const CASES = [...(USE_CASES.split('\n## ')[0] ?? '').matchAll(/^\| ([^|]+) \|/gm)]
  .map(([, name]) => name)
  .filter((name) => name !== 'Use case');

describe('a use case of docs/mapping.md works with the default configuration', () => {
  it('Tier became Gold', async () => {
    const customer = newCustomer();
    await customer.issue(10, 10, daysFromNow(90));
    // A batch event has neither the name of the program nor those of its tiers.
    await customer.send('tierUpgraded', {
      loyaltyProgramId: 973,
      previousTierNumber: 1,
      upgradedTierNumber: 2,
    });

    expect(valueAt(await customer.profile(), 'loyalty.tier')).toBe('Gold');
    expect(valueAt(await customer.profile(), 'loyalty.program')).toBe('Circle');
    const upgrades = (await customer.events()).filter(
      (event) => event['eventType'] === 'loyalty.tierUpgraded',
    );
    expect(upgrades.map((event) => valueAt(event, '_acme.capillary.tier.current'))).toEqual(['Gold']);
  });

  it('Points that expire within 30 days', async () => {
    const customer = newCustomer();
    await customer.send('customerAdded', { enteredAt: daysFromNow(-1), loyaltyType: 'LOYALTY' });
    await customer.issue(100, 100, daysFromNow(20));
    await customer.issue(50, 150, daysFromNow(25));
    await customer.issue(30, 180, daysFromNow(90));
    expect(expiringWithin(await customer.profile(), 30)).toBe(150);

    await customer.send('pointsExpiryChange', {
      loyaltyProgramDetails: PROGRAM,
      updatedPointsExpiryBreakup: [
        {
          points: 50,
          pointsPreviousExpiryDateInMillis: daysFromNow(25),
          newExpiryDateInMillis: daysFromNow(60),
        },
      ],
    });
    expect(expiringWithin(await customer.profile(), 30)).toBe(100);

    await customer.send('pointsExpired', { loyaltyProgramId: 973, pointsExpired: 100 });
    expect(expiringWithin(await customer.profile(), 30)).toBe(0);
    expect(expiringWithin(await customer.profile(), 100)).toBe(80);
  });

  it('Points balance above a number', async () => {
    const [customer, victim] = [newCustomer(), newCustomer()];
    const balance = async () => valueAt(await customer.profile(), 'loyalty.points');
    await customer.issue(500, 500, daysFromNow(90));
    expect(await balance()).toBe(500);
    await customer.send('pointsExpired', { loyaltyProgramId: 973, pointsExpired: 100 });
    expect(await balance()).toBe(400);
    await customer.send('manualPointsAdjustment', {
      totalPoinstDeducted: 50,
      programPointsSplit: [{ programId: 973, points: 50 }],
    });
    expect(await balance()).toBe(350);
    await customer.send('pointsTransferredReceived', {
      loyaltyProgramId: 973,
      totalPointsTransferred: 200,
    });
    expect(await balance()).toBe(550);

    await victim.issue(300, 300, daysFromNow(90));
    await customer.send('loyaltyCustomerMerge', {
      survivorCustomerIdentifiers: { customerId: customer.customerId },
      victimCustomerIdentifiers: { customerId: victim.customerId },
      survivorCustomerLoyaltySummary: [
        { loyaltyProgramId: 973, currentPoints: 850, lifetimePoints: 1_000, tierNumber: 2 },
      ],
    });
    expect(await balance()).toBe(850);
    expect(valueAt(await customer.profile(), 'loyalty.tier')).toBe('Gold');
  });

  it('Spent more than an amount in 90 days, without fraud and net of returns', async () => {
    const customer = newCustomer();
    const bill = (billNumber: string, amount: number, more: object = {}) =>
      customer.send('transactionAdded', {
        billNumber,
        amount,
        currencyCode: 'GBP',
        billType: 'REGULAR',
        ...more,
      });
    await bill('B-1', 120);
    await bill('B-2', 80, { outlierStatus: 'FRAUD' });
    await bill('B-3', 30, { billType: 'RETURN', outlierStatus: 'NORMAL' });
    await bill('B-4', 500, { billDate: daysFromNow(-120) });
    await customer.send('transactionUpdated', { billNumber: 'B-1', amount: 120, currencyCode: 'GBP' });
    await customer.send('notInterestedBillAdded', { billNumber: 'N-1', amount: 60, currencyCode: 'GBP' });
    await customer.send('retroBillAdded', {
      billNumber: 'B-5',
      amount: 10,
      currencyCode: 'GBP',
      billDate: daysFromNow(-30),
    });

    const recent = (await customer.events()).filter(
      (event) =>
        ['commerce.purchases', 'commerce.backofficeCreditMemoIssued'].includes(textAt(event, 'eventType')) &&
        Date.parse(textAt(event, 'timestamp')) >= daysFromNow(-90),
    );
    const spent = recent.reduce(
      (sum, event) =>
        sum + numberAt(event, 'commerce.order.priceTotal') - numberAt(event, 'commerce.order.refundTotal'),
      0,
    );
    expect(spent).toBe(100);
    expect(recent.reduce((sum, event) => sum + numberAt(event, 'commerce.purchases.value'), 0)).toBe(2);
  });

  it('Store of the last purchase', async () => {
    const customer = newCustomer();
    const bill = (billNumber: string, code: string, more: object = {}) =>
      customer.send('transactionAdded', {
        billNumber,
        amount: 5,
        enteredBy: { id: 1, store: { code, name: `Store ${code}` } },
        ...more,
      });
    await bill('S-1', 'leeds');
    await bill('S-2', 'york');
    await bill('S-3', 'hull', { billType: 'RETURN' });

    const [last] = (await customer.events())
      .filter((event) => valueAt(event, 'commerce.purchases') !== undefined)
      .toSorted((a, b) => textAt(b, 'timestamp').localeCompare(textAt(a, 'timestamp')));
    expect(valueAt(last, 'commerce.commerceScope.storeCode')).toBe('york');
  });

  it('Tier at risk', async () => {
    const [risky, saved] = [newCustomer(), newCustomer()];
    for (const customer of [risky, saved]) {
      await customer.issue(10, 10, daysFromNow(90));
      await customer.send('tierDowngradeReminder', {
        loyaltyProgramId: 973,
        currentTierNumber: 2,
        scheduledDowngradeDate: '2099-03-31',
      });
    }
    await saved.send('tierRenewed', { loyaltyProgramId: 973, currentTierNumber: 2 });

    expect(valueAt(await risky.profile(), '_acme.capillary.tier')).toEqual({
      atRisk: true,
      downgradeDate: '2099-03-31T22:59:59.999Z',
    });
    expect(valueAt(await saved.profile(), '_acme.capillary.tier.atRisk')).not.toBe(true);
  });

  it('Unused coupon', async () => {
    const customer = newCustomer();
    const own = { customerIdentifiers: { customerId: customer.customerId } };
    const coupon = (id: number) => ({
      id,
      code: `SAVE-${id}`,
      valid_till: '2099-12-31',
      ...own,
    });
    await customer.send('CouponIssue', {
      coupons: [coupon(1), coupon(2)],
      series_info: { id: 12, description: 'Ten off' },
    });
    await customer.send('CouponRedeem', { coupon: { id: 1, code: 'SAVE-1', redemptionId: 5 } });

    const coupons = valueAt(await customer.profile(), '_acme.capillary.coupons');
    expect(coupons).toMatchObject([{ id: '2', code: 'SAVE-2', state: 'issued' }]);
  });

  it('Birthday', async () => {
    const customer = newCustomer();
    await customer.send('customerAdded', {
      enteredAt: daysFromNow(-1),
      firstName: 'Asha',
      extendedFields: [{ key: 'dob', value: 'Tue Mar 04 15:27:00 GMT 1990' }],
    });

    expect(valueAt(await customer.profile(), 'person.birthDate')).toBe('1990-03-04');
  });

  it('Member or not', async () => {
    const [member, guest] = [newCustomer(), newCustomer()];
    await member.send('customerAdded', { enteredAt: daysFromNow(-1), loyaltyType: 'LOYALTY' });
    await guest.send('customerAdded', { enteredAt: daysFromNow(-1), loyaltyType: 'NON_LOYALTY' });

    expect(valueAt(await member.profile(), '_acme.capillary.member')).toBe(true);
    expect(valueAt(await guest.profile(), '_acme.capillary.member')).toBe(false);
    expect(valueAt(await guest.profile(), 'loyalty.joinDate')).toBeUndefined();
  });

  it('Opted out of SMS', async () => {
    const customer = newCustomer();
    const answer = (sourceAccountId: string, currentStatus: string) =>
      customer.send('customerSubscription', {
        subscriptions: [
          { channel: 'SMS', priority: 'BULK', sourceName: 'INSTORE', sourceAccountId, currentStatus },
        ],
      });
    await answer('1', 'OPTOUT');
    await answer('2', 'OPTIN');
    expect(valueAt(await customer.profile(), 'consents.marketing.sms.val')).toBe('n');

    await answer('1', 'OPTIN');
    expect(valueAt(await customer.profile(), 'consents.marketing.sms.val')).toBe('y');
  });

  it('Points that expire within 30 days, of a customer who only bought', async () => {
    const { profile } = await newBuyer((customer) => {
      const account = accountOf(customer);
      const lot = { kind: 'bill_regular', awardedAt: NOW } as const;
      account.lots = [];
      issuePoints(account, { ...lot, id: 1, issued: 70, expiresAt: daysFromNow(20) });
      issuePoints(account, { ...lot, id: 2, issued: 30, expiresAt: daysFromNow(90) });
    });

    expect(expiringWithin(profile, 30)).toBe(70);
    expect(expiringWithin(profile, 100)).toBe(100);
    expect(valueAt(profile, 'loyalty.points')).toBe(100);
  });

  it('Tier without any tier event', async () => {
    const { buyer, profile } = await newBuyer();

    const { program, standing } = accountOf(buyer);
    expect(valueAt(profile, 'loyalty.tier')).toBe(standing.tier.name);
    expect(valueAt(profile, 'loyalty.program')).toBe(program.name);
    expect(valueAt(profile, '_acme.capillary.member')).toBe(true);
  });

  it('Bought a product', async () => {
    const { bill, events } = await newBuyer();

    const purchases = events.filter(({ eventType }) => eventType === 'commerce.purchases');
    const items = purchases.flatMap(({ productListItems }) =>
      Array.isArray(productListItems) ? productListItems : [],
    );
    expect(items.map((item) => [valueAt(item, 'SKU'), valueAt(item, 'priceTotal')])).toEqual(
      bill.lines.map(({ product, amount }) => [product.sku, amount / 100]),
    );
    expect(items.every((item) => textAt(item, 'name') !== '')).toBe(true);
  });

  it('is tested for each row of the table', () => {
    const titles = [...readFileSync(fileURLToPath(import.meta.url), 'utf8').matchAll(/^ {2}it\('([^']+)'/gm)];

    expect([...CASES, 'is tested for each row of the table']).toEqual(titles.map(([, title]) => title));
  });
});
