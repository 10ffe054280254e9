import { describe, expect, it } from 'vitest';
import {
  append,
  appendAll,
  appendSettled,
  claimReceipts,
  sampleEvent,
  settleAs,
  settleHeld,
  settled,
  sha256,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');

export function describeRerouting(make: MakeStore) {
  return describe('reroute', () => {
    const test = journalInTest(make);

    it('moves the pending events of a source to another destination, in order', async () => {
      const done = await appendSettled(test.journal, sampleEvent({ lane: ANN }), settled.delivered);
      const events = await appendAll(
        test.journal,
        [ANN, ANN, undefined].map((lane) => sampleEvent({ lane })),
      );
      const [other] = await appendAll(test.journal, [sampleEvent({ source: 'other' })]);
      const called: string[] = [];
      test.journal.onClaimable((destination) => called.push(destination));

      expect(await test.journal.reroute('acme', 'new', 'olga')).toEqual({ rerouted: 3 });

      expect(called).toContain('new');
      const sources = ['acme', 'other'];
      expect(await claimReceipts(test.journal, { sources })).toEqual([other]);
      expect(await claimReceipts(test.journal, { sources, destination: 'new' })).toEqual([
        events[0],
        events[2],
      ]);
      await settleAs(test.journal, settled.delivered(events[0]!));
      expect(await claimReceipts(test.journal, { destination: 'new' })).toEqual([events[1]]);
      expect(await test.journal.find(done)).toMatchObject({ event: { destination: 'aep' }, actions: [] });
      expect((await test.journal.find(events[0]!))?.actions).toMatchObject([
        { by: 'olga', action: 'rerouted from aep to new' },
      ]);
      expect((await test.journal.find(other!))?.actions).toEqual([]);
      expect(await test.journal.backlog()).toMatchObject([
        { destination: 'aep', pending: 1 },
        { destination: 'new', pending: 2 },
      ]);
      expect(await test.journal.reroute('acme', 'new', 'olga')).toEqual({ rerouted: 0 });
    });

    it('queues behind the head of the new lane and leaves the old lane working', async () => {
      const [stays] = await appendAll(test.journal, [sampleEvent({ lane: ANN, destination: 'new' })]);
      const [moves, remains] = await appendAll(test.journal, [
        sampleEvent({ lane: ANN }),
        sampleEvent({ lane: ANN, source: 'shop' }),
      ]);
      expect(await claimReceipts(test.journal, { destination: 'new' })).toEqual([stays]);
      await test.journal.reroute('acme', 'new', 'olga');
      expect(await claimReceipts(test.journal, { sources: ['shop'] })).toEqual([remains]);
      await settleAs(test.journal, settled.delivered(stays!));
      expect(await claimReceipts(test.journal, { destination: 'new' })).toEqual([moves]);
    });

    it('overtakes what was appended to the new lane later and is not claimed', async () => {
      const [first, second] = await appendAll(
        test.journal,
        [ANN, ANN].map((lane) => sampleEvent({ lane })),
      );
      const [third] = await appendAll(test.journal, [sampleEvent({ lane: ANN, destination: 'new' })]);
      const [fourth] = await appendAll(test.journal, [sampleEvent({ lane: ANN, destination: 'new' })]);
      await test.journal.reroute('acme', 'new', 'olga');
      const order = [];
      for (let turn = 0; turn < 4; turn += 1) {
        const [receipt] = await claimReceipts(test.journal, { destination: 'new' });
        order.push(receipt);
        await settleAs(test.journal, settled.delivered(receipt!));
      }
      expect(order).toEqual([first, second, third, fourth]);
    });

    it('overtakes a head that an earlier claim has seen, however much could be claimed without it', async () => {
      const [first] = await appendAll(test.journal, [sampleEvent({ lane: ANN })]);
      await appendAll(
        test.journal,
        [ANN, BOB].map((lane) => sampleEvent({ lane, source: 'shop', destination: 'new' })),
      );
      expect(await claimReceipts(test.journal, { destination: 'new' })).toEqual([]);
      await test.journal.reroute('acme', 'new', 'olga');
      const one = { destination: 'new', sources: ['acme', 'shop'], events: 1 };
      expect(await claimReceipts(test.journal, one)).toEqual([first]);
    });

    it('keeps a profile at the destination where its event was claimed', async () => {
      const { receipt } = await append(test.journal, sampleEvent({ lane: ANN }));
      expect(await claimReceipts(test.journal)).toEqual([receipt]);
      await test.journal.reroute('acme', 'new', 'olga');
      const settlement = {
        ...settled.delivered(receipt),
        delivered: ['event', 'profile'],
        profiles: [{ lane: ANN, state: '{"from":"old"}' }],
      } as const;
      const { stale } = await settleHeld(test.journal, settlement);
      expect((await test.journal.profiles('new', [ANN])).size).toBe(0);
      const old = (await test.journal.profiles('aep', [ANN])).get(ANN);
      expect([stale, old]).toEqual(test.isShared ? [[receipt], undefined] : [[], '{"from":"old"}']);
    });

    it('moves any number of events', async () => {
      await appendAll(
        test.journal,
        Array.from({ length: 700 }, (_, n) => sampleEvent({ lane: sha256(`${n % 9}`) })),
      );
      expect(await test.journal.reroute('acme', 'new', 'olga')).toEqual({ rerouted: 700 });
      expect(await claimReceipts(test.journal, { destination: 'new' })).toHaveLength(9);
      expect(await test.journal.ledger()).toMatchObject({ acme: { accepted: 700, pending: 700 } });
    });
  });
}
