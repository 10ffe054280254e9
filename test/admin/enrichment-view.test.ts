import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Entities } from '../../src/capillary/entities.ts';
import { customerContents, entitiesIn, parseEntities } from '../../src/capillary/stored-entities.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeEach(async () => {
  rig = await startAdminRig();
});
afterEach(() => rig.close());

const CALLS = [{ call: 'GET /v2/customers/{id}', requestId: 'cap-1', status: 200 }];
const AT = Date.UTC(2026, 0, 31, 8, 0, 5);
const ENTITIES: Entities = {
  customer: {
    kind: 'found',
    at: AT,
    calls: CALLS,
    customer: {
      customerId: '11',
      firstName: 'Secretname',
      identifiers: [{ kind: 'email', value: 'secret@mail.test', account: 'instore' }],
      programs: [{ programId: '1', points: 77_123, lots: [{ points: 5, expiryDate: '2027-01-01' }] }],
      subscriptions: [],
      status: { label: 'Secretlabel' },
    },
  },
  bill: {
    at: AT,
    calls: [{ call: 'GET /v2/transactions/{id}' }],
    bill: {
      transactionId: '7',
      lines: [{ sku: 'SECRET-SKU' }],
      tenders: [{ mode: 'Cash', amount: 88_456 }],
      extendedFields: { note: 'secret' },
    },
  },
};

/** The record of an event that was delivered with this enrichment. */
async function recordWith(enrichment: object) {
  const { receipt } = (await rig.webhook('acme', transactionAdded(1))).body;
  await rig.settle(() => ({ state: 'delivered', delivered: ['event'], enrichment }));
  return { receipt, read: async () => (await rig.get(`/admin/v1/events/${receipt}?body=false`)).body };
}

describe('what was read for an event', () => {
  it('is shown by calls, times and numbers, without a value', async () => {
    const { read } = await recordWith({ entities: JSON.stringify(ENTITIES) });
    const body = await read();

    expect(body.enrichment).toEqual({
      customer: {
        answer: 'found',
        readAt: '2026-01-31T08:00:05.000Z',
        calls: CALLS,
        contents: { programs: 1, expiryDates: 1, identifiers: 1, status: 1 },
      },
      bill: {
        readAt: '2026-01-31T08:00:05.000Z',
        calls: [{ call: 'GET /v2/transactions/{id}' }],
        contents: { lines: 1, tenders: 1, fields: 1 },
      },
    });
    expect(JSON.stringify(body)).not.toMatch(/secret|77123|88456/i);
  });

  it('says what is still missing, until it is there', async () => {
    const { read } = await recordWith({ missing: { customer: true, bill: true, dueIn: 60_000 } });

    expect((await read()).enrichment).toEqual({
      refresh: {
        customer: true,
        bill: true,
        dueAt: new Date(rig.state.now + 60_000).toISOString(),
        attempts: 0,
        isRunning: false,
      },
    });
  });

  it('is absent if nothing was, and if it cannot be read', async () => {
    expect(await (await recordWith({})).read()).not.toHaveProperty('enrichment');
    expect(await (await recordWith({ entities: '{"customer":1}' })).read()).not.toHaveProperty('enrichment');
  });

  it.each(['/events/RECEIPT/replay', '/dead-letters/replay'])(
    'is kept by a replay, also by one that fetches again: POST %s',
    async (path) => {
      const { receipt } = (await rig.webhook('acme', transactionAdded(1))).body;
      const route = `/admin/v1${path.replace('RECEIPT', receipt)}`;
      const selection = path.includes('RECEIPT') ? {} : { receipts: [receipt] };
      const record = async () => (await rig.get(`/admin/v1/events/${receipt}`)).body;
      const die = () =>
        rig.settle(() => ({
          state: 'dead',
          reason: 'rejected',
          sent: [],
          enrichment: { entities: JSON.stringify(ENTITIES) },
        }));
      await die();
      await rig.post(route, selection);
      expect((await record()).enrichment).toHaveProperty('bill');
      await die();
      await rig.post(route, { ...selection, refetch: true });

      expect(await record()).toMatchObject({ state: 'pending', replays: 2 });
      expect((await record()).enrichment).toHaveProperty('bill');
      expect((await record()).timeline.at(-1)).toMatchObject({ action: 'replayed with refetch' });
    },
  );
});

describe('stored entities', () => {
  it.each(['{', '[]', '1', '{"bill":{"at":1,"calls":[],"bill":{}}}', '{"customer":{"at":1,"calls":[]}}'])(
    'of another form are none: %s',
    (json) => {
      expect(parseEntities(json)).toBeUndefined();
    },
  );

  it('are read as they were written', () => {
    expect(parseEntities(JSON.stringify(ENTITIES))).toEqual(ENTITIES);
    expect(parseEntities('{}')).toEqual({});
    expect(parseEntities(undefined)).toBeUndefined();
    expect(entitiesIn({})).toEqual({});
  });

  it('of an erased customer have nothing', () => {
    expect(customerContents({ kind: 'erased' })).toEqual({});
  });
});
