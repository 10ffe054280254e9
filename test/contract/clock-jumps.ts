import { describe, expect, it } from 'vitest';
import {
  appendAll,
  appendSettled,
  claim,
  claimReceipts,
  DAY,
  sampleEvent,
  settleAs,
  settled,
  sha256,
  T0,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const HOUR = 3_600_000;
const MAX_WAIT = 300_000;
const ANN = sha256('ann');

export function describeClockJumps(make: MakeStore) {
  return describe("an engine's clock that is set", () => {
    const test = journalInTest(make);
    const appendAt = (ms: number, lane: string) => {
      test.clock.set(ms);
      return appendAll(test.journal, [sampleEvent({ lane })]);
    };

    it('back delays no event: a wait longer than the maximum wait counts as due', async () => {
      const [hour] = await appendAt(T0 + HOUR, 'a');
      const [years] = await appendAt(T0 + 10_000 * DAY, 'b');
      const [ordinary] = await appendAt(T0 - 1, 'c');
      test.clock.set(T0);
      expect(await claimReceipts(test.journal)).toEqual([ordinary]);
      expect(await claimReceipts(test.journal, { maxWait: MAX_WAIT })).toEqual([hour, years]);
    });

    it('back blocks no lane whose next event is behind what has been claimed', async () => {
      await appendAt(T0 + HOUR, 'a');
      const [second] = await appendAt(T0 + HOUR, 'a');
      await appendAt(T0 + HOUR + 1, 'b');
      const [first] = await claimReceipts(test.journal, { maxWait: MAX_WAIT });
      test.clock.set(T0);
      await settleAs(test.journal, settled.delivered(first!));
      expect(await claimReceipts(test.journal, { maxWait: MAX_WAIT })).toEqual([second]);
    });

    it('back blocks no lane whose events were all appended before', async () => {
      const receipts = [...(await appendAt(T0 + HOUR, 'a')), ...(await appendAt(T0 + HOUR, 'a'))];
      test.clock.set(T0);
      for (const receipt of receipts) {
        expect(await claimReceipts(test.journal, { maxWait: MAX_WAIT })).toEqual([receipt]);
        await settleAs(test.journal, settled.delivered(receipt));
      }
    });

    it('back and forth keeps the order of a lane, and counts what is overdue', async () => {
      const receipts: string[] = [];
      for (const ms of [T0 + HOUR, T0 - HOUR, T0 + DAY, T0, T0 - DAY])
        receipts.push(...(await appendAt(ms, ANN)));
      for (const [turn, receipt] of receipts.entries()) {
        test.clock.set(T0 + (turn % 2 === 0 ? -HOUR : HOUR));
        expect(await claimReceipts(test.journal, { maxWait: MAX_WAIT })).toEqual([receipt]);
        await settleAs(test.journal, settled.delivered(receipt));
      }
      expect(await claimReceipts(test.journal)).toEqual([]);
      expect((await test.journal.status()).overdue).toEqual([]);
      expect(await test.journal.ledger()).toMatchObject({ acme: { accepted: 5, delivered: 5, pending: 0 } });
    });

    it('back neither loses nor repeats a settlement or a replay', async () => {
      test.clock.set(T0 + DAY);
      const receipt = await appendSettled(test.journal, sampleEvent({ lane: ANN }), settled.dead);
      test.clock.set(T0);
      expect(await claimReceipts(test.journal, { maxWait: MAX_WAIT })).toEqual([]);
      expect(await test.journal.replay({ filter: {}, asNew: false, by: 'olga' })).toEqual({ replayed: 1 });
      expect(await claimReceipts(test.journal, { maxWait: MAX_WAIT })).toEqual([receipt]);
      test.clock.set(T0 - DAY);
      await settleAs(test.journal, settled.delivered(receipt));
      const { event } = (await test.journal.find(receipt))!;
      expect(event).toMatchObject({ state: 'delivered', settledAt: T0 - DAY });
    });

    it('back does not shorten an intended wait', async () => {
      const receipts = await appendAll(test.journal, [
        sampleEvent({ lane: 'a' }),
        sampleEvent({ lane: 'b' }),
      ]);
      await claimReceipts(test.journal);
      for (const receipt of receipts) await settleAs(test.journal, settled.waiting(receipt, MAX_WAIT));
      const waiting = { replays: 0, maxWait: MAX_WAIT };
      expect(await claim(test.journal, waiting)).toMatchObject({ events: [], dueIn: MAX_WAIT });
      test.clock.set(T0 + MAX_WAIT);
      expect(await claimReceipts(test.journal, waiting)).toEqual(receipts);
    });

    it('back leaves an answer that more can be claimed immediately when a claim was full', async () => {
      await appendAt(T0 + HOUR, 'a');
      await appendAt(T0 + HOUR, 'b');
      test.clock.set(T0);
      const answer = await claim(test.journal, { events: 1, maxWait: MAX_WAIT });
      expect(answer.events).toHaveLength(1);
      expect(answer.dueIn).toBe(0);
    });
  });
}
