import { describe, expect, it } from 'vitest';
import { RefusedError } from '../../src/journal/journal.ts';
import {
  append,
  appendSettled,
  claimReceipts,
  sampleEvent,
  sampleMalformed,
  settleAs,
  settled,
  sha256,
  T0,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const NO_EVENTS = {
  accepted: 0,
  pending: 0,
  delivered: 0,
  ignored: 0,
  dead: 0,
  malformed: 0,
  quarantined: 0,
};

export function describeAppending(make: MakeStore) {
  return describe('append', () => {
    const test = journalInTest(make);

    it('stores every field of an event across a restart', async () => {
      const traceparent = `00-${'a'.repeat(32)}-${'1'.repeat(16)}-01`;
      const event = sampleEvent({ lane: sha256('lane'), customerId: '42', traceparent });
      const { receipt, duplicate } = await append(test.journal, event);
      expect(duplicate).toBe(false);

      const record = await (await test.reopen()).find(receipt);

      const { body, ...fields } = event;
      expect(record?.event).toMatchObject({
        ...fields,
        receipt,
        state: 'pending',
        dueAt: T0,
        failedAttempts: 0,
        ownFaultCount: 0,
        delivered: [],
        idSuffix: '',
        replays: 0,
        bodyBytes: body.byteLength,
      });
      expect(record?.body).toStrictEqual(Buffer.from(body));
      expect(record).toMatchObject({ attempts: [], sent: [], actions: [] });
    });

    it('stores an event without any optional field', async () => {
      const { receipt } = await append(
        test.journal,
        sampleEvent({ eventId: undefined, createdAt: undefined, body: Buffer.alloc(0) }),
      );
      const record = await test.journal.find(receipt);
      expect(record?.event.eventId).toBeUndefined();
      expect(record?.event.createdAt).toBeUndefined();
      expect(record?.event.lane).toBeUndefined();
      expect(record?.event.traceparent).toBeUndefined();
      expect(record?.body).toStrictEqual(Buffer.alloc(0));
    });

    it('copies the body at the time of the call, even if the buffer is reused', async () => {
      const pool = Buffer.from('first second');
      const appending = append(test.journal, sampleEvent({ body: pool.subarray(0, 5) }));
      pool.fill('#');
      const record = await test.journal.find((await appending).receipt);
      expect(record?.body?.toString()).toBe('first');
    });

    it('answers a known (source, identity) with the first receipt and writes nothing', async () => {
      const event = sampleEvent();
      const first = await append(test.journal, event);
      const again = await append(test.journal, { ...event, body: Buffer.from('other'), eventName: 'other' });
      expect(again).toEqual({ receipt: first.receipt, duplicate: true, sameBody: false });
      expect((await test.journal.find(first.receipt))?.event.eventName).toBe(event.eventName);
      expect(await test.journal.ledger()).toEqual({ acme: { ...NO_EVENTS, accepted: 1, pending: 1 } });

      await settleAs(test.journal, settled.delivered(first.receipt));
      expect(await append(await test.reopen(), event)).toEqual({
        receipt: first.receipt,
        duplicate: true,
        sameBody: true,
      });
    });

    it('does not compare a duplicate whose first body is gone', async () => {
      const event = sampleEvent({ lane: sha256('lane') });
      const receipt = await appendSettled(test.journal, event, settled.delivered);
      const { receipt: deletion } = await append(test.journal, sampleEvent());
      await settleAs(test.journal, { ...settled.delivered(deletion), erase: [sha256('lane')] });
      expect(await append(test.journal, event)).toEqual({ receipt, duplicate: true });
    });

    it('counts duplicates with other data at the first event, across a restart', async () => {
      const { receipt } = await append(test.journal, sampleEvent());
      const other = await append(test.journal, sampleEvent());
      expect((await test.journal.find(receipt))?.differingCopies).toBeUndefined();

      await test.journal.recordDifferingCopy(receipt);
      test.clock.set(T0 + 9);
      await Promise.all([
        test.journal.recordDifferingCopy(receipt),
        test.journal.recordDifferingCopy(receipt),
        test.journal.recordDifferingCopy('nothing'),
      ]);
      test.clock.set(T0 + 99);

      const journal = await test.reopen();
      expect((await journal.find(receipt))?.differingCopies).toEqual({ count: 3, lastAt: T0 + 9 });
      expect((await journal.find(other.receipt))?.differingCopies).toBeUndefined();
    });

    it('treats the same identity from another source as a different event', async () => {
      const event = sampleEvent();
      await append(test.journal, event);
      expect(await append(test.journal, { ...event, source: 'other' })).toMatchObject({ duplicate: false });
    });

    it('stores one event when equal ones are appended concurrently', async () => {
      const event = sampleEvent();
      const answers = await Promise.all(Array.from({ length: 50 }, () => append(test.journal, event)));
      expect(new Set(answers.map((answer) => answer.receipt)).size).toBe(1);
      expect(answers.filter((answer) => !answer.duplicate)).toHaveLength(1);
      expect(await test.journal.count({})).toBe(1);
    });

    it('refuses an invalid identity without affecting concurrent calls', async () => {
      const calls = [sampleEvent(), sampleEvent({ identity: 'abc' }), sampleEvent()];
      const [before, bad, after] = await Promise.allSettled(
        calls.map((event) => append(test.journal, event)),
      );
      expect(before?.status).toBe('fulfilled');
      expect(bad).toMatchObject({ status: 'rejected', reason: expect.any(RefusedError) as unknown });
      expect(after?.status).toBe('fulfilled');
      expect(await test.journal.count({})).toBe(2);
    });

    it('assigns positions in the order of the calls', async () => {
      const receipts = (
        await Promise.all(Array.from({ length: 200 }, () => append(test.journal, sampleEvent())))
      ).map(({ receipt }) => receipt);
      expect(await claimReceipts(test.journal)).toEqual(receipts);
    });

    it('stores a malformed body apart from accepted events, every time it arrives', async () => {
      const malformed = sampleMalformed();
      const { receipt } = await test.journal.appendMalformed(malformed);
      await test.journal.appendMalformed(malformed);

      const record = await test.journal.find(receipt);
      expect(record?.event).toMatchObject({
        receipt,
        state: 'malformed',
        reason: 'malformed',
        detail: 'no eventName',
        source: 'acme',
        identity: '',
        eventName: '',
        orgId: 0,
        receivedAt: T0,
      });
      expect(record?.body).toStrictEqual(Buffer.from(malformed.body));
      expect(await test.journal.ledger()).toEqual({ acme: { ...NO_EVENTS, malformed: 2 } });
      expect(await claimReceipts(test.journal)).toEqual([]);
    });
  });
}
