import { describe, expect, it } from 'vitest';
import type { LaneAlias, Settlement } from '../../src/journal/journal.ts';
import {
  append,
  appendAll,
  appendSettled,
  claimEvents,
  claimReceipts,
  sampleAttempt,
  sampleEvent,
  sampleMalformed,
  settleAs,
  settled,
  settleHeld,
  sha256,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');
const CAT = sha256('cat');

function merging(receipt: string, alias: Partial<LaneAlias> = {}): Settlement {
  return {
    ...settled.delivered(receipt),
    alias: { from: ANN, to: BOB, profile: null, ...alias },
  };
}

export function describeAliasing(make: MakeStore): void {
  describe('lane aliases', () => {
    const test = journalInTest(make);
    const eventOf = (lane: string | undefined, destination = 'aep') => sampleEvent({ lane, destination });
    const merge = (alias: Partial<LaneAlias> = {}) =>
      appendSettled(test.journal, eventOf(alias.to ?? BOB), (receipt) => merging(receipt, alias));
    const lanesOf = async (receipt: string) => {
      const { lane, ownLane } = (await test.journal.find(receipt))!.event;
      return [lane, ownLane];
    };

    it('redirects events appended later, at its destination only, across a restart', async () => {
      await merge();
      const journal = await test.reopen();
      const [first, second, elsewhere] = await appendAll(journal, [
        eventOf(BOB),
        eventOf(ANN),
        eventOf(ANN, 'other'),
      ]);
      expect(await lanesOf(first!)).toEqual([BOB, undefined]);
      expect(await lanesOf(second!)).toEqual([BOB, ANN]);
      expect(await lanesOf(elsewhere!)).toEqual([ANN, undefined]);
      expect(await claimReceipts(journal)).toEqual([first]);
      await settleAs(journal, {
        ...settled.delivered(first!),
        profiles: [{ lane: BOB, state: '{"bob":1}' }],
      });
      expect(await claimEvents(journal)).toMatchObject([{ receipt: second, profile: '{"bob":1}' }]);
    });

    it('redirects promoted and replayed events', async () => {
      const old = await appendSettled(test.journal, eventOf(ANN), settled.dead);
      const { receipt } = await test.journal.appendMalformed(sampleMalformed());
      await merge();
      expect(await lanesOf(old)).toEqual([ANN, undefined]);
      await test.journal.promote(receipt, eventOf(ANN), 'olga');
      await test.journal.replay({ filter: { receipts: [old] }, asNew: false, by: 'olga' });
      expect(await lanesOf(receipt)).toEqual([BOB, ANN]);
      expect(await lanesOf(old)).toEqual([BOB, ANN]);
      await settleAs(test.journal, settled.delivered(receipt));
      await settleAs(test.journal, settled.dead(old));
      await test.journal.replay({ filter: { receipts: [old] }, asNew: false, by: 'olga' });
      expect(await lanesOf(old)).toEqual([BOB, ANN]);
    });

    it('moves pending events behind the head of the target, oldest first', async () => {
      const replay = await appendSettled(test.journal, eventOf(ANN), settled.dead);
      const [first, mine, moved, last] = await appendAll(test.journal, [
        eventOf(BOB),
        eventOf(ANN),
        eventOf(ANN),
        eventOf(BOB),
      ]);
      await test.journal.replay({ filter: { receipts: [replay] }, asNew: false, by: 'olga' });
      const called: string[] = [];
      expect(await claimReceipts(test.journal, { events: 1 })).toEqual([first]);
      test.journal.onClaimable((destination) => called.push(destination));
      await settleHeld(test.journal, { ...merging(first!), ...settled.waiting(first!, 0) });
      expect(called).toContain('aep');
      for (const next of [first, mine, moved, last]) {
        expect(await claimReceipts(test.journal, { replays: 0 })).toEqual([next]);
        await settleHeld(test.journal, settled.delivered(next!));
      }
      expect(await claimReceipts(test.journal)).toEqual([replay]);
      expect(await test.journal.backlog()).toMatchObject([{ pending: 1, replaying: 1 }]);
    });

    it('keeps the head of the moved events if the target is empty', async () => {
      const other = await appendSettled(test.journal, eventOf(undefined), settled.dead);
      const { receipt: promoted } = await test.journal.appendMalformed(sampleMalformed());
      const [waitedFor] = await appendAll(test.journal, [eventOf(ANN)]);
      await test.journal.promote(promoted, eventOf(ANN), 'olga');
      await test.journal.replay({ filter: { receipts: [other] }, asNew: false, by: 'olga' });
      await settleAs(test.journal, merging(other));
      expect(await claimReceipts(test.journal)).toEqual([waitedFor]);
      await settleAs(test.journal, settled.delivered(waitedFor!));
      expect(await claimReceipts(test.journal)).toEqual([promoted]);
    });

    it('requeues a stale settlement of an event claimed under the old lane, so that its profile is sent again', async () => {
      const [claimed] = await appendAll(test.journal, [eventOf(ANN)]);
      expect(await claimEvents(test.journal)).toMatchObject([{ receipt: claimed, lane: ANN }]);
      await merge();
      expect(await claimReceipts(test.journal)).toEqual([]);
      const called: string[] = [];
      test.journal.onClaimable((destination) => called.push(destination));
      const answer = await settleHeld(test.journal, {
        ...settled.delivered(claimed!),
        delivered: ['event', 'profile'],
        attempts: [sampleAttempt()],
        profiles: [{ lane: ANN, state: '{}' }],
        erase: [BOB],
      });
      expect(answer).toEqual({ stale: [claimed] });
      expect(called).toEqual(['aep']);
      expect(await test.journal.profiles('aep', [ANN])).toEqual(new Map());
      expect(await claimEvents(test.journal)).toMatchObject([
        {
          receipt: claimed,
          lane: BOB,
          ownLane: ANN,
          delivered: ['event'],
          failedAttempts: 0,
          state: 'pending',
        },
      ]);
      expect((await test.journal.find(claimed!))?.attempts).toEqual([]);
      await settleAs(test.journal, {
        ...settled.delivered(claimed!),
        profiles: [{ lane: BOB, state: '{}' }],
      });
      expect((await test.journal.profiles('aep', [BOB])).size).toBe(1);
      expect(await test.journal.ledger()).toMatchObject({ acme: { accepted: 2, delivered: 2, pending: 0 } });
    });

    it('requeues a merge if the profile of the merged lane has changed since', async () => {
      const [event] = await appendAll(test.journal, [eventOf(BOB)]);
      await appendSettled(test.journal, eventOf(ANN), (receipt) => ({
        ...settled.delivered(receipt),
        profiles: [{ lane: ANN, state: '{"a":2}' }],
      }));
      await claimReceipts(test.journal);
      const outdated = await settleHeld(test.journal, {
        ...merging(event!, { profile: '{"a":1}' }),
        profiles: [{ lane: ANN, state: null }],
      });
      expect(outdated).toEqual({ stale: [event] });
      const [again] = await appendAll(test.journal, [eventOf(ANN)]);
      expect(await lanesOf(again!)).toEqual([ANN, undefined]);
      expect(await claimReceipts(test.journal)).toEqual([event, again]);
      expect((await test.journal.profiles('aep', [ANN])).size).toBe(1);
      const answer = await settleHeld(test.journal, {
        ...merging(event!, { profile: '{"a":2}' }),
        profiles: [{ lane: ANN, state: null }],
      });
      expect(answer).toEqual({ stale: [] });
      expect((await test.journal.profiles('aep', [ANN])).size).toBe(0);
      expect(await lanesOf(again!)).toEqual([BOB, ANN]);
    });

    it.each([
      ['first to last', [ANN, BOB, CAT]],
      ['last to first', [BOB, CAT, ANN]],
    ])('resolves a chain to its last lane: created %s', async (_order, [from, to, third]) => {
      await merge({ from: from!, to: to! });
      await merge(third === CAT ? { from: BOB, to: CAT } : { from: ANN, to: BOB });
      const receipts = await appendAll(test.journal, [eventOf(ANN), eventOf(BOB)]);
      expect(await Promise.all(receipts.map(lanesOf))).toEqual([
        [CAT, ANN],
        [CAT, BOB],
      ]);
    });

    it('is ignored if it leads back or to itself, or if the lane already has an alias', async () => {
      await merge({ from: ANN, to: ANN });
      await merge({ from: ANN, to: BOB });
      await merge({ from: BOB, to: ANN });
      await merge({ from: ANN, to: CAT });
      const receipts = await appendAll(test.journal, [eventOf(ANN), eventOf(BOB), eventOf(CAT)]);
      expect(await Promise.all(receipts.map(lanesOf))).toEqual([
        [BOB, ANN],
        [BOB, undefined],
        [CAT, undefined],
      ]);
    });

    it('is erased with its target, and alone wherever its events are', async () => {
      const before = await appendSettled(test.journal, eventOf(ANN), (receipt) => ({
        ...settled.dead(receipt),
        profiles: [{ lane: ANN, state: '{}' }],
      }));
      await merge({ profile: '{}' });
      const after = await appendSettled(test.journal, eventOf(ANN), settled.dead);
      const bobs = await appendSettled(test.journal, eventOf(BOB), (receipt) => ({
        ...settled.dead(receipt),
        profiles: [{ lane: BOB, state: '{}' }],
      }));
      const hasBodies = async () =>
        Promise.all(
          [before, after, bobs].map(async (of) => (await test.journal.find(of))?.body !== undefined),
        );
      expect(await hasBodies()).toEqual([true, true, true]);
      await appendSettled(test.journal, eventOf(CAT), (receipt) => ({
        ...settled.delivered(receipt),
        erase: [ANN],
      }));
      expect(await hasBodies()).toEqual([false, false, true]);
      expect((await test.journal.profiles('aep', [ANN, BOB])).size).toBe(1);
      const late = await appendSettled(test.journal, eventOf(ANN), settled.dead);
      await appendSettled(test.journal, eventOf(BOB), (receipt) => ({
        ...settled.delivered(receipt),
        erase: [BOB],
      }));
      expect(await hasBodies()).toEqual([false, false, false]);
      expect(await test.journal.find(late)).toMatchObject({ body: undefined, sent: [] });
      expect((await test.journal.profiles('aep', [ANN, BOB])).size).toBe(0);
    });

    it('applies to its destination only: rerouted events follow the aliases of the new destination', async () => {
      await merge();
      await appendSettled(test.journal, eventOf(CAT, 'new'), (receipt) => ({
        ...settled.delivered(receipt),
        alias: { from: BOB, to: CAT, profile: null },
      }));
      const receipts = await appendAll(test.journal, [eventOf(ANN), eventOf(BOB)]);
      await test.journal.reroute('acme', 'new', 'olga');
      expect(await Promise.all(receipts.map(lanesOf))).toEqual([
        [ANN, undefined],
        [CAT, BOB],
      ]);
      expect(await claimReceipts(test.journal, { destination: 'new' })).toEqual(receipts);
    });
  });

  describe('erasing only the settled event', () => {
    const test = journalInTest(make);

    it('deletes its content but nothing else of its lane, and nothing while it stays pending', async () => {
      const other = await appendSettled(test.journal, sampleEvent({ lane: ANN }), settled.delivered);
      const { receipt } = await append(test.journal, sampleEvent({ lane: ANN }));
      const attempts = [sampleAttempt()];
      await settleAs(test.journal, { ...settled.waiting(receipt, 0), attempts, eraseOwn: true });
      expect((await test.journal.find(receipt))?.body).toBeDefined();
      await settleAs(test.journal, { ...settled.dead(receipt), eraseOwn: true });
      const record = await test.journal.find(receipt);
      expect(record).toMatchObject({ body: undefined, sent: [], event: { state: 'dead' } });
      expect([record?.event.detail, record?.attempts[0]?.detail]).toEqual([undefined, undefined]);
      expect((await test.journal.find(other))?.body).toBeDefined();
    });
  });
}
