import { describe, expect, it } from 'vitest';
import { RefusedError } from '../../src/journal/journal.ts';
import { acknowledged, deliver, sumsOf } from './landing-samples.ts';
import {
  append,
  claim,
  sampleAttempt,
  sampleEvent,
  settleAs,
  settled,
  settleHeld,
  T0,
  tokenOf,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const SPAN = 10_000;
const ALL = { from: T0 - 1_000 * SPAN, until: T0 + 1_000 * SPAN };

/** What was delivered when, and what of it has landed. */
export function describeLanding(make: MakeStore): void {
  describe('delivery spans', () => {
    const test = journalInTest(make);
    const spans = () => test.journal.deliverySpans('aep', ALL);

    it('count events and messages by the time of their settlement, over all sources', async () => {
      await deliver(test.journal, sampleEvent(), (receipt) => acknowledged(receipt, ['event', 'profile']));
      await deliver(test.journal, sampleEvent({ source: 'other' }));
      test.clock.set(T0 + 2 * SPAN + 1);
      await deliver(test.journal);
      await deliver(test.journal, sampleEvent({ destination: 'elsewhere' }));
      const expected = [
        { at: T0, events: 2, acknowledged: { event: 2, profile: 1 }, unanswered: { event: 0, profile: 0 } },
        {
          at: T0 + 2 * SPAN,
          events: 1,
          acknowledged: { event: 1, profile: 0 },
          unanswered: { event: 0, profile: 0 },
        },
      ];
      expect(await spans()).toEqual(expected);
      await test.reopen();
      expect(await spans()).toEqual(expected);
      const range = { from: T0 + SPAN, until: T0 + 3 * SPAN };
      expect(await test.journal.deliverySpans('aep', range)).toEqual(expected.slice(1));
    });

    it('count acknowledged and unanswered messages of events that are not delivered', async () => {
      const { receipt } = await append(test.journal, sampleEvent());
      await claim(test.journal);
      await settleHeld(test.journal, {
        ...settled.waiting(receipt, 0),
        delivered: ['profile'],
        attempts: [
          sampleAttempt({ outcome: 'delivered' }, { kind: 'profile', status: 200 }),
          sampleAttempt({ outcome: 'destination' }, { kind: 'event', status: undefined }),
          sampleAttempt({ outcome: 'retry' }, { kind: 'event', status: 503 }),
        ],
      });
      expect(await spans()).toEqual([
        { at: T0, events: 0, acknowledged: { event: 0, profile: 1 }, unanswered: { event: 1, profile: 0 } },
      ]);
    });

    it('count what a stale settlement has delivered, and nothing of one that came twice', async () => {
      const { receipt } = await append(test.journal, sampleEvent());
      await claim(test.journal);
      const token = await tokenOf(test.journal);
      await test.journal.release(token, [receipt]);
      expect(await test.journal.settle(token, [acknowledged(receipt)])).toEqual({ stale: [receipt] });
      expect(await spans()).toMatchObject([{ events: 0, acknowledged: { event: 1 } }]);
      await settleAs(test.journal, acknowledged(receipt));
      await settleHeld(test.journal, acknowledged(receipt));
      expect(await spans()).toMatchObject([{ events: 1, acknowledged: { event: 2 } }]);
    });

    it('lose the events that are replayed, and keep the messages', async () => {
      const receipt = await deliver(test.journal);
      test.clock.set(T0 + SPAN);
      await test.journal.replay({ filter: { receipts: [receipt] }, asNew: true, by: 'olga' });
      expect(await spans()).toMatchObject([{ at: T0, events: 0, acknowledged: { event: 1 } }]);
      await settleAs(test.journal, acknowledged(receipt));
      expect(await spans()).toMatchObject([
        { at: T0, events: 0, acknowledged: { event: 1 } },
        { at: T0 + SPAN, events: 1, acknowledged: { event: 1 } },
      ]);
    });
  });

  describe('confirm', () => {
    const test = journalInTest(make);
    const confirm = (from: number, until: number, since = T0 + 50 * SPAN) =>
      test.journal.confirm('aep', { from, until, since });

    it('moves what was delivered within the range from unconfirmed to landed', async () => {
      const first = await deliver(test.journal);
      test.clock.set(T0 + SPAN);
      const second = await deliver(test.journal);
      await deliver(test.journal, sampleEvent({ destination: 'elsewhere' }));
      test.clock.set(T0 + 10 * SPAN);
      expect(await test.journal.landing(first)).toEqual({ state: 'unconfirmed' });
      expect(await sumsOf(test.journal)).toEqual([0, 0, 3]);
      expect(await confirm(T0, T0 + SPAN)).toEqual({ landed: 1 });
      expect(await sumsOf(test.journal)).toEqual([1, 0, 2]);
      expect(await test.journal.landing(first)).toEqual({
        state: 'landed',
        since: T0 + 50 * SPAN,
      });
      expect(await test.journal.landing(second)).toEqual({ state: 'unconfirmed' });
      expect(await test.journal.deliverySpans('aep', ALL)).toMatchObject([{ at: T0 + SPAN }]);
      await test.reopen();
      expect(await sumsOf(test.journal)).toEqual([1, 0, 2]);
    });

    it('takes in ranges that overlap; what is confirmed keeps its time', async () => {
      const first = await deliver(test.journal);
      test.clock.set(T0 + 2 * SPAN);
      const second = await deliver(test.journal);
      test.clock.set(T0 + 10 * SPAN);
      expect(await confirm(T0 - SPAN, T0 + 2 * SPAN, 1)).toEqual({ landed: 1 });
      expect(await confirm(T0 - 3 * SPAN, T0 + 5 * SPAN, 2)).toEqual({ landed: 1 });
      expect(await confirm(T0 - 3 * SPAN, T0 + 5 * SPAN, 3)).toEqual({ landed: 0 });
      expect(await test.journal.landing(first)).toEqual({ state: 'landed', since: 1 });
      expect(await test.journal.landing(second)).toEqual({ state: 'landed', since: 2 });
      expect(await sumsOf(test.journal)).toEqual([2, 0, 0]);
    });

    it('refuses a range inside a span, and one that is not over', async () => {
      await deliver(test.journal);
      for (const [from, until] of [
        [T0 - SPAN, T0 + 1],
        [T0 - 1, T0],
        [T0, T0 + SPAN],
      ] as const)
        await expect(confirm(from, until)).rejects.toThrow(RefusedError);
      expect(await sumsOf(test.journal)).toEqual([0, 0, 1]);
    });

    it('is undone for an event that is replayed, and counts it once when it is delivered again', async () => {
      const receipt = await deliver(test.journal);
      await deliver(test.journal);
      test.clock.set(T0 + 10 * SPAN);
      await confirm(T0, T0 + SPAN);
      await test.journal.replay({ filter: { receipts: [receipt] }, asNew: false, by: 'olga' });
      expect(await sumsOf(test.journal)).toEqual([1, 0, 0]);
      expect(await test.journal.landing(receipt)).toBeUndefined();
      await settleAs(test.journal, acknowledged(receipt));
      expect(await sumsOf(test.journal)).toEqual([1, 0, 1]);
      test.clock.set(T0 + 20 * SPAN);
      expect(await confirm(T0, T0 + 20 * SPAN)).toEqual({ landed: 1 });
      expect(await sumsOf(test.journal)).toEqual([2, 0, 0]);
    });

    it('is undone for an event that is refreshed', async () => {
      const receipt = await deliver(test.journal, sampleEvent({ lane: 'anna' }), (each) => ({
        ...acknowledged(each),
        enrichment: { missing: { customer: true, bill: false, dueIn: 0 } },
      }));
      test.clock.set(T0 + SPAN);
      await confirm(T0, T0 + SPAN);
      const routes = [{ source: 'acme', destination: 'aep' }];
      expect(await test.journal.refresh({ routes, running: 1 })).toMatchObject({ started: 1 });
      expect(await sumsOf(test.journal)).toEqual([0, 0, 0]);
      await settleAs(test.journal, acknowledged(receipt));
      expect(await sumsOf(test.journal)).toEqual([0, 0, 1]);
    });

    it('holds although the clock is set back: a delivery is never confirmed before it', async () => {
      await deliver(test.journal);
      test.clock.set(T0 + 10 * SPAN);
      await confirm(T0, T0 + 10 * SPAN);
      test.clock.set(T0 + SPAN);
      const late = await deliver(test.journal);
      expect((await test.journal.find(late))?.event.settledAt).toBe(T0 + 10 * SPAN);
      expect(await sumsOf(test.journal)).toEqual([1, 0, 1]);
      expect(await test.journal.landing(late)).toEqual({ state: 'unconfirmed' });
    });
  });
}
