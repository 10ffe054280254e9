import { describe, expect, it } from 'vitest';
import type { LaneAlias, Settlement } from '../../src/journal/journal.ts';
import {
  appendAll,
  appendSettled,
  claimEvents,
  claimReceipts,
  sampleAttempt,
  sampleEvent,
  sampleMalformed,
  settled,
  sha256,
  T0,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');
const CAT = sha256('cat');

/** The time of the settlements. */
const SETTLED = T0 + 1_000;

const merging = (receipt: string, alias: Partial<LaneAlias> = {}): Settlement => ({
  ...settled.delivered(receipt),
  alias: { from: ANN, to: BOB, profile: null, ...alias },
});

export const describeAliasing = (make: MakeStore): void => {
  describe('an alias of a lane', () => {
    const test = journalInTest(make);
    const ofLane = (lane: string | undefined, destination = 'aep') => sampleEvent({ lane, destination });
    const merge = (alias: Partial<LaneAlias> = {}) =>
      appendSettled(test.journal, ofLane(alias.to ?? BOB), (receipt) => merging(receipt, alias));
    const placeOf = async (receipt: string) => {
      const { lane, ownLane } = (await test.journal.find(receipt))!.event;
      return [lane, ownLane];
    };

    it('takes what is appended from then on, at its destination only, over a restart', async () => {
      await merge();
      const journal = await test.reopen();
      const [first, second, elsewhere] = await appendAll(journal, [
        ofLane(BOB),
        ofLane(ANN),
        ofLane(ANN, 'other'),
      ]);
      expect(await placeOf(first!)).toEqual([BOB, undefined]);
      expect(await placeOf(second!)).toEqual([BOB, ANN]);
      expect(await placeOf(elsewhere!)).toEqual([ANN, undefined]);
      expect(await claimReceipts(journal)).toEqual([first]);
      await journal.settle({
        ...settled.delivered(first!),
        profiles: [{ lane: BOB, state: '{"bob":1}' }],
      });
      expect(await claimEvents(journal)).toMatchObject([{ receipt: second, profile: '{"bob":1}' }]);
    });

    it('takes what is promoted and replayed', async () => {
      const old = await appendSettled(test.journal, ofLane(ANN), settled.dead);
      const { receipt } = await test.journal.appendMalformed(sampleMalformed());
      await merge();
      expect(await placeOf(old)).toEqual([ANN, undefined]);
      await test.journal.promote(receipt, ofLane(ANN), 'olga');
      await test.journal.replay({ filter: { receipts: [old] }, asNew: false, by: 'olga', now: T0 });
      expect(await placeOf(receipt)).toEqual([BOB, ANN]);
      expect(await placeOf(old)).toEqual([BOB, ANN]);
      await test.journal.settle(settled.dead(old));
      await test.journal.replay({ filter: { receipts: [old] }, asNew: false, by: 'olga', now: T0 });
      expect(await placeOf(old)).toEqual([BOB, ANN]);
    });

    it('moves what is pending behind the one that is waited for, by age', async () => {
      const [first, mine, moved, last] = await appendAll(test.journal, [
        ofLane(BOB),
        ofLane(ANN),
        ofLane(ANN),
        ofLane(BOB),
      ]);
      const replay = await appendSettled(test.journal, ofLane(ANN), settled.dead);
      await test.journal.replay({ filter: { receipts: [replay] }, asNew: false, by: 'olga', now: T0 });
      const called: string[] = [];
      test.journal.onClaimable((destination) => called.push(destination));
      await test.journal.settle({ ...merging(first!), ...settled.waiting(first!, T0) });
      expect(called).toContain('aep');
      for (const next of [first, mine, moved, last]) {
        expect(await claimReceipts(test.journal, { replays: 0 })).toEqual([next]);
        await test.journal.settle(settled.delivered(next!));
      }
      expect(await claimReceipts(test.journal)).toEqual([replay]);
      expect(await test.journal.backlog()).toMatchObject([{ pending: 1, replaying: 1 }]);
    });

    it('leaves first who was first, where nobody is waited for', async () => {
      const other = await appendSettled(test.journal, ofLane(undefined), settled.dead);
      const { receipt: promoted } = await test.journal.appendMalformed(sampleMalformed());
      const [waitedFor] = await appendAll(test.journal, [ofLane(ANN)]);
      await test.journal.promote(promoted, ofLane(ANN), 'olga');
      await test.journal.replay({ filter: { receipts: [other] }, asNew: false, by: 'olga', now: T0 });
      await test.journal.settle(merging(other));
      expect(await claimReceipts(test.journal)).toEqual([waitedFor]);
      await test.journal.settle(settled.delivered(waitedFor!));
      expect(await claimReceipts(test.journal)).toEqual([promoted]);
    });

    it('holds back what was claimed under the old lane: its profile is told anew in the new one', async () => {
      const [claimed] = await appendAll(test.journal, [ofLane(ANN)]);
      expect(await claimEvents(test.journal)).toMatchObject([{ receipt: claimed, lane: ANN }]);
      await merge();
      expect(await claimReceipts(test.journal)).toEqual([]);
      const called: string[] = [];
      test.journal.onClaimable((destination) => called.push(destination));
      const answer = await test.journal.settle({
        ...settled.delivered(claimed!),
        delivered: ['event', 'profile'],
        attempts: [sampleAttempt()],
        profiles: [{ lane: ANN, state: '{}' }],
        erase: [BOB],
      });
      expect(answer).toEqual({ heldBack: true });
      expect(called).toEqual(['aep']);
      expect(await test.journal.profiles('aep', [ANN])).toEqual(new Map());
      expect(await claimEvents(test.journal, { now: SETTLED })).toMatchObject([
        { receipt: claimed, lane: BOB, ownLane: ANN, delivered: ['event'], failures: 0, state: 'pending' },
      ]);
      expect((await test.journal.find(claimed!))?.attempts).toHaveLength(1);
      await test.journal.settle({ ...settled.delivered(claimed!), profiles: [{ lane: BOB, state: '{}' }] });
      expect((await test.journal.profiles('aep', [BOB])).size).toBe(1);
      expect(await test.journal.ledger()).toMatchObject({ acme: { accepted: 2, delivered: 2, pending: 0 } });
    });

    it('holds back a merge whose victim told something meanwhile', async () => {
      const [event] = await appendAll(test.journal, [ofLane(BOB)]);
      await appendSettled(test.journal, ofLane(ANN), (receipt) => ({
        ...settled.delivered(receipt),
        profiles: [{ lane: ANN, state: '{"a":2}' }],
      }));
      await test.journal.settle({
        ...merging(event!, { profile: '{"a":1}' }),
        profiles: [{ lane: ANN, state: null }],
      });
      const [again] = await appendAll(test.journal, [ofLane(ANN)]);
      expect(await placeOf(again!)).toEqual([ANN, undefined]);
      expect(await claimReceipts(test.journal, { now: SETTLED })).toEqual([again, event]);
      expect((await test.journal.profiles('aep', [ANN])).size).toBe(1);
      const answer = await test.journal.settle({
        ...merging(event!, { profile: '{"a":2}' }),
        profiles: [{ lane: ANN, state: null }],
      });
      expect(answer).toEqual({ heldBack: false });
      expect((await test.journal.profiles('aep', [ANN])).size).toBe(0);
      expect(await placeOf(again!)).toEqual([BOB, ANN]);
    });

    it.each([
      ['in order', [ANN, BOB, CAT]],
      ['the last first', [BOB, CAT, ANN]],
    ])('leads to the last of a chain, %s', async (_how, [from, to, third]) => {
      await merge({ from: from!, to: to! });
      await merge(third === CAT ? { from: BOB, to: CAT } : { from: ANN, to: BOB });
      const receipts = await appendAll(test.journal, [ofLane(ANN), ofLane(BOB)]);
      expect(await Promise.all(receipts.map(placeOf))).toEqual([
        [CAT, ANN],
        [CAT, BOB],
      ]);
    });

    it('is let be when it leads back, to itself, or when the lane has one', async () => {
      await merge({ from: ANN, to: ANN });
      await merge({ from: ANN, to: BOB });
      await merge({ from: BOB, to: ANN });
      await merge({ from: ANN, to: CAT });
      const receipts = await appendAll(test.journal, [ofLane(ANN), ofLane(BOB), ofLane(CAT)]);
      expect(await Promise.all(receipts.map(placeOf))).toEqual([
        [BOB, ANN],
        [BOB, undefined],
        [CAT, undefined],
      ]);
    });

    it('is erased with its lane, and by itself wherever its events are', async () => {
      const before = await appendSettled(test.journal, ofLane(ANN), (receipt) => ({
        ...settled.dead(receipt),
        profiles: [{ lane: ANN, state: '{}' }],
      }));
      await merge({ profile: '{}' });
      const after = await appendSettled(test.journal, ofLane(ANN), settled.dead);
      const bobs = await appendSettled(test.journal, ofLane(BOB), (receipt) => ({
        ...settled.dead(receipt),
        profiles: [{ lane: BOB, state: '{}' }],
      }));
      const kept = async () =>
        Promise.all(
          [before, after, bobs].map(async (of) => (await test.journal.find(of))?.body !== undefined),
        );
      expect(await kept()).toEqual([true, true, true]);
      await appendSettled(test.journal, ofLane(CAT), (receipt) => ({
        ...settled.delivered(receipt),
        erase: [ANN],
      }));
      expect(await kept()).toEqual([false, false, true]);
      expect((await test.journal.profiles('aep', [ANN, BOB])).size).toBe(1);
      const late = await appendSettled(test.journal, ofLane(ANN), settled.dead);
      await appendSettled(test.journal, ofLane(BOB), (receipt) => ({
        ...settled.delivered(receipt),
        erase: [BOB],
      }));
      expect(await kept()).toEqual([false, false, false]);
      expect(await test.journal.find(late)).toMatchObject({ body: undefined, sent: [] });
      expect((await test.journal.profiles('aep', [ANN, BOB])).size).toBe(0);
    });

    it('is of its destination: what is rerouted goes by those of the new one', async () => {
      await merge();
      await appendSettled(test.journal, ofLane(CAT, 'new'), (receipt) => ({
        ...settled.delivered(receipt),
        alias: { from: BOB, to: CAT, profile: null },
      }));
      const receipts = await appendAll(test.journal, [ofLane(ANN), ofLane(BOB)]);
      await test.journal.reroute('acme', 'new');
      expect(await Promise.all(receipts.map(placeOf))).toEqual([
        [ANN, undefined],
        [CAT, BOB],
      ]);
      expect(await claimReceipts(test.journal, { destination: 'new' })).toEqual(receipts);
    });
  });

  describe('erasing the settled event alone', () => {
    const test = journalInTest(make);

    it('takes its content and nothing of its lane, and nothing while it is pending', async () => {
      const other = await appendSettled(test.journal, sampleEvent({ lane: ANN }), settled.delivered);
      const { receipt } = await test.journal.append(sampleEvent({ lane: ANN }));
      const attempts = [sampleAttempt()];
      await test.journal.settle({ ...settled.waiting(receipt, T0), attempts, eraseOwn: true });
      expect((await test.journal.find(receipt))?.body).toBeDefined();
      await test.journal.settle({ ...settled.dead(receipt), eraseOwn: true });
      const record = await test.journal.find(receipt);
      expect(record).toMatchObject({ body: undefined, sent: [], event: { state: 'dead' } });
      expect([record?.event.detail, record?.attempts[0]?.detail]).toEqual([undefined, undefined]);
      expect((await test.journal.find(other))?.body).toBeDefined();
    });
  });
};
