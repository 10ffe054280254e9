import { describe, expect, it } from 'vitest';
import { RefusedError } from '../../src/journal/journal.ts';
import { append, claim, claimEvents, claimReceipts, sampleEvent, settled, sha256 } from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const ANN = sha256('ann');

/** Calls over many events at once. */
export function describeArrays(make: MakeStore): void {
  describe('append of several events', () => {
    const test = journalInTest(make);

    it('answers each event in order: new ones, duplicates of earlier calls and of the same call', async () => {
      const [known, first, second] = [sampleEvent(), sampleEvent(), sampleEvent()];
      const { receipt } = await append(test.journal, known);
      const other = { ...first, body: Buffer.from('other') };
      const elsewhere = { ...first, source: 'shop' };
      const answers = await test.journal.append([first, known, other, second, elsewhere, first]);
      const [a, , , b, c] = answers.map((answer) => answer.receipt);
      expect(new Set([receipt, a, b, c]).size).toBe(4);
      expect(answers).toEqual([
        { receipt: a, duplicate: false },
        { receipt, duplicate: true, sameBody: true },
        { receipt: a, duplicate: true, sameBody: false },
        { receipt: b, duplicate: false },
        { receipt: c, duplicate: false },
        { receipt: a, duplicate: true, sameBody: true },
      ]);
      const journal = await test.reopen();
      expect(await journal.count({})).toBe(4);
      expect(await journal.ledger()).toMatchObject({
        acme: { accepted: 3, pending: 3 },
        shop: { accepted: 1, pending: 1 },
      });
      expect((await journal.find(a!))?.body).toStrictEqual(Buffer.from(first.body));
    });

    it('stores nothing and answers nothing for no events', async () => {
      expect(await test.journal.append([])).toEqual([]);
      expect(await test.journal.ledger()).toEqual({});
    });

    it('keeps the order of the array within a lane, and of the calls between arrays', async () => {
      const arrays = [1, 2, 3].map(() => [1, 2, 3].map(() => sampleEvent({ lane: ANN })));
      const answers = await Promise.all(arrays.map((events) => test.journal.append(events)));
      for (const { receipt } of answers.flat()) {
        expect(await claimReceipts(test.journal)).toEqual([receipt]);
        await test.journal.settle((await claim(test.journal)).token, [settled.delivered(receipt)]);
      }
      expect(await claimReceipts(test.journal)).toEqual([]);
    });

    it('stores one event for each identity when equal arrays are appended concurrently', async () => {
      const events = Array.from({ length: 20 }, () => sampleEvent());
      const arrays = [events, events.toReversed(), events.slice(5), [...events, ...events]];
      const answers = await Promise.all(arrays.map((array) => test.journal.append(array)));
      expect(answers.flat().filter(({ duplicate }) => !duplicate)).toHaveLength(20);
      const byIdentity = new Map<string, string>();
      for (const [call, array] of arrays.entries())
        for (const [at, { identity }] of array.entries()) {
          const { receipt } = answers[call]![at]!;
          expect(byIdentity.get(identity) ?? receipt).toBe(receipt);
          byIdentity.set(identity, receipt);
        }
      expect(await test.journal.count({})).toBe(20);
    });

    it('stores nothing of a call that it refuses', async () => {
      const [good, bad] = [sampleEvent(), sampleEvent({ identity: 'not hex' })];
      const [refused, other] = await Promise.allSettled([
        test.journal.append([good, bad]),
        test.journal.append([sampleEvent()]),
      ]);
      expect(refused).toMatchObject({ status: 'rejected', reason: expect.any(RefusedError) as unknown });
      expect(other.status).toBe('fulfilled');
      expect(await test.journal.count({})).toBe(1);
      expect(await append(test.journal, good)).toMatchObject({ duplicate: false });
    });

    it('takes many large events in one call', async () => {
      const events = Array.from({ length: 300 }, (_, n) =>
        sampleEvent({ body: Buffer.alloc(20_000, n % 200) }),
      );
      const answers = await test.journal.append(events);
      expect(new Set(answers.map(({ receipt }) => receipt)).size).toBe(300);
      const claimed = await claimEvents(await test.reopen());
      expect(claimed.map(({ receipt }) => receipt)).toEqual(answers.map(({ receipt }) => receipt));
      expect(claimed.every(({ body }, n) => body.equals(Buffer.from(events[n]!.body)))).toBe(true);
    });

    it('calls the listeners for each destination of the array', async () => {
      const called = new Set<string>();
      test.journal.onClaimable((destination) => called.add(destination));
      await test.journal.append(['aep', 'other', 'aep'].map((destination) => sampleEvent({ destination })));
      expect([...called].toSorted()).toEqual(['aep', 'other']);
    });
  });
}
