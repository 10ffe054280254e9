import { describe, expect, it } from 'vitest';
import {
  appendAll,
  appendSettled,
  claimEvents,
  claimReceipts,
  claimRequest,
  sampleEvent,
  settled,
  sha256,
  T0,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');

export const describeReplayQueue = (make: MakeStore): void => {
  describe('the queue of the replays', () => {
    const test = journalInTest(make);
    const ofLane = (lane: string | undefined) => sampleEvent({ lane });
    const dead = (lane?: string) => appendSettled(test.journal, ofLane(lane), settled.dead);
    const replay = (...receipts: string[]) =>
      test.journal.replay({
        filter: receipts.length === 0 ? {} : { receipts },
        asNew: false,
        by: 'olga',
        now: T0,
      });

    it('neither holds up the other events of its lane nor waits behind them', async () => {
      const old = [await dead(ANN), await dead(ANN)];
      const live = await appendAll(test.journal, [ofLane(ANN), ofLane(ANN)]);
      await replay();
      expect(await claimReceipts(test.journal, { replays: 0 })).toEqual([live[0]]);
      await test.journal.settle(settled.waiting(live[0]!, T0 + 1_000));
      expect(await claimReceipts(test.journal)).toEqual([old[0]]);
      await test.journal.settle(settled.waiting(old[0]!, T0 + 2_000));
      const now = T0 + 1_000;
      expect(await claimReceipts(test.journal, { now })).toEqual([live[0]]);
      await test.journal.settle(settled.delivered(live[0]!));
      expect(await claimReceipts(test.journal, { now })).toEqual([live[1]]);
      await test.journal.settle(settled.delivered(live[1]!));
      expect(await claimReceipts(test.journal, { now })).toEqual([]);
      expect(await claimReceipts(test.journal, { now: T0 + 2_000 })).toEqual([old[0]]);
      await test.journal.settle(settled.delivered(old[0]!));
      expect(await claimReceipts(test.journal)).toEqual([old[1]]);
    });

    it('goes in the order of arrival, an older one that comes later behind the one that is waited for', async () => {
      const [first, second, third] = [await dead(ANN), await dead(ANN), await dead(ANN)];
      await replay(second, third);
      await replay(first);
      for (const next of [second, first, third]) {
        expect(await claimReceipts(test.journal)).toEqual([next]);
        await test.journal.settle(settled.delivered(next));
      }
    });

    it('never has two events of one lane handed out, of either kind', async () => {
      const old = await dead(ANN);
      await replay();
      const [live] = await appendAll(test.journal, [ofLane(ANN)]);
      const first = await test.journal.claim(claimRequest());
      expect(first.events.map(({ receipt }) => receipt)).toEqual([live]);
      expect(first.nextReplayAt).toBeUndefined();
      await test.journal.release([live!]);
      await test.journal.settle(settled.waiting(live!, T0 + 1));
      expect(await claimReceipts(test.journal)).toEqual([old]);
      expect(await test.journal.claim(claimRequest({ now: T0 + 1 }))).toEqual({ events: [] });
      await test.journal.release([old]);
      expect(await claimReceipts(test.journal, { now: T0 + 1 })).toEqual([live]);
      await test.journal.append(sampleEvent({ lane: ANN, destination: 'other' }));
      expect(await claimReceipts(test.journal, { destination: 'other' })).toHaveLength(1);
    });

    it('tells the listeners when a lane that was waited for is no longer busy', async () => {
      const old = await dead(ANN);
      const [live] = await appendAll(test.journal, [ofLane(ANN)]);
      await claimReceipts(test.journal);
      const called: string[] = [];
      test.journal.onClaimable((destination) => called.push(destination));
      await replay();
      expect(called).toEqual([]);
      await test.journal.release([live!]);
      expect(called.splice(0)).toEqual(['aep']);
      await claimReceipts(test.journal);
      await test.journal.settle(settled.waiting(live!, T0 + 1));
      expect(called.splice(0)).toEqual(['aep']);
      expect(await claimReceipts(test.journal)).toEqual([old]);
      await test.journal.settle(settled.delivered(old));
      expect(called).toEqual(['aep']);
    });

    it('gives as many as were asked for, after all the others and only when none of those is left', async () => {
      const old = [await dead(), await dead(), await dead(ANN), await dead(BOB)];
      await replay();
      const live = await appendAll(test.journal, [ofLane(undefined), ofLane(undefined)]);
      const none = await test.journal.claim(claimRequest({ limit: 1, replays: 4 }));
      expect(none.events.map(({ receipt }) => receipt)).toEqual([live[0]]);
      expect([none.nextDueAt, none.nextReplayAt]).toEqual([T0, T0]);
      const some = await test.journal.claim(claimRequest({ limit: 3, replays: 4 }));
      expect(some.events.map(({ receipt, isReplay }) => [receipt, isReplay])).toEqual([
        [live[1], false],
        [old[0], true],
        [old[1], true],
      ]);
      const one = await test.journal.claim(claimRequest({ replays: 1 }));
      expect(one.events.map(({ receipt }) => receipt)).toEqual([old[2]]);
      const last = await test.journal.claim(claimRequest({ replays: 0 }));
      expect(last).toEqual({ events: [], nextReplayAt: T0 });
    });

    it('takes no bytes that an other event could have had', async () => {
      await dead();
      await replay();
      const bodies = [60, 60].map((size) => sampleEvent({ body: Buffer.alloc(size) }));
      const [first] = await appendAll(test.journal, bodies);
      expect(await claimReceipts(test.journal, { maxBytes: 100 })).toEqual([first]);
    });

    it('is left for good by settling, and not by waiting for another try', async () => {
      const receipt = await dead(ANN);
      const isReplay = async () => (await test.journal.find(receipt))?.event.isReplay;
      expect(await isReplay()).toBe(false);
      await replay();
      await test.journal.settle(settled.waiting(receipt, T0));
      expect(await (await test.reopen()).find(receipt)).toMatchObject({ event: { isReplay: true } });
      expect(await claimEvents(test.journal)).toMatchObject([{ receipt, isReplay: true }]);
      await test.journal.settle(settled.delivered(receipt));
      expect(await isReplay()).toBe(false);
    });

    it('is counted apart in the backlog, and is not what waits longest there', async () => {
      const old = await appendSettled(test.journal, sampleEvent({ receivedAt: T0 - 99 }), settled.dead);
      await replay();
      expect(await test.journal.backlog()).toEqual([{ destination: 'aep', pending: 1, replaying: 1 }]);
      await test.journal.append(sampleEvent({ receivedAt: T0 - 5 }));
      expect(await test.journal.backlog()).toEqual([
        { destination: 'aep', pending: 2, replaying: 1, oldestReceivedAt: T0 - 5 },
      ]);
      await test.journal.reroute('acme', 'other');
      expect(await test.journal.backlog()).toMatchObject([
        { destination: 'aep', pending: 0, replaying: 0 },
        { destination: 'other', pending: 2, replaying: 1 },
      ]);
      await test.journal.settle(settled.delivered(old));
      expect(await test.journal.backlog()).toMatchObject([{}, { pending: 1, replaying: 0 }]);
    });

    it('takes no promoted event', async () => {
      const { receipt } = await test.journal.appendMalformed({
        source: 'acme',
        destination: 'aep',
        receivedAt: T0,
        verifiedBy: 'none',
        detail: 'no json',
        body: Buffer.from('?'),
      });
      await test.journal.promote(receipt, sampleEvent(), 'olga');
      expect(await claimEvents(test.journal, { replays: 0 })).toMatchObject([{ receipt, isReplay: false }]);
    });
  });

  describe('replays', () => {
    const test = journalInTest(make);

    it('are recorded: who, when, what for, and how far, without what names a person', async () => {
      const event = sampleEvent({ eventName: 'pointsIssued', customerId: '42' });
      const receipt = await appendSettled(test.journal, event, settled.dead);
      const gone = await appendSettled(test.journal, event, settled.dead);
      expect(gone).toBe(receipt);
      const first = {
        filter: { eventName: 'pointsIssued', customerId: '42' },
        asNew: true,
        by: 'olga',
        now: T0,
      };
      expect(await test.journal.replay(first)).toEqual({ replayed: 1 });
      const second = { filter: { receipts: [receipt], states: ['dead'] as const }, asNew: false };
      expect(await test.journal.replay({ ...second, by: 'otto', now: T0 + 1 })).toEqual({ replayed: 0 });

      const jobs = await (await test.reopen()).replays();
      expect(jobs).toEqual([
        {
          id: jobs[0]?.id,
          by: 'otto',
          at: T0 + 1,
          asNew: false,
          filter: { states: ['dead'] },
          narrowedBy: ['receipts'],
          matched: 0,
          replayed: 0,
          done: true,
          finishedAt: T0 + 1,
        },
        {
          id: jobs[1]?.id,
          by: 'olga',
          at: T0,
          asNew: true,
          filter: { eventName: 'pointsIssued' },
          narrowedBy: ['customerId'],
          matched: 1,
          replayed: 1,
          done: true,
          finishedAt: T0,
        },
      ]);
      expect(jobs[0]!.id).toBeGreaterThan(jobs[1]!.id);
    });

    it('count those they met without a body as matched, not as replayed', async () => {
      await appendSettled(test.journal, sampleEvent({ lane: ANN }), (receipt) => ({
        ...settled.delivered(receipt),
        erase: [ANN],
      }));
      await appendSettled(test.journal, sampleEvent(), settled.dead);
      await test.journal.replay({ filter: {}, asNew: false, by: 'olga', now: T0 });
      expect(await test.journal.replays()).toMatchObject([{ matched: 2, replayed: 1 }]);
    });
  });
};
