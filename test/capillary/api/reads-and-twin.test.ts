import { describe, expect, onTestFinished, test } from 'vitest';
import { createCapillaryClient } from '../../../src/capillary/api/capillary-client.ts';
import { createCapillaryReads } from '../../../src/capillary/api/capillary-reads.ts';
import type { CapillaryOptions } from '../../../src/simulator/capillary/api/capillary-options.ts';
import { balanceOf, promisedOf } from '../../../src/simulator/capillary/world/points-account.ts';
import { BASE_CURRENCY, DEFAULT_PROGRAM, PRODUCTS } from '../../../src/simulator/capillary/world/brand.ts';
import { createRandom } from '../../../src/simulator/random.ts';
import { withCapillary } from '../../simulator/capillary/api/capillary-caller.ts';
import { NEVER } from './reads-rig.ts';

const CLIENT = { key: 'northKey', secret: 'northSecret' };

async function readsAtTwin(options: CapillaryOptions = {}, now?: () => number) {
  const { simulator } = await withCapillary({ clients: [CLIENT], ...options }, now);
  const client = createCapillaryClient({
    api: { url: simulator.capillaryUrl, ...CLIENT, callsPerMinute: 100_000, concurrency: 4, timeout: 5_000 },
  });
  onTestFinished(() => client.close());
  const { world } = simulator.capillary;
  return { world, reads: createCapillaryReads({ client, serverZone: '+05:30' }), simulator };
}

describe('reads at the simulated Capillary', () => {
  test('say of every customer what is true there', async () => {
    const { world, reads } = await readsAtTwin();
    for (const customer of [...world.customers.values()].slice(0, 30)) {
      const answer = await reads.customer(String(customer.customerId), NEVER);
      expect(answer).toMatchObject({
        ok: true,
        call: { call: 'GET /v2/customers/{id}', status: 200 },
        value: {
          kind: 'found',
          customer: {
            firstName: customer.firstName,
            joinedAt: Math.floor(customer.joinedAt / 1_000) * 1_000,
            status: { label: 'Active' },
            subscriptions: customer.subscriptions,
            programs: customer.accounts.map((account) => ({
              programId: String(account.program.id),
              name: account.program.name,
              points: balanceOf(account),
              lifetimePoints: account.lifetimePoints,
              redeemed: account.redeemed,
              expired: account.expired,
              promised: promisedOf(account),
              tier: { number: account.standing.tier.number, name: account.standing.tier.name },
            })),
          },
        },
      });
      if (!answer.ok || answer.value.kind !== 'found') throw new Error('not found');
      const { programs, identifiers } = answer.value.customer;
      expect(identifiers.map(({ value }) => value)).toContain(customer.externalId);
      for (const { lots = [], points = 0, tierChanges, tierExpiresAt, tier } of programs) {
        expect(lots.reduce((sum, lot) => sum + lot.points, 0)).toBeLessThanOrEqual(points);
        expect(tierChanges).toBeInstanceOf(Array);
        expect(tierExpiresAt === undefined).toBe(tier?.number === 1);
      }
    }
  });

  test('follow a merged customer to the survivor', async () => {
    const { world, reads } = await readsAtTwin();
    const [survivor, victim] = [...world.customers.values()];
    if (!survivor || !victim) throw new Error('no customers');
    world.merge(survivor, victim, Date.now());
    expect(await reads.customer(String(victim.customerId), NEVER)).toMatchObject({
      ok: true,
      value: { kind: 'merged' },
    });
    expect(await reads.survivor(String(victim.customerId), NEVER)).toMatchObject({
      value: String(survivor.customerId),
    });
    const self = await reads.survivor(String(survivor.customerId), NEVER);
    expect(self).toMatchObject({ ok: true });
    expect(self).toHaveProperty('value', undefined);
  });

  test('say that a customer is erased, masked or unknown', async () => {
    const { world, reads } = await readsAtTwin({ clients: [{ ...CLIENT, psiAccess: false }] });
    const [erased, masked] = [...world.customers.values()];
    if (!erased || !masked) throw new Error('no customers');
    world.erase(erased, Date.now());
    expect(await reads.customer(String(erased.customerId), NEVER)).toMatchObject({
      ok: true,
      value: { kind: 'erased' },
    });
    const answer = await reads.customer(String(masked.customerId), NEVER);
    expect(answer).toMatchObject({ value: { kind: 'found', customer: { isMasked: true } } });
    expect(JSON.stringify(answer)).not.toContain('**');
    expect(await reads.customer('999', NEVER)).toMatchObject({ error: { kind: 'customer-unknown' } });
  });

  test('say of a bill what was bought, once it can be read', async () => {
    let now = Date.UTC(2026, 9, 1, 9, 0);
    const { world, reads } = await readsAtTwin({ world: { freshBillMs: 60_000 } }, () => now);
    const [customer] = [...world.customers.values()];
    if (!customer) throw new Error('no customer');
    const bill = world.addBill(customer, now, createRandom(7));
    const read = () => reads.bill(String(bill.id), 'REGULAR', NEVER);
    now = bill.recordedAt;
    expect(await read()).toMatchObject({ error: { kind: 'busy', status: 521 } });
    now += 60_000;
    const answer = await read();
    if (!answer.ok) throw new Error(answer.error.text);
    expect(answer.value).toMatchObject({
      transactionId: String(bill.id),
      customerId: String(customer.customerId),
      billNumber: bill.number,
      billedAt: Math.floor(bill.billedAt / 1_000) * 1_000,
      amount: bill.amount / 100,
      lines: bill.lines.map((line) => ({
        sku: line.product.sku,
        quantity: line.quantity,
        amount: line.amount / 100,
      })),
      tenders: bill.tenders.map(({ mode, amount }) => ({ mode, amount: amount / 100 })),
    });
    expect([undefined, BASE_CURRENCY.isoCode]).toContain(answer.value.currency);
    expect(await reads.bill(String(bill.id), 'RETURN', NEVER)).toMatchObject({
      error: { kind: 'transaction-unknown' },
    });
  });

  test('know programs, currency and names of products', async () => {
    const { reads } = await readsAtTwin();
    const skus = PRODUCTS.map(({ sku }) => sku);
    expect(await reads.programs(NEVER)).toMatchObject({
      value: expect.arrayContaining([
        { programId: String(DEFAULT_PROGRAM.id), name: DEFAULT_PROGRAM.name, isDefault: true },
      ]) as unknown,
    });
    expect(await reads.baseCurrency(NEVER)).toMatchObject({ value: BASE_CURRENCY.isoCode });
    expect(await reads.productNames([...skus, 'NO-SUCH'], NEVER)).toMatchObject({
      value: new Map(PRODUCTS.map(({ sku, name }) => [sku, name])),
    });
  });
});
