import { describe, expect, it } from 'vitest';
import { RefusedError } from '../../src/journal/journal.ts';
import { acknowledged, deliver, sumsOf } from './landing-samples.ts';
import { retainAt } from './maintenance-round.ts';
import { DAY, sampleEvent, settleAs, settled, T0 } from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const SPAN = 10_000;

/** Doubts about delivered events, and events that are to be read back. */
export function describeDoubting(make: MakeStore): void {
  describe('a doubt', () => {
    const test = journalInTest(make);
    const doubt = (receipt: string, code = 'not-in-profile') =>
      test.journal.doubt('aep', [{ receipt, code, detail: 'too large' }]);
    const confirm = () => test.journal.confirm('aep', { from: T0, until: T0 + SPAN, since: T0 });

    it('keeps an event unconfirmed, whether it comes before or after the confirmation', async () => {
      const before = await deliver(test.journal);
      const after = await deliver(test.journal);
      await deliver(test.journal);
      expect(await doubt(before)).toEqual({ doubted: 1 });
      test.clock.set(T0 + SPAN);
      expect(await confirm()).toEqual({ landed: 2 });
      expect(await sumsOf(test.journal)).toEqual([2, 0, 1]);
      await doubt(after);
      expect(await sumsOf(test.journal)).toEqual([1, 0, 2]);
      for (const receipt of [before, after])
        expect(await test.journal.landing(receipt)).toEqual({
          state: 'unconfirmed',
          code: 'not-in-profile',
          detail: 'too large',
        });
      await test.reopen();
      expect(await sumsOf(test.journal)).toEqual([1, 0, 2]);
      await test.journal.clearDoubts([before, after, 'unknown']);
      expect(await sumsOf(test.journal)).toEqual([3, 0, 0]);
      expect(await test.journal.landing(before)).toMatchObject({ state: 'landed' });
      await test.journal.clearDoubts([before]);
      expect(await sumsOf(test.journal)).toEqual([3, 0, 0]);
    });

    it('that is cleared before the confirmation changes nothing', async () => {
      const receipt = await deliver(test.journal);
      await doubt(receipt);
      await test.journal.clearDoubts([receipt]);
      test.clock.set(T0 + SPAN);
      expect(await confirm()).toEqual({ landed: 1 });
    });

    it('counts once, and the newest of an event is shown', async () => {
      const first = await deliver(test.journal, sampleEvent({ eventId: 'e-1' }));
      await doubt(first, 'not-in-aep');
      test.clock.set(T0 + 1);
      const second = await deliver(test.journal, sampleEvent({ eventId: undefined }));
      await doubt(second);
      expect(await test.journal.doubts('aep', 1)).toMatchObject({
        counts: { 'not-in-aep': 1, 'not-in-profile': 1 },
        newest: [{ receipt: second }],
      });
      test.clock.set(T0 + 2);
      await doubt(first);
      const common = { code: 'not-in-profile', detail: 'too large', source: 'acme', destination: 'aep' };
      const eventName = 'transactionAdded';
      expect(await test.journal.doubts('aep', 500)).toEqual({
        counts: { 'not-in-profile': 2 },
        newest: [
          { receipt: first, ...common, eventName, eventId: 'e-1', at: T0 + 2 },
          { receipt: second, ...common, eventName, at: T0 + 1 },
        ],
      });
      expect(await test.journal.doubts('aep', 1)).toMatchObject({
        counts: { 'not-in-profile': 2 },
        newest: [{}],
      });
      expect(await test.journal.doubts('elsewhere', 1)).toEqual({ counts: {}, newest: [] });
      for (const limit of [0, 501])
        await expect(test.journal.doubts('aep', limit)).rejects.toThrow(RefusedError);
    });

    it('is ignored about what is not delivered at the destination', async () => {
      const dead = await deliver(test.journal, sampleEvent(), settled.dead);
      const elsewhere = await deliver(test.journal, sampleEvent({ destination: 'elsewhere' }));
      for (const receipt of [dead, elsewhere, 'unknown'])
        expect(await doubt(receipt)).toEqual({ doubted: 0 });
      expect(await test.journal.doubts('aep', 1)).toEqual({ counts: {}, newest: [] });
    });

    it.each([['before'], ['after']])(
      'ends when its event is replayed or refused %s the confirmation',
      async (when) => {
        const [replayed, refused] = [await deliver(test.journal), await deliver(test.journal)];
        await doubt(replayed);
        await doubt(refused);
        test.clock.set(T0 + SPAN);
        if (when === 'after') await confirm();
        await test.journal.replay({ filter: { receipts: [replayed] }, asNew: false, by: 'olga' });
        await test.journal.refuse('aep', [
          { receipt: refused, kind: 'event', idSuffix: '', refusedAt: T0 + SPAN, detail: 'no' },
        ]);
        expect(await sumsOf(test.journal)).toEqual([0, 1, 0]);
        expect(await test.journal.doubts('aep', 1)).toEqual({ counts: {}, newest: [] });
        await settleAs(test.journal, acknowledged(replayed));
        test.clock.set(T0 + 2 * SPAN);
        const range = { from: T0, until: T0 + 2 * SPAN, since: T0 };
        expect(await test.journal.confirm('aep', range)).toEqual({ landed: 1 });
        expect(await sumsOf(test.journal)).toEqual([1, 1, 0]);
      },
    );

    it('of a record that retention removes still counts', async () => {
      const before = await deliver(test.journal);
      await doubt(before);
      await deliver(test.journal);
      const policy = { delivered: DAY, ids: 2 * DAY, dead: 90 * DAY };
      await retainAt(test, policy, T0 + 3 * DAY);
      expect(await test.journal.find(before)).toBeUndefined();
      expect(await test.journal.doubts('aep', 1)).toEqual({ counts: {}, newest: [] });
      expect(await confirm()).toEqual({ landed: 1 });
      expect(await sumsOf(test.journal)).toEqual([1, 0, 1]);
    });
  });

  describe('spans that nobody confirms', () => {
    const test = journalInTest(make);

    it('are forgotten after 35 days; their events stay unconfirmed', async () => {
      const old = await deliver(test.journal);
      test.clock.set(T0 + 10 * DAY);
      const newer = await deliver(test.journal);
      const policy = { delivered: 400 * DAY, ids: 400 * DAY, dead: 400 * DAY };
      await retainAt(test, policy, T0 + 36 * DAY);
      const range = { from: T0 - DAY, until: T0 + 36 * DAY };
      expect(await test.journal.deliverySpans('aep', range)).toMatchObject([{ at: T0 + 10 * DAY }]);
      expect(await test.journal.confirm('aep', { ...range, since: T0 })).toEqual({ landed: 1 });
      expect(await test.journal.landing(old)).toEqual({ state: 'unconfirmed' });
      expect(await test.journal.landing(newer)).toMatchObject({ state: 'landed' });
      expect(await sumsOf(test.journal)).toEqual([1, 0, 1]);
      await test.journal.replay({ filter: { receipts: [old] }, asNew: false, by: 'olga' });
      expect(await sumsOf(test.journal)).toEqual([1, 0, 0]);
    });

    it('are not those that are confirmed, however long ago', async () => {
      const old = await deliver(test.journal);
      test.clock.set(T0 + SPAN);
      await test.journal.confirm('aep', { from: T0, until: T0 + SPAN, since: T0 });
      await deliver(test.journal);
      const policy = { delivered: 400 * DAY, ids: 400 * DAY, dead: 400 * DAY };
      await retainAt(test, policy, T0 + 200 * DAY);
      await test.journal.replay({ filter: { receipts: [old] }, asNew: false, by: 'olga' });
      expect(await sumsOf(test.journal)).toEqual([0, 0, 1]);
    });
  });

  describe('watched events', () => {
    const test = journalInTest(make);
    const watch = (receipt: string) => ({ ...settled.delivered(receipt), watch: true }) as const;
    const watched = (until: number, limit = 100) => test.journal.watched('aep', { until, limit });

    it('are listed from their settlement on, the oldest first, until they are read back', async () => {
      const first = await deliver(test.journal, sampleEvent(), watch);
      await deliver(test.journal);
      await deliver(test.journal, sampleEvent({ destination: 'elsewhere' }), watch);
      test.clock.set(T0 + 5);
      const second = await deliver(test.journal, sampleEvent(), watch);
      expect(await watched(T0)).toEqual([]);
      expect(await watched(T0 + 5)).toEqual([first]);
      await test.reopen();
      expect(await watched(T0 + 6)).toEqual([first, second]);
      expect(await watched(T0 + 6, 1)).toEqual([first]);
      await test.journal.unwatch([first, 'unknown']);
      expect(await watched(T0 + 6)).toEqual([second]);
      await expect(watched(T0, 0)).rejects.toThrow(RefusedError);
    });

    it('are listed no more once they are not delivered', async () => {
      const replayed = await deliver(test.journal, sampleEvent(), watch);
      const refused = await deliver(test.journal, sampleEvent(), watch);
      await test.journal.replay({ filter: { receipts: [replayed] }, asNew: false, by: 'olga' });
      await test.journal.refuse('aep', [
        { receipt: refused, kind: 'event', idSuffix: '', refusedAt: T0, detail: 'no' },
      ]);
      expect(await watched(T0 + 1)).toEqual([]);
      await settleAs(test.journal, settled.delivered(replayed));
      expect(await watched(T0 + 1)).toEqual([]);
    });

    it('end with their record', async () => {
      await deliver(test.journal, sampleEvent(), watch);
      await retainAt(test, { delivered: DAY, ids: 2 * DAY, dead: DAY }, T0 + 3 * DAY);
      expect(await watched(T0 + 3 * DAY)).toEqual([]);
    });
  });
}
