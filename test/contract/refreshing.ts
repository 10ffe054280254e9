import { describe, expect, it } from 'vitest';
import type { EnrichmentParts, Settlement } from '../../src/journal/journal.ts';
import { enriched } from './entities.ts';
import { retainAt } from './maintenance-round.ts';
import {
  append,
  appendAllSettled,
  appendSettled,
  claimEvents,
  claimReceipts,
  DAY,
  sampleEvent,
  settleAs,
  settled,
  settleHeld,
  sha256,
  T0,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');
const CUSTOMER = { customer: true, bill: false };
const BILL = { customer: false, bill: true };
const BOTH = { customer: true, bill: true };
const NEITHER = { customer: false, bill: false };
const ACME = { source: 'acme', destination: 'aep' };
const POLICY = { delivered: 3 * DAY, ids: 8 * DAY, dead: 90 * DAY };

function missing(parts: EnrichmentParts, dueIn = 0, fetched?: EnrichmentParts) {
  return (receipt: string): Settlement =>
    enriched(settled.delivered(receipt), {
      missing: { ...parts, dueIn },
      ...(fetched === undefined ? {} : { refreshed: fetched }),
    });
}

function refreshed(parts: EnrichmentParts) {
  return (receipt: string): Settlement => enriched(settled.delivered(receipt), { refreshed: parts });
}

export function describeRefreshing(make: MakeStore): void {
  describe('an event of which something is missing', () => {
    const test = journalInTest(make);
    const refresh = (running = 100, routes = [ACME]) => test.journal.refresh({ routes, running });
    const started = async (running?: number) => (await refresh(running)).started;
    const settledAs = (settle: (receipt: string) => Settlement, lane?: string) =>
      appendSettled(test.journal, sampleEvent({ lane }), settle);
    const partsOf = async (receipt: string) =>
      (await test.journal.enrichments([receipt])).get(receipt)?.refresh;
    const backlog = () => test.journal.refreshes();

    it('waits until it is due, and is then pending with body, suffix, and a line in its history', async () => {
      const event = sampleEvent({ lane: ANN });
      const receipt = await appendSettled(test.journal, event, settled.dead);
      await test.journal.replay({ filter: {}, asNew: true, by: 'olga' });
      await settleAs(test.journal, {
        ...missing(BOTH, 1_000)(receipt),
        delivered: ['event', 'profile'],
        state: 'delivered',
        notes: [{ path: 'data', code: 'too-long' }],
      });
      expect(await backlog()).toEqual([{ ...ACME, customers: 1, bills: 1, running: 0, oldestAt: T0 }]);
      const recorded = { ...BOTH, dueAt: T0 + 1_000, attempts: 0 };
      expect((await test.journal.find(receipt))?.refresh).toEqual({ ...recorded, isRunning: false });
      test.clock.set(T0 + 999);
      expect(await refresh()).toEqual({ started: 0, dropped: 0 });
      expect((await test.journal.find(receipt))?.event.state).toBe('delivered');
      expect(await test.journal.enrichments([receipt])).toEqual(new Map());
      test.clock.set(T0 + 1_000);
      const called: string[] = [];
      test.journal.onClaimable((destination) => called.push(destination));
      expect(await refresh()).toEqual({ started: 1, dropped: 0 });
      expect((await test.journal.find(receipt))?.refresh).toEqual({ ...recorded, isRunning: true });
      expect(called).toContain('aep');
      expect(await backlog()).toEqual([{ ...ACME, customers: 1, bills: 1, running: 1, oldestAt: T0 }]);
      expect(await test.journal.enrichments([receipt])).toEqual(
        new Map([[receipt, { refresh: { ...BOTH, attempts: 0 } }]]),
      );
      const [claimed, ...others] = await claimEvents(test.journal);
      expect(others).toEqual([]);
      expect(claimed).toMatchObject({
        receipt,
        state: 'pending',
        isReplay: true,
        idSuffix: '-r1',
        replays: 1,
        dueAt: T0 + 1_000,
        delivered: [],
        failedAttempts: 0,
      });
      expect(claimed?.body).toEqual(Buffer.from(event.body));
      const record = await test.journal.find(receipt);
      expect(record?.notes).toEqual([]);
      expect(record?.actions).toMatchObject([
        { by: 'olga' },
        { at: T0 + 1_000, by: 'relay', action: 'refreshed' },
      ]);
      expect(await started()).toBe(0);
    });

    it.each([
      ['dead', settled.dead],
      ['ignored', settled.ignored],
      ['pending', (receipt: string) => settled.waiting(receipt, 0)],
    ])('does not wait if it is %s', async (_state, settle) => {
      await settledAs((receipt) => enriched(settle(receipt), { missing: { ...BOTH, dueIn: 0 } }));
      await settledAs(missing(NEITHER));
      expect(await backlog()).toEqual([]);
      expect(await refresh()).toEqual({ started: 0, dropped: 0 });
    });

    it('ends its refresh with the next delivery, which stores what was fetched', async () => {
      const receipt = await settledAs(missing(BOTH), ANN);
      await refresh();
      await settleAs(
        test.journal,
        enriched(settled.delivered(receipt), { entities: '{"a":1}', refreshed: BOTH }),
      );
      expect(await backlog()).toEqual([]);
      expect(await test.journal.enrichments([receipt])).toEqual(
        new Map([[receipt, { entities: '{"a":1}' }]]),
      );
      expect((await test.journal.find(receipt))?.event).toMatchObject({
        state: 'delivered',
        isReplay: false,
      });
      expect((await test.journal.find(receipt))?.refresh).toBeUndefined();
      expect(await started()).toBe(0);
    });

    it('waits again if something is still missing, with one more attempt and since the same time', async () => {
      const receipt = await settledAs(missing(BOTH), ANN);
      for (const attempts of [0, 1, 2]) {
        test.clock.set(T0 + attempts * 1_000);
        expect(await started()).toBe(1);
        expect(await partsOf(receipt)).toEqual({ ...(attempts === 0 ? BOTH : BILL), attempts });
        await settleAs(test.journal, missing(BILL, 1_000, CUSTOMER)(receipt));
        expect(await partsOf(receipt)).toBeUndefined();
        expect(await backlog()).toEqual([{ ...ACME, customers: 0, bills: 1, running: 0, oldestAt: T0 }]);
        expect(await started()).toBe(0);
      }
    });

    it('keeps its refresh while it waits for another attempt of the delivery, also over a restart', async () => {
      const receipt = await settledAs(missing(BILL), ANN);
      await refresh();
      await settleAs(test.journal, { ...settled.waiting(receipt, 1_000), delivered: ['profile'] });
      await test.reopen();
      expect(await partsOf(receipt)).toEqual({ ...BILL, attempts: 0 });
      expect(await backlog()).toMatchObject([{ bills: 1, running: 1 }]);
      expect(await started()).toBe(0);
      expect(await claimReceipts(test.journal)).toEqual([]);
      test.clock.set(T0 + 1_000);
      expect(await claimEvents(test.journal)).toMatchObject([{ receipt, delivered: ['profile'] }]);
    });

    it.each([
      ['dead', settled.dead],
      ['ignored', settled.ignored],
    ])('does not wait again if its refresh ends as %s', async (_state, settle) => {
      const receipt = await settledAs(missing(BOTH), ANN);
      await refresh();
      await settleAs(test.journal, enriched(settle(receipt), { missing: { ...BOTH, dueIn: 0 } }));
      expect(await backlog()).toEqual([]);
      await test.journal.discard({}, 'olga');
      expect(await refresh()).toEqual({ started: 0, dropped: 0 });
    });

    it('is refreshed the newest first, and no more at a time than may be pending', async () => {
      const receipts = [];
      for (const lane of ['a', 'b', 'c', 'd', 'e'])
        receipts.push(await settledAs(missing(BILL), sha256(lane)));
      const state = async (receipt: string) => (await test.journal.find(receipt))?.event.state;
      expect(await started(2)).toBe(2);
      expect(await Promise.all(receipts.map(state))).toEqual([
        'delivered',
        'delivered',
        'delivered',
        'pending',
        'pending',
      ]);
      expect(await started(2)).toBe(0);
      expect(await started(3)).toBe(1);
      await settleAs(test.journal, settled.delivered(receipts[4]!));
      expect(await started(3)).toBe(1);
      expect(await Promise.all(receipts.map(state))).toEqual([
        'delivered',
        'pending',
        'pending',
        'pending',
        'delivered',
      ]);
      expect(await backlog()).toMatchObject([{ bills: 4, running: 3 }]);
    });

    it('is refreshed if its route is given, and counted by route', async () => {
      const settleThere = async (source: string, destination: string, parts: EnrichmentParts) =>
        appendSettled(test.journal, sampleEvent({ source, destination, lane: ANN }), missing(parts));
      await settleThere('shop', 'aep', BOTH);
      test.clock.set(T0 + 5);
      await settleThere('acme', 'new', BILL);
      const acme = await settleThere('acme', 'aep', BILL);
      expect(await backlog()).toEqual([
        { ...ACME, customers: 0, bills: 1, running: 0, oldestAt: T0 + 5 },
        { source: 'acme', destination: 'new', customers: 0, bills: 1, running: 0, oldestAt: T0 + 5 },
        { source: 'shop', destination: 'aep', customers: 1, bills: 1, running: 0, oldestAt: T0 },
      ]);
      expect(await refresh(9, [])).toEqual({ started: 0, dropped: 0 });
      expect(await refresh(9)).toEqual({ started: 1, dropped: 0 });
      expect(await partsOf(acme)).toBeDefined();
      const all = [ACME, { source: 'acme', destination: 'new' }, { source: 'shop', destination: 'aep' }];
      expect(await refresh(2, all)).toEqual({ started: 1, dropped: 0 });
      expect(await refresh(9, all)).toEqual({ started: 1, dropped: 0 });
    });

    it('is refreshed in any number', async () => {
      const events = Array.from({ length: 700 }, (_, n) => sampleEvent({ lane: sha256(`lane ${n}`) }));
      const receipts = await appendAllSettled(test.journal, events, missing(CUSTOMER));
      expect(await backlog()).toMatchObject([{ customers: 700 }]);
      let sum = 0;
      for (let more = 1; more > 0; sum += more) more = await started(1_000);
      expect(sum).toBe(700);
      expect(await test.journal.ledger()).toMatchObject({
        acme: { accepted: 700, pending: 700, delivered: 0 },
      });
      expect((await claimReceipts(test.journal)).toSorted()).toEqual(receipts.toSorted());
    });

    it('queues behind the older ones of its lane that the same call makes pending', async () => {
      const [first, second] = [await settledAs(missing(BILL), ANN), await settledAs(missing(BOTH), ANN)];
      expect(await started()).toBe(2);
      for (const receipt of [first, second]) {
        expect(await claimReceipts(test.journal)).toEqual([receipt]);
        await settleHeld(test.journal, settled.delivered(receipt));
      }
    });

    it('neither blocks the live events of its customer nor changes their order', async () => {
      const old = await settledAs(missing(CUSTOMER), ANN);
      const [first, second] = await test.journal.append([ANN, ANN].map((lane) => sampleEvent({ lane })));
      await refresh();
      expect(await claimReceipts(test.journal, { replays: 0 })).toEqual([first!.receipt]);
      expect(await claimReceipts(test.journal)).toEqual([]);
      await settleHeld(test.journal, settled.delivered(first!.receipt));
      expect(await claimReceipts(test.journal)).toEqual([second!.receipt]);
      await settleHeld(test.journal, settled.delivered(second!.receipt));
      expect(await claimReceipts(test.journal)).toEqual([old]);
    });
  });

  describe('the customer of a refresh', () => {
    const test = journalInTest(make);
    const refresh = (running = 100) => test.journal.refresh({ routes: [ACME], running });
    const settledAs = (settle: (receipt: string) => Settlement, lane?: string) =>
      appendSettled(test.journal, sampleEvent({ lane }), settle);
    const refreshing = async (...receipts: string[]) => {
      const found = await test.journal.enrichments(receipts);
      return receipts.map((receipt) => found.get(receipt)?.refresh);
    };
    const merge = (from: string, to: string) =>
      appendSettled(test.journal, sampleEvent({ lane: to }), (receipt) => ({
        ...settled.delivered(receipt),
        alias: { from, to, profile: null },
      }));

    it('is taken over by the newest event of the lane, with the time, and nothing else is', async () => {
      const [first, bill, bobs, alone] = [
        await settledAs(missing(CUSTOMER), ANN),
        await settledAs(missing(BILL), ANN),
        await settledAs(missing(CUSTOMER), BOB),
        await settledAs(missing(CUSTOMER)),
      ];
      test.clock.set(T0 + 50);
      const second = await settledAs(missing(BOTH), ANN);
      const last = await settledAs(missing(CUSTOMER), ANN);
      await settledAs(missing(CUSTOMER));
      expect(await test.journal.refreshes()).toEqual([
        { ...ACME, customers: 4, bills: 2, running: 0, oldestAt: T0 },
      ]);
      expect(await refresh()).toEqual({ started: 6, dropped: 0 });
      expect(await refreshing(first, bill, bobs, alone, second, last)).toEqual([
        undefined,
        { ...BILL, attempts: 0 },
        { ...CUSTOMER, attempts: 0 },
        { ...CUSTOMER, attempts: 0 },
        { ...BILL, attempts: 0 },
        { ...CUSTOMER, attempts: 0 },
      ]);
    });

    it('keeps the time when it is taken over', async () => {
      await settledAs(missing(CUSTOMER), ANN);
      test.clock.set(T0 + 50);
      const last = await settledAs(missing(CUSTOMER), ANN);
      expect(await test.journal.refreshes()).toMatchObject([{ customers: 1, oldestAt: T0 }]);
      await refresh();
      expect(await refreshing(last)).toEqual([{ ...CUSTOMER, attempts: 0 }]);
    });

    it('is taken from an event that is pending already, which has nothing to do then', async () => {
      const [customer, both] = [await settledAs(missing(CUSTOMER), ANN), await settledAs(missing(BOTH), BOB)];
      await refresh();
      const live = [await settledAs(missing(CUSTOMER, 9), ANN), await settledAs(refreshed(CUSTOMER), BOB)];
      expect(await refreshing(customer, both, ...live)).toEqual([
        { ...NEITHER, attempts: 0 },
        { ...BILL, attempts: 0 },
        undefined,
        undefined,
      ]);
      expect(await test.journal.refreshes()).toMatchObject([{ customers: 1, bills: 1, running: 2 }]);
      await settleAs(test.journal, settled.delivered(customer));
      await settleAs(test.journal, refreshed(BILL)(both));
      expect(await test.journal.refreshes()).toMatchObject([{ customers: 1, bills: 0, running: 0 }]);
    });

    it('is refreshed for the whole lane by any of its events; of bills only its own is', async () => {
      const [older, newer, bobs] = [
        await settledAs(missing(BOTH), ANN),
        await settledAs(missing(BOTH), ANN),
        await settledAs(missing(BOTH), BOB),
      ];
      await settledAs(refreshed(BOTH), ANN);
      await settledAs((receipt) => enriched(settled.dead(receipt), { refreshed: BOTH }), BOB);
      await refresh();
      expect(await refreshing(older, newer, bobs)).toEqual([
        { ...BILL, attempts: 0 },
        { ...BILL, attempts: 0 },
        { ...BOTH, attempts: 0 },
      ]);
    });

    it('is one with the customer into whom it was merged, whoever waits', async () => {
      const [anns, both, bobs] = [
        await settledAs(missing(CUSTOMER), ANN),
        await settledAs(missing(BOTH), ANN),
        await settledAs(missing(CUSTOMER), BOB),
      ];
      await merge(ANN, BOB);
      expect(await test.journal.refreshes()).toMatchObject([{ customers: 1, bills: 1 }]);
      await refresh(1);
      expect(await refreshing(anns, both, bobs)).toEqual([
        undefined,
        undefined,
        { ...CUSTOMER, attempts: 0 },
      ]);
      expect(await claimReceipts(test.journal)).toEqual([bobs]);
      await settleHeld(test.journal, missing(CUSTOMER)(bobs));
      const late = await settledAs(missing(CUSTOMER), ANN);
      await refresh();
      expect(await refreshing(both, bobs, late)).toEqual([
        { ...BILL, attempts: 0 },
        undefined,
        { ...CUSTOMER, attempts: 0 },
      ]);
      expect((await test.journal.find(both))?.event).toMatchObject({ lane: BOB, ownLane: ANN });
    });

    it('is refreshed by the event that was taken in last, if both customers of a merge wait', async () => {
      const bobs = await settledAs(missing(CUSTOMER), BOB);
      const anns = await settledAs(missing(CUSTOMER), ANN);
      await merge(ANN, BOB);
      await refresh();
      expect(await refreshing(bobs, anns)).toEqual([undefined, { ...CUSTOMER, attempts: 0 }]);
      expect(await claimEvents(test.journal)).toMatchObject([{ receipt: anns, lane: BOB, ownLane: ANN }]);
    });
  });

  describe('what ends a refresh', () => {
    const test = journalInTest(make);
    const refresh = (running = 100) => test.journal.refresh({ routes: [ACME], running });
    const settledAs = (settle: (receipt: string) => Settlement, lane?: string) =>
      appendSettled(test.journal, sampleEvent({ lane }), settle);

    it.each([undefined, true])('a replay by an operator does, with refetch: %s', async (refetch) => {
      const receipt = await settledAs(missing(BOTH), ANN);
      const request = { filter: {}, asNew: false, by: 'olga', ...(refetch === undefined ? {} : { refetch }) };
      expect(await test.journal.replay(request)).toEqual({ replayed: 1 });
      expect(await test.journal.refreshes()).toEqual([]);
      expect(await test.journal.enrichments([receipt])).toEqual(new Map());
      expect(await claimEvents(test.journal)).toMatchObject([{ receipt, replays: 1 }]);
      await settleHeld(test.journal, missing(BILL)(receipt));
      expect(await test.journal.refreshes()).toMatchObject([{ customers: 0, bills: 1, running: 0 }]);
      await refresh();
      expect((await test.journal.enrichments([receipt])).get(receipt)?.refresh).toEqual({
        ...BILL,
        attempts: 0,
      });
    });

    it('an erasure does, and no other customer is affected', async () => {
      await settledAs(missing(BOTH), ANN);
      await settledAs(missing(BOTH), BOB);
      const last = await append(test.journal, sampleEvent({ lane: ANN }));
      await settleAs(test.journal, { ...missing(BOTH)(last.receipt), erase: [ANN] });
      const own = await append(test.journal, sampleEvent({ lane: sha256('cat') }));
      await settleAs(test.journal, { ...missing(BOTH)(own.receipt), eraseOwn: true });
      expect(await test.journal.refreshes()).toMatchObject([{ customers: 1, bills: 1 }]);
      expect(await refresh()).toEqual({ started: 1, dropped: 0 });
    });

    it('the loss of the body does: the event is dropped', async () => {
      const aged = await settledAs(missing(BOTH), ANN);
      await retainAt(test, POLICY, T0 + POLICY.delivered);
      expect((await test.journal.find(aged))?.body).toBeUndefined();
      const kept = await settledAs(missing(BOTH), BOB);
      expect(await refresh(1)).toEqual({ started: 1, dropped: 0 });
      expect(await refresh(2)).toEqual({ started: 0, dropped: 1 });
      expect(await test.journal.refreshes()).toMatchObject([{ customers: 1, bills: 1, running: 1 }]);
      expect(await claimReceipts(test.journal)).toEqual([kept]);
      expect((await test.journal.find(aged))?.event.state).toBe('delivered');
    });

    it('the end of the record does', async () => {
      const receipt = await settledAs(missing(BOTH), ANN);
      await retainAt(test, POLICY, T0 + POLICY.ids);
      expect(await test.journal.find(receipt)).toBeUndefined();
      await refresh();
      expect(await test.journal.refreshes()).toEqual([]);
    });

    it('a reroute does not: a pending event takes it along', async () => {
      const [moved, stays] = [await settledAs(missing(BOTH), ANN), await settledAs(missing(BILL), BOB)];
      test.clock.set(T0 + 1);
      await settledAs(refreshed(CUSTOMER), ANN);
      await refresh(100);
      await settleAs(test.journal, missing(BILL, 0)(stays));
      await test.journal.reroute('acme', 'new', 'olga');
      expect(await test.journal.refreshes()).toEqual([
        { ...ACME, customers: 0, bills: 1, running: 0, oldestAt: T0 },
        { source: 'acme', destination: 'new', customers: 0, bills: 1, running: 1, oldestAt: T0 },
      ]);
      expect(await claimReceipts(test.journal, { destination: 'new' })).toEqual([moved]);
      await settleHeld(test.journal, refreshed(BILL)(moved), 'new');
      expect(await test.journal.refreshes()).toMatchObject([{ destination: 'aep', bills: 1 }]);
    });

    it('leaves every count right', async () => {
      const counts = async () => ({
        ...(await test.journal.ledger())['acme'],
        ...(await test.journal.backlog())[0],
      });
      const [first, second] = [await settledAs(missing(CUSTOMER), ANN), await settledAs(missing(BILL), BOB)];
      expect(await counts()).toMatchObject({ accepted: 2, pending: 0, delivered: 2, replaying: 0 });
      await refresh();
      expect(await counts()).toMatchObject({ accepted: 2, pending: 2, delivered: 0, replaying: 2 });
      expect((await test.journal.backlog())[0]?.oldestReceivedAt).toBeUndefined();
      await test.reopen();
      await settleAs(test.journal, missing(CUSTOMER)(first));
      await settleAs(test.journal, settled.dead(second));
      expect(await counts()).toMatchObject({ accepted: 2, pending: 0, delivered: 1, dead: 1, replaying: 0 });
      await refresh();
      expect(await counts()).toMatchObject({ accepted: 2, pending: 1, delivered: 0, dead: 1, replaying: 1 });
      await test.journal.discard({}, 'olga');
      await settleAs(test.journal, refreshed(CUSTOMER)(first));
      expect(await counts()).toMatchObject({ accepted: 2, pending: 0, delivered: 1, ignored: 1, dead: 0 });
      expect(await test.journal.refreshes()).toEqual([]);
    });
  });
}
