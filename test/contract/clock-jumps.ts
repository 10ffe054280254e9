import { describe, expect, it } from 'vitest';
import { appendAll, claimReceipts, DAY, sampleEvent, settled, T0 } from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const HOUR = 3_600_000;
const MAX_WAIT = 300_000;
const request = { destination: 'aep', sources: ['acme'], limit: 9, replays: 0, maxBytes: 1e6 };

export function describeClockJumps(make: MakeStore) {
  return describe('a clock that was ahead and was set back', () => {
    const test = journalInTest(make);

    it('delays no event: a wait longer than the maximum wait counts as due', async () => {
      const events = [
        sampleEvent({ receivedAt: T0 + HOUR, lane: 'a' }),
        sampleEvent({ receivedAt: T0 + 10_000 * DAY, createdAt: T0 + 10_000 * DAY, lane: 'b' }),
        sampleEvent({ receivedAt: T0 - 1, lane: 'c' }),
      ];
      const [hour, years, ordinary] = await appendAll(test.journal, events);
      expect(await claimReceipts(test.journal)).toEqual([ordinary]);
      expect(await claimReceipts(test.journal, { maxWait: MAX_WAIT })).toEqual([hour, years]);
    });

    it('blocks no lane whose events were all received in the future', async () => {
      const future = { receivedAt: T0 + HOUR, lane: 'a' };
      const receipts = await appendAll(test.journal, [sampleEvent(future), sampleEvent(future)]);
      for (const receipt of receipts) {
        expect(await claimReceipts(test.journal, { maxWait: MAX_WAIT })).toEqual([receipt]);
        await test.journal.settle(settled.delivered(receipt));
      }
    });

    it('does not shorten an intended wait', async () => {
      const receipts = await appendAll(test.journal, [
        sampleEvent({ lane: 'a' }),
        sampleEvent({ lane: 'b' }),
      ]);
      await claimReceipts(test.journal);
      for (const receipt of receipts) await test.journal.settle(settled.waiting(receipt, T0 + MAX_WAIT));
      const waiting = { ...request, now: T0, maxWait: MAX_WAIT };
      expect(await test.journal.claim(waiting)).toEqual({ events: [], nextDueAt: T0 + MAX_WAIT });
      expect(await claimReceipts(test.journal, { now: T0 + MAX_WAIT, maxWait: MAX_WAIT })).toEqual(receipts);
    });

    it('answers that more can be claimed immediately when a claim was full', async () => {
      const future = { receivedAt: T0 + HOUR };
      await appendAll(test.journal, [sampleEvent(future), sampleEvent(future)]);
      const answer = await test.journal.claim({
        ...request,
        limit: 1,
        now: T0,
        maxWait: MAX_WAIT,
      });
      expect(answer.events).toHaveLength(1);
      expect(answer.nextDueAt).toBe(T0);
    });
  });
}
