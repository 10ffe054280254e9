import { describe, expect, it } from 'vitest';
import { shortId } from '../../src/capillary/event-id.ts';
import { type EventFilter, RefusedError, type StoredEvent } from '../../src/journal/journal.ts';
import {
  append,
  appendAll,
  appendSettled,
  sampleEvent,
  sampleMalformed,
  settleAs,
  settled,
  sha256,
  T0,
} from './samples.ts';
import { journalInTest, type JournalInTest, type MakeStore } from './test-store.ts';

/** Reads all pages. */
async function listAll(test: JournalInTest, filter: EventFilter, limit: number): Promise<StoredEvent[]> {
  const items: StoredEvent[] = [];
  let cursor: string | undefined;
  do {
    const page = await test.journal.list(filter, { limit, ...(cursor === undefined ? {} : { cursor }) });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return items;
}

export function describeLookingUp(make: MakeStore) {
  return describe('lookups', () => {
    const test = journalInTest(make);

    it('finds an event by receipt, and the newest one by event id', async () => {
      const [first, second] = await appendAll(test.journal, [
        sampleEvent({ eventId: 'twice' }),
        sampleEvent({ eventId: 'twice', eventName: 'other' }),
      ]);
      expect((await test.journal.find(first!))?.event.receipt).toBe(first);
      expect((await test.journal.find('twice'))?.event.receipt).toBe(second);
      expect(await test.journal.find('nothing')).toBeUndefined();
    });

    it('lists newest first, page by page, without gaps or duplicates', async () => {
      const receipts = await appendAll(
        test.journal,
        Array.from({ length: 25 }, () => sampleEvent()),
      );
      const newestFirst = receipts.toReversed();
      for (const limit of [1, 5, 10, 25, 26, 500])
        expect((await listAll(test, {}, limit)).map((event) => event.receipt)).toEqual(newestFirst);
    });

    it('continues after the cursor, even if events were appended since', async () => {
      const receipts = await appendAll(
        test.journal,
        Array.from({ length: 4 }, () => sampleEvent()),
      );
      const first = await test.journal.list({}, { limit: 2 });
      await append(test.journal, sampleEvent());
      const second = await test.journal.list({}, { limit: 2, cursor: first.cursor! });
      expect(second.items.map((event) => event.receipt)).toEqual([receipts[1], receipts[0]]);
      expect(second.cursor).toBeUndefined();
    });

    it('finds a long event id by all of it and by its short form if it was stored so', async () => {
      const long = 'a'.repeat(100_000);
      const ids = [`${long}1`, `${long}2`];
      const [stored, storedShort] = await appendAll(test.journal, [
        // As an earlier version stored it.
        sampleEvent({ eventId: ids[0]! }),
        sampleEvent({ eventId: shortId(ids[1]!) }),
      ]);
      expect((await test.journal.find(ids[0]!))?.event).toMatchObject({
        receipt: stored,
        eventId: shortId(ids[0]!),
      });
      for (const eventId of [ids[1]!, shortId(ids[1]!)]) {
        expect((await test.journal.find(eventId))?.event.receipt).toBe(storedShort);
        expect((await listAll(test, { eventId }, 5)).map(({ receipt }) => receipt)).toEqual([storedShort]);
        expect(await test.journal.count({ eventId })).toBe(1);
      }
      expect((await listAll(test, { eventId: ids[0]! }, 5)).map(({ receipt }) => receipt)).toEqual([stored]);
      // The index has the end of the id, which the short form does not tell.
      expect(await test.journal.find(shortId(ids[0]!))).toBeUndefined();
      expect(await test.journal.find(long)).toBeUndefined();
    });

    it('ends a page early when the events are large, as earlier versions stored them', async () => {
      const receipts = await appendAll(
        test.journal,
        Array.from({ length: 20 }, (_, n) => sampleEvent({ eventId: `${'a'.repeat(1_000_000)}${n}` })),
      );
      const { items } = await test.journal.list({}, { limit: 500 });
      expect(items.length).toBeLessThan(6);
      const found = (await listAll(test, {}, 500)).map(({ receipt }) => receipt);
      expect(found).toEqual(receipts.toReversed());
      expect((await test.journal.replay({ filter: {}, asNew: false, by: 'a' })).replayed).toBe(0);
      expect(await test.journal.count({})).toBe(20);
      await test.journal.appendMalformed(sampleMalformed());
      expect(await test.journal.discard({}, 'a')).toEqual({ discarded: 1 });
    });

    it('applies each part of the filter', async () => {
      const { journal } = test;
      const [a] = await appendAll(journal, [sampleEvent({ customerId: '7', receivedAt: T0 - 10 })]);
      const [b] = await appendAll(journal, [sampleEvent({ source: 'shop', eventName: 'pointsIssued' })]);
      const c = await appendSettled(
        journal,
        sampleEvent({ eventId: 'e', receivedAt: T0 + 10 }),
        settled.dead,
      );
      const d = (await journal.appendMalformed(sampleMalformed({ destination: 'other' }))).receipt;
      const cases: [EventFilter, (string | undefined)[]][] = [
        [{}, [d, c, b, a]],
        [{ receipts: [a!, c, 'unknown'] }, [c, a]],
        [{ receipts: [] }, []],
        [{ states: ['dead', 'malformed'] }, [d, c]],
        [{ states: ['pending'], source: 'acme' }, [a]],
        [{ states: [] }, []],
        [{ source: 'shop' }, [b]],
        [{ destination: 'other' }, [d]],
        [{ eventName: 'pointsIssued' }, [b]],
        [{ eventId: 'e' }, [c]],
        [{ eventId: 'e', customerId: '7' }, []],
        [{ reason: 'rejected' }, [c]],
        [{ reason: 'malformed' }, [d]],
        [{ customerId: '7' }, [a]],
        [{ since: T0 }, [d, c, b]],
        [{ until: T0 }, [a]],
        [{ since: T0 - 10, until: T0 + 10 }, [d, b, a]],
        [{ source: "x' OR 1=1 --" }, []],
        [{ states: ['dead'], hasBody: true }, [c]],
        [{ hasBody: false }, []],
      ];
      for (const [filter, expected] of cases) {
        expect((await listAll(test, filter, 3)).map((event) => event.receipt)).toEqual(expected);
        expect(await journal.count(filter)).toBe(expected.length);
      }
    });

    it('finds a rare event among many', async () => {
      const rare = (await append(test.journal, sampleEvent({ eventName: 'rare' }))).receipt;
      await appendAll(
        test.journal,
        Array.from({ length: 5_000 }, () => sampleEvent()),
      );
      expect((await test.journal.list({ eventName: 'rare' }, { limit: 2 })).items).toMatchObject([
        { receipt: rare },
      ]);
      expect(await test.journal.count({ states: ['pending'], eventName: 'transactionAdded' })).toBe(5_000);
    });

    it('refuses a limit out of range and an invalid cursor', async () => {
      for (const limit of [0, 501, 1.5, Number.NaN])
        await expect(test.journal.list({}, { limit })).rejects.toThrow(RefusedError);
      for (const cursor of ['', 'abc', '-1', Buffer.from('events:x').toString('base64url')])
        await expect(test.journal.list({}, { limit: 1, cursor })).rejects.toThrow(RefusedError);
    });

    it('answers the backlog of each destination', async () => {
      expect(await test.journal.backlog()).toEqual([]);
      const [oldest] = await appendAll(test.journal, [
        sampleEvent({ receivedAt: T0 - 5, lane: sha256('a') }),
        sampleEvent({ receivedAt: T0 - 3, lane: sha256('a') }),
        sampleEvent({ destination: 'other', receivedAt: T0 - 9 }),
      ]);
      expect(await test.journal.backlog()).toEqual([
        { destination: 'aep', pending: 2, replaying: 0, oldestReceivedAt: T0 - 5 },
        { destination: 'other', pending: 1, replaying: 0, oldestReceivedAt: T0 - 9 },
      ]);
      await settleAs(test.journal, settled.dead(oldest!));
      expect((await test.journal.backlog())[0]).toEqual({
        destination: 'aep',
        pending: 1,
        replaying: 0,
        oldestReceivedAt: T0 - 3,
      });
    });

    it('keeps operator pauses across a restart', async () => {
      const pause = { destination: 'aep', by: 'olga', at: T0 };
      await test.journal.pause('aep', 'otto');
      expect(await test.journal.pause('aep', 'olga')).toEqual(pause);
      await test.journal.pause('other', 'olga');
      await test.journal.resume('other');
      await test.journal.resume('unknown');
      expect(await (await test.reopen()).pauses()).toEqual([pause]);
    });
  });
}
