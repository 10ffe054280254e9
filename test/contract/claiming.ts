import { describe, expect, it } from 'vitest';
import {
  append,
  appendAll,
  claim,
  claimEvents,
  claimReceipts,
  release,
  sampleEvent,
  settleAs,
  settled,
  sha256,
  T0,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const ANN = sha256('ann');
const BOB = sha256('bob');
/** The answer when nothing is claimable, now or later. */
const NOTHING = { token: expect.any(String) as unknown, events: [] };

function eventsOf(...lanes: (string | undefined)[]) {
  return lanes.map((lane) => sampleEvent({ lane }));
}

export function describeClaiming(make: MakeStore) {
  return describe('claim', () => {
    const test = journalInTest(make);

    it('returns the events of a lane one at a time, in the order they were appended', async () => {
      const [first, second, third] = await appendAll(test.journal, eventsOf(ANN, ANN, ANN));
      expect(await claimReceipts(test.journal)).toEqual([first]);
      expect(await claimReceipts(test.journal)).toEqual([]);
      await settleAs(test.journal, settled.delivered(first!));
      expect(await claimReceipts(test.journal)).toEqual([second]);
      await settleAs(test.journal, settled.dead(second!));
      expect(await claimReceipts(test.journal)).toEqual([third]);
    });

    it('knows that it holds what was claimed', async () => {
      const [receipt] = await appendAll(test.journal, eventsOf(ANN));
      await claimReceipts(test.journal);
      expect(test.journal.holds(receipt!)).toBe(true);
    });

    it('does not make events without a lane wait', async () => {
      const receipts = await appendAll(test.journal, eventsOf(undefined, undefined, undefined));
      expect(await claimReceipts(test.journal)).toEqual(receipts);
    });

    it('blocks the lane of an event that waits for its next attempt, and no other', async () => {
      const [ann, , bob] = await appendAll(test.journal, eventsOf(ANN, ANN, BOB));
      await settleAs(test.journal, settled.waiting(ann!, 60_000));
      expect(await claimReceipts(test.journal)).toEqual([bob]);
      test.clock.set(T0 + 59_999);
      expect(await claimReceipts(test.journal)).toEqual([]);
      test.clock.set(T0 + 60_000);
      expect(await claimReceipts(test.journal)).toEqual([ann]);
    });

    it('keeps lanes of different destinations separate', async () => {
      const [here] = await appendAll(test.journal, [sampleEvent({ lane: ANN })]);
      const [there] = await appendAll(test.journal, [sampleEvent({ lane: ANN, destination: 'other' })]);
      expect(await claimReceipts(test.journal)).toEqual([here]);
      expect(await claimReceipts(test.journal, { destination: 'other' })).toEqual([there]);
    });

    it('does not return a claimed event again until it is released', async () => {
      const [receipt] = await appendAll(test.journal, eventsOf(ANN));
      const [mine, none] = await Promise.all([claimReceipts(test.journal), claimReceipts(test.journal)]);
      expect([mine, none]).toEqual([[receipt], []]);
      await release(test.journal, [receipt!, 'unknown']);
      const [event] = await claimEvents(test.journal);
      expect(event).toMatchObject({ receipt, failedAttempts: 0, dueAt: T0, state: 'pending' });
    });

    it('ends the claim of an event when it is settled', async () => {
      const [receipt] = await appendAll(test.journal, eventsOf(ANN));
      for (let n = 0; n < 3; n += 1) {
        expect(await claimReceipts(test.journal)).toEqual([receipt]);
        await settleAs(test.journal, settled.waiting(receipt!, 0));
      }
      await claimReceipts(test.journal);
      await settleAs(test.journal, settled.dead(receipt!));
      await test.journal.replay({ filter: {}, asNew: false, by: 'olga' });
      expect(await claimReceipts(test.journal)).toEqual([receipt]);
    });

    it('forgets claims at a restart', async () => {
      const receipts = await appendAll(test.journal, eventsOf(ANN, BOB));
      expect(await claimReceipts(test.journal)).toEqual(receipts);
      expect(await claimReceipts(await test.reopen())).toEqual(receipts);
    });

    it('returns the body and the profile with the event', async () => {
      const event = sampleEvent({ lane: ANN });
      const { receipt } = await append(test.journal, sampleEvent({ lane: ANN }));
      await append(test.journal, event);
      await settleAs(test.journal, {
        ...settled.delivered(receipt),
        profiles: [{ lane: ANN, state: '{"a":1}' }],
      });
      const [claimed] = await claimEvents(test.journal);
      expect(claimed?.body).toStrictEqual(Buffer.from(event.body));
      expect(claimed?.profile).toBe('{"a":1}');
      await append(test.journal, sampleEvent({ lane: BOB }));
      expect((await claimEvents(test.journal))[0]?.profile).toBeUndefined();
    });

    it('returns only events of the requested sources', async () => {
      const [a] = await appendAll(test.journal, [
        sampleEvent({ source: 'a' }),
        sampleEvent({ source: 'gone' }),
      ]);
      const [b] = await appendAll(test.journal, [sampleEvent({ source: 'b' })]);
      expect(await claimReceipts(test.journal, { sources: ['b', 'a', 'a'] })).toEqual([a, b]);
      expect(await claim(test.journal, { sources: ['a', 'b'] })).toEqual(NOTHING);
      expect(await claim(test.journal, { sources: [] })).toEqual(NOTHING);
    });

    it('returns events in the order in which they became due, whatever the clock of the sender', async () => {
      const sources = ['acme', 'other'];
      const [waited] = await appendAll(test.journal, [sampleEvent()]);
      await settleAs(test.journal, settled.waiting(waited!, 1));
      const [first] = await appendAll(test.journal, [sampleEvent({ receivedAt: T0 + 60_000 })]);
      test.clock.set(T0 + 2);
      const [third, last] = await appendAll(test.journal, [
        sampleEvent({ receivedAt: T0 - 60_000, source: 'other' }),
        sampleEvent({ receivedAt: T0 - 90_000 }),
      ]);
      expect(await claimReceipts(test.journal, { sources })).toEqual([first, waited, third, last]);
    });

    it('stops at the limits of count and bytes, but always returns the first event', async () => {
      const events = [100, 60, 40, 1].map((size) => sampleEvent({ body: Buffer.alloc(size) }));
      const [a, b, c, d] = await appendAll(test.journal, events);
      expect(await claimReceipts(test.journal, { bytes: 10 })).toEqual([a]);
      expect(await claimReceipts(test.journal, { events: 1 })).toEqual([b]);
      await release(test.journal, [b!]);
      expect(await claimReceipts(test.journal, { bytes: 100 })).toEqual([b, c]);
      expect(await claimReceipts(test.journal)).toEqual([d]);
    });

    it('answers when the next unclaimed event becomes due', async () => {
      expect(await claim(test.journal)).toEqual(NOTHING);
      const [held, waiting] = await appendAll(test.journal, eventsOf(ANN, BOB, ANN));
      await settleAs(test.journal, settled.waiting(waiting!, 30_000));
      const first = await claim(test.journal);
      expect(first.events.map((event) => event.receipt)).toEqual([held]);
      expect(first.dueIn).toBe(30_000);
      expect((await claim(test.journal)).dueIn).toBe(30_000);
    });

    it('answers that more can be claimed immediately', async () => {
      await appendAll(test.journal, [
        sampleEvent({ body: Buffer.alloc(50) }),
        sampleEvent({ body: Buffer.alloc(50) }),
      ]);
      const byLimit = await claim(test.journal, { events: 1 });
      expect(byLimit.dueIn).toBe(0);
      await test.journal.release(
        byLimit.token,
        byLimit.events.map((event) => event.receipt),
      );
      const byBytes = await claim(test.journal, { bytes: 60 });
      expect(byBytes.events).toHaveLength(1);
      expect(byBytes.dueIn).toBe(0);
      await claimReceipts(test.journal);
      expect(await claim(test.journal)).toEqual(NOTHING);
    });

    it('returns events of other lanes without delay despite a very long lane', async () => {
      const longLane = Array.from({ length: 3_000 }, () => sampleEvent({ lane: ANN }));
      const receipts = await appendAll(test.journal, longLane);
      const [bob] = await appendAll(test.journal, eventsOf(BOB));
      expect(await claimReceipts(test.journal)).toEqual([receipts[0], bob]);
      for (const receipt of receipts.slice(0, 20)) await settleAs(test.journal, settled.delivered(receipt));
      expect(await claimReceipts(test.journal)).toEqual([receipts[20]]);
    });
  });
}
