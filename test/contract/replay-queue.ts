import { describe, expect, it } from 'vitest';
import {
  append,
  appendAll,
  appendSettled,
  claim,
  claimEvents,
  claimReceipts,
  release,
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

export function describeReplayQueue(make: MakeStore): void {
  describe('the replay queue', () => {
    const test = journalInTest(make);
    const eventOf = (lane: string | undefined) => sampleEvent({ lane });
    const appendDead = (lane?: string) => appendSettled(test.journal, eventOf(lane), settled.dead);
    const replay = (...receipts: string[]) =>
      test.journal.replay({
        filter: receipts.length === 0 ? {} : { receipts },
        asNew: false,
        by: 'olga',
      });

    it('neither blocks the other events of its lane nor waits behind them', async () => {
      const old = [await appendDead(ANN), await appendDead(ANN)];
      const live = await appendAll(test.journal, [eventOf(ANN), eventOf(ANN)]);
      await replay();
      expect(await claimReceipts(test.journal, { replays: 0 })).toEqual([live[0]]);
      await settleAs(test.journal, settled.waiting(live[0]!, 1_000));
      expect(await claimReceipts(test.journal)).toEqual([old[0]]);
      await settleAs(test.journal, settled.waiting(old[0]!, 2_000));
      test.clock.set(T0 + 1_000);
      expect(await claimReceipts(test.journal)).toEqual([live[0]]);
      await settleAs(test.journal, settled.delivered(live[0]!));
      expect(await claimReceipts(test.journal)).toEqual([live[1]]);
      await settleAs(test.journal, settled.delivered(live[1]!));
      expect(await claimReceipts(test.journal)).toEqual([]);
      test.clock.set(T0 + 2_000);
      expect(await claimReceipts(test.journal)).toEqual([old[0]]);
      await settleAs(test.journal, settled.delivered(old[0]!));
      expect(await claimReceipts(test.journal)).toEqual([old[1]]);
    });

    it('is ordered by arrival; an older event added later queues behind the head', async () => {
      const [first, second, third] = [await appendDead(ANN), await appendDead(ANN), await appendDead(ANN)];
      await replay(second, third);
      await replay(first);
      for (const next of [second, first, third]) {
        expect(await claimReceipts(test.journal)).toEqual([next]);
        await settleAs(test.journal, settled.delivered(next));
      }
    });

    it('never has two claimed events of one lane, whatever their kind', async () => {
      const old = await appendDead(ANN);
      await replay();
      const [live] = await appendAll(test.journal, [eventOf(ANN)]);
      const first = await claim(test.journal);
      expect(first.events.map(({ receipt }) => receipt)).toEqual([live]);
      expect(first.replayDueIn).toBeUndefined();
      await release(test.journal, [live!]);
      await settleAs(test.journal, settled.waiting(live!, 1));
      expect(await claimReceipts(test.journal)).toEqual([old]);
      test.clock.set(T0 + 1);
      expect(await claim(test.journal)).toEqual({ token: first.token, events: [] });
      await release(test.journal, [old]);
      expect(await claimReceipts(test.journal)).toEqual([live]);
      await append(test.journal, sampleEvent({ lane: ANN, destination: 'other' }));
      expect(await claimReceipts(test.journal, { destination: 'other' })).toHaveLength(1);
    });

    it('notifies the listeners when a busy lane with waiting events becomes free', async () => {
      const old = await appendDead(ANN);
      const [live] = await appendAll(test.journal, [eventOf(ANN)]);
      await claimReceipts(test.journal);
      const called: string[] = [];
      test.journal.onClaimable((destination) => called.push(destination));
      await replay();
      expect(test.isShared ? [] : called).toEqual([]);
      called.length = 0;
      await release(test.journal, [live!]);
      expect(called.splice(0)).toEqual(['aep']);
      await claimReceipts(test.journal);
      await settleHeld(test.journal, settled.waiting(live!, 1));
      expect(called.splice(0)).toEqual(['aep']);
      expect(await claimReceipts(test.journal)).toEqual([old]);
      await settleHeld(test.journal, settled.delivered(old));
      expect(called).toEqual(['aep']);
    });

    it('returns up to the requested number, and only when no other event is left', async () => {
      const old = [await appendDead(), await appendDead(), await appendDead(ANN), await appendDead(BOB)];
      await replay();
      const live = await appendAll(test.journal, [eventOf(undefined), eventOf(undefined)]);
      const none = await claim(test.journal, { events: 1, replays: 4 });
      expect(none.events.map(({ receipt }) => receipt)).toEqual([live[0]]);
      expect([none.dueIn, none.replayDueIn]).toEqual([0, 0]);
      const some = await claim(test.journal, { events: 3, replays: 4 });
      expect(some.events.map(({ receipt, isReplay }) => [receipt, isReplay])).toEqual([
        [live[1], false],
        [old[0], true],
        [old[1], true],
      ]);
      const one = await claim(test.journal, { replays: 1 });
      expect(one.events.map(({ receipt }) => receipt)).toEqual([old[2]]);
      const last = await claim(test.journal, { replays: 0 });
      expect(last).toEqual({ token: last.token, events: [], replayDueIn: 0 });
    });

    it('never uses bytes that another event could have used', async () => {
      await appendDead();
      await replay();
      const bodies = [60, 60].map((size) => sampleEvent({ body: Buffer.alloc(size) }));
      const [first] = await appendAll(test.journal, bodies);
      expect(await claimReceipts(test.journal, { bytes: 100 })).toEqual([first]);
    });

    it('is left by a final settlement, not by waiting for another attempt', async () => {
      const receipt = await appendDead(ANN);
      const isReplay = async () => (await test.journal.find(receipt))?.event.isReplay;
      expect(await isReplay()).toBe(false);
      await replay();
      await settleAs(test.journal, settled.waiting(receipt, 0));
      expect(await (await test.reopen()).find(receipt)).toMatchObject({ event: { isReplay: true } });
      expect(await claimEvents(test.journal)).toMatchObject([{ receipt, isReplay: true }]);
      await settleAs(test.journal, settled.delivered(receipt));
      expect(await isReplay()).toBe(false);
    });

    it('is counted separately in the backlog and ignored for the oldest event', async () => {
      const old = await appendSettled(test.journal, sampleEvent({ receivedAt: T0 - 99 }), settled.dead);
      await replay();
      expect(await test.journal.backlog()).toEqual([{ destination: 'aep', pending: 1, replaying: 1 }]);
      await append(test.journal, sampleEvent({ receivedAt: T0 - 5 }));
      expect(await test.journal.backlog()).toEqual([
        { destination: 'aep', pending: 2, replaying: 1, oldestReceivedAt: T0 - 5 },
      ]);
      await test.journal.reroute('acme', 'other', 'olga');
      expect(await test.journal.backlog()).toMatchObject([
        { destination: 'aep', pending: 0, replaying: 0 },
        { destination: 'other', pending: 2, replaying: 1 },
      ]);
      await settleAs(test.journal, settled.delivered(old));
      expect(await test.journal.backlog()).toMatchObject([{}, { pending: 1, replaying: 0 }]);
    });

    it('contains no promoted event', async () => {
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

  describe('replay jobs', () => {
    const test = journalInTest(make);

    it('are recorded with author, time, filter and progress, without what identifies a person', async () => {
      const event = sampleEvent({ eventName: 'pointsIssued', customerId: '42' });
      const receipt = await appendSettled(test.journal, event, settled.dead);
      expect((await append(test.journal, event)).receipt).toBe(receipt);
      const first = {
        filter: { eventName: 'pointsIssued', customerId: '42' },
        asNew: true,
        by: 'olga',
      };
      expect(await test.journal.replay(first)).toEqual({ replayed: 1 });
      const second = { filter: { receipts: [receipt], states: ['dead'] as const }, asNew: false };
      test.clock.set(T0 + 1);
      expect(await test.journal.replay({ ...second, by: 'otto' })).toEqual({ replayed: 0 });

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

    it('count events without a body as matched, not as replayed', async () => {
      await appendSettled(test.journal, sampleEvent({ lane: ANN }), (receipt) => ({
        ...settled.delivered(receipt),
        erase: [ANN],
      }));
      await appendSettled(test.journal, sampleEvent(), settled.dead);
      await test.journal.replay({ filter: {}, asNew: false, by: 'olga' });
      expect(await test.journal.replays()).toMatchObject([{ matched: 2, replayed: 1 }]);
    });
  });
}
