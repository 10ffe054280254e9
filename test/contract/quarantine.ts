import { describe, expect, it } from 'vitest';
import { RefusedError } from '../../src/journal/journal.ts';
import { append, DAY, sampleEvent, sampleMalformed, sampleQuarantined, T0 } from './samples.ts';
import { retainAt } from './maintenance-round.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const POLICY = { delivered: DAY, ids: DAY, dead: DAY };
const AMPLE = { maxCount: 100, maxBytes: 100_000_000, maxAge: DAY };

/** A request with a body of this size and no headers. */
function requestOfSize(size: number, source = 'acme') {
  return sampleQuarantined({ source, rawHeaders: [], body: Buffer.alloc(size) });
}

export function describeQuarantine(make: MakeStore) {
  return describe('quarantine', () => {
    const test = journalInTest(make);
    const receipts = async () =>
      (await test.journal.listQuarantined({}, { limit: 500 })).items.map((item) => item.receipt);

    it('stores a request as received, across a restart', async () => {
      const request = sampleQuarantined();
      const { receipt, evicted } = await test.journal.quarantine(request, AMPLE);
      expect(evicted).toBe(0);
      const { items, cursor } = await (await test.reopen()).listQuarantined({}, { limit: 10 });
      expect(items).toEqual([{ ...request, receipt, body: Buffer.from(request.body) }]);
      expect(cursor).toBeUndefined();
      expect(await test.journal.ledger()).toMatchObject({ acme: { accepted: 0, quarantined: 1 } });
    });

    it('evicts the oldest requests of the source beyond the count', async () => {
      const bounds = { ...AMPLE, maxCount: 2 };
      const first = await test.journal.quarantine(requestOfSize(1), AMPLE);
      const other = await test.journal.quarantine(requestOfSize(1, 'shop'), bounds);
      const second = await test.journal.quarantine(requestOfSize(1), AMPLE);
      const third = await test.journal.quarantine(requestOfSize(1), AMPLE);
      const fourth = await test.journal.quarantine(requestOfSize(1), bounds);
      expect(fourth.evicted).toBe(2);
      expect(await receipts()).toEqual([fourth.receipt, third.receipt, other.receipt]);
      expect([first.receipt, second.receipt]).not.toContain(third.receipt);
      expect(await test.journal.ledger()).toMatchObject({
        acme: { quarantined: 2 },
        shop: { quarantined: 1 },
      });
    });

    it('evicts the oldest requests of the source beyond the size, including headers', async () => {
      const bounds = { ...AMPLE, maxBytes: 100 };
      await test.journal.quarantine(requestOfSize(40), bounds);
      const second = await test.journal.quarantine(requestOfSize(40), bounds);
      const request = sampleQuarantined({ rawHeaders: ['Name', 'Value'], body: Buffer.alloc(51) });
      const third = await test.journal.quarantine(request, bounds);
      expect(third.evicted).toBe(1);
      expect(await receipts()).toEqual([third.receipt, second.receipt]);
    });

    it('does not store a request that alone exceeds the bounds, and evicts nothing for it', async () => {
      const bounds = { ...AMPLE, maxBytes: 50 };
      const stored = await test.journal.quarantine(requestOfSize(50), bounds);
      const { receipt, evicted } = await test.journal.quarantine(requestOfSize(51), bounds);
      await test.journal.quarantine(requestOfSize(1), { ...AMPLE, maxCount: 0 });
      expect(evicted).toBe(0);
      expect(receipt).not.toBe(stored.receipt);
      expect(await receipts()).toEqual([stored.receipt]);
    });

    it('gives the receipt to what is released, once, and records who released it', async () => {
      const { receipt } = await test.journal.quarantine(requestOfSize(1), AMPLE);
      const released = { receipt, by: 'admin (alice)' };
      test.clock.set(T0 + 5);
      const event = sampleEvent({ released });
      expect(await append(test.journal, event)).toEqual({ receipt, duplicate: false });
      expect(await append(test.journal, event)).toMatchObject({ receipt, duplicate: true });
      expect((await test.journal.find(receipt))?.actions).toEqual([
        { at: T0 + 5, by: 'admin (alice)', action: 'released from quarantine' },
      ]);
      const other = await append(test.journal, sampleEvent({ released, identity: 'ab'.repeat(32) }));
      expect(other.duplicate).toBe(false);
      expect(other.receipt).not.toBe(receipt);
    });

    it('stores a malformed body that is released only once', async () => {
      const { receipt } = await test.journal.quarantine(requestOfSize(1), AMPLE);
      const malformed = sampleMalformed({ released: { receipt, by: 'admin' } });
      for (let times = 0; times < 2; times += 1)
        expect(await test.journal.appendMalformed(malformed)).toEqual({ receipt });
      expect(await test.journal.ledger()).toMatchObject({ acme: { malformed: 1 } });
      expect((await test.journal.find(receipt))?.actions).toHaveLength(1);
    });

    it('removes by receipt', async () => {
      const a = await test.journal.quarantine(requestOfSize(1), AMPLE);
      const b = await test.journal.quarantine(requestOfSize(1), AMPLE);
      expect(await test.journal.removeQuarantined([a.receipt, 'unknown', a.receipt])).toEqual({ removed: 1 });
      expect(await receipts()).toEqual([b.receipt]);
      expect(await test.journal.ledger()).toMatchObject({ acme: { quarantined: 1 } });
    });

    it('deletes expired requests during retention', async () => {
      await test.journal.quarantine(requestOfSize(1), { ...AMPLE, maxAge: 1_000 });
      const long = await test.journal.quarantine(requestOfSize(1), { ...AMPLE, maxAge: 2_000 });
      await retainAt(test, POLICY, T0 + 999);
      expect(await receipts()).toHaveLength(2);
      await retainAt(test, POLICY, T0 + 1_000);
      expect(await receipts()).toEqual([long.receipt]);
    });

    it('lists by filter, page by page', async () => {
      const receiptsOfAcme: string[] = [];
      for (let n = 0; n < 5; n += 1)
        receiptsOfAcme.unshift(
          (await test.journal.quarantine({ ...requestOfSize(1), receivedAt: T0 + n }, AMPLE)).receipt,
        );
      const shop = await test.journal.quarantine(requestOfSize(1, 'shop'), AMPLE);
      const list = async (filter: object) =>
        (await test.journal.listQuarantined(filter, { limit: 9 })).items.map((item) => item.receipt);
      expect(await list({ source: 'shop' })).toEqual([shop.receipt]);
      expect(await list({ source: 'acme', since: T0 + 1, until: T0 + 3 })).toEqual(
        receiptsOfAcme.slice(2, 4),
      );
      expect(await list({ receipts: [receiptsOfAcme[0], shop.receipt] })).toEqual([
        shop.receipt,
        receiptsOfAcme[0],
      ]);
      const first = await test.journal.listQuarantined({ source: 'acme' }, { limit: 2 });
      const second = await test.journal.listQuarantined(
        { source: 'acme' },
        { limit: 3, cursor: first.cursor! },
      );
      expect([...first.items, ...second.items].map((item) => item.receipt)).toEqual(receiptsOfAcme);
      expect(second.cursor).toBeUndefined();
      await expect(test.journal.listQuarantined({}, { limit: 0 })).rejects.toThrow(RefusedError);
    });

    it('ends a page early when the bodies are large', async () => {
      for (let n = 0; n < 3; n += 1) await test.journal.quarantine(requestOfSize(5_000_000), AMPLE);
      const { items, cursor } = await test.journal.listQuarantined({}, { limit: 3 });
      expect(items).toHaveLength(1);
      const next = await test.journal.listQuarantined({}, { limit: 3, cursor: cursor! });
      expect(next.items).toHaveLength(1);
      expect(next.cursor).toBeDefined();
    });
  });
}
