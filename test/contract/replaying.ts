import { describe, expect, it } from 'vitest';
import { RefusedError } from '../../src/journal/journal.ts';
import {
  append,
  appendAll,
  appendAllSettled,
  appendSettled,
  claimEvents,
  claimReceipts,
  sampleAttempt,
  sampleEvent,
  sampleMalformed,
  settleAs,
  settled,
  settleHeld,
  sha256,
  T0,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const ANN = sha256('ann');
const LATER = T0 + 5_000;

export function describeReplaying(make: MakeStore): void {
  describe('replay', () => {
    const test = journalInTest(make);
    const replay = (filter = {}, asNew = false) => {
      test.clock.set(LATER);
      return test.journal.replay({ filter, asNew, by: 'olga' });
    };

    it('makes settled events pending again, with all counters reset', async () => {
      const receipt = await appendSettled(test.journal, sampleEvent({ lane: ANN }), (of) => ({
        ...settled.dead(of),
        attempts: [sampleAttempt()],
        delivered: ['profile'],
        notes: [{ path: 'data.a', code: 'too-long' }],
      }));
      expect(await replay({ receipts: [receipt] })).toEqual({ replayed: 1 });
      const record = await (await test.reopen()).find(receipt);
      expect(record?.event).toMatchObject({
        state: 'pending',
        failedAttempts: 0,
        ownFaultCount: 0,
        replays: 1,
        idSuffix: '',
        dueAt: LATER,
        delivered: ['profile'],
      });
      expect(record?.event.reason ?? record?.event.detail ?? record?.event.settledAt).toBeUndefined();
      expect(record?.sent).toEqual([]);
      expect(record?.notes).toEqual([]);
      expect(record?.attempts).toHaveLength(1);
      expect(record?.actions).toEqual([{ at: LATER, by: 'olga', action: 'replayed' }]);
      expect(await claimReceipts(test.journal)).toEqual([receipt]);
    });

    it('resends delivered and ignored events', async () => {
      const delivered = await appendSettled(test.journal, sampleEvent(), settled.delivered);
      const ignored = await appendSettled(test.journal, sampleEvent(), settled.ignored);
      expect(await replay()).toEqual({ replayed: 2 });
      const events = await claimEvents(test.journal);
      expect(events.map((event) => [event.receipt, event.delivered])).toEqual([
        [delivered, []],
        [ignored, []],
      ]);
      expect(await test.journal.ledger()).toMatchObject({
        acme: { accepted: 2, pending: 2, delivered: 0, ignored: 0 },
      });
    });

    it('gives each replay as new its own suffix, which later replays keep', async () => {
      const receipt = await appendSettled(test.journal, sampleEvent(), settled.dead);
      const suffixes: string[] = [];
      for (const asNew of [false, true, false, true, true]) {
        await replay({}, asNew);
        suffixes.push((await (await test.reopen()).find(receipt))?.event.idSuffix ?? '?');
        await settleAs(test.journal, settled.dead(receipt));
      }
      expect(suffixes).toEqual(['', '-r1', '-r1', '-r2', '-r3']);
      const actions = (await test.journal.find(receipt))?.actions ?? [];
      expect(actions.map(({ action }) => action)).toEqual([
        'replayed',
        'replayed as new',
        'replayed',
        'replayed as new',
        'replayed as new',
      ]);
    });

    it('makes the oldest event the head of an empty lane', async () => {
      const events = await appendAll(
        test.journal,
        [1, 2, 3].map(() => sampleEvent({ lane: ANN })),
      );
      for (const receipt of events) await settleAs(test.journal, settled.dead(receipt));
      expect(await replay({ states: ['dead'] })).toEqual({ replayed: 3 });
      for (const receipt of events) {
        expect(await claimReceipts(test.journal)).toEqual([receipt]);
        await settleAs(test.journal, settled.delivered(receipt));
      }
    });

    it('does not change pending, malformed and erased events', async () => {
      const erased = await appendSettled(test.journal, sampleEvent({ lane: ANN }), (receipt) => ({
        ...settled.dead(receipt),
        erase: [ANN],
      }));
      await append(test.journal, sampleEvent());
      await test.journal.appendMalformed(sampleMalformed());
      expect(await replay()).toEqual({ replayed: 0 });
      expect((await test.journal.find(erased))?.event.state).toBe('dead');
    });

    it('replays any number of events by filter and notifies the listeners', async () => {
      const dead = await appendAllSettled(
        test.journal,
        Array.from({ length: 600 }, (_, n) => sampleEvent({ eventName: n % 2 === 0 ? 'even' : 'odd' })),
        settled.dead,
      );
      const called = new Set<string>();
      test.journal.onClaimable((destination) => called.add(destination));
      expect(await replay({ states: ['dead'], eventName: 'even' })).toEqual({ replayed: dead.length / 2 });
      expect([...called]).toEqual(['aep']);
      expect(await test.journal.ledger()).toMatchObject({ acme: { accepted: 600, pending: 300, dead: 300 } });
    });
  });

  describe('a started replay', () => {
    const test = journalInTest(make);

    it('is recorded when the call resolves, and runs to its end in the background', async () => {
      const count = 600;
      await appendAllSettled(
        test.journal,
        Array.from({ length: count }, () => sampleEvent()),
        settled.delivered,
      );
      const started = await test.journal.startReplay({ filter: {}, asNew: false, by: 'olga' });
      expect(await test.journal.replays()).toMatchObject([{ id: started.id, by: 'olga' }]);
      await started.stopped;
      expect(await test.journal.replays()).toMatchObject([
        { id: started.id, matched: count, replayed: count, done: true },
      ]);
      expect(await test.journal.backlog()).toMatchObject([{ destination: 'aep', replaying: count }]);
    });

    it('has ended at once when nothing matches', async () => {
      const { id, stopped } = await test.journal.startReplay({ filter: {}, asNew: false, by: 'olga' });
      await stopped;
      expect(await test.journal.replays()).toMatchObject([{ id, matched: 0, done: true }]);
    });
  });

  describe('replay to routes', () => {
    const test = journalInTest(make);
    const BOB = sha256('bob');

    it('moves the events of the named sources to their destinations, and leaves the others', async () => {
      const [moved, kept] = [
        await appendSettled(test.journal, sampleEvent({ lane: ANN }), settled.dead),
        await appendSettled(test.journal, sampleEvent({ lane: ANN, source: 'shop' }), settled.delivered),
      ];
      const routes = { acme: 'new', unknown: 'nowhere' };
      const called = new Set<string>();
      test.journal.onClaimable((destination) => called.add(destination));
      expect(await test.journal.replay({ filter: {}, asNew: false, by: 'olga', routes })).toEqual({
        replayed: 2,
      });
      expect([...called].toSorted()).toEqual(['aep', 'new']);
      const sources = ['acme', 'shop'];
      expect(await claimReceipts(test.journal, { sources })).toEqual([kept]);
      expect(await claimEvents(test.journal, { sources, destination: 'new' })).toMatchObject([
        { receipt: moved, destination: 'new', isReplay: true, lane: ANN },
      ]);
      expect(await test.journal.backlog()).toMatchObject([
        { destination: 'aep', pending: 1, replaying: 1 },
        { destination: 'new', pending: 1, replaying: 1 },
      ]);
    });

    it('applies the filter to the destination that the events had', async () => {
      await appendSettled(test.journal, sampleEvent(), settled.dead);
      const request = { asNew: false, by: 'olga', routes: { acme: 'new' } };
      expect(await test.journal.replay({ ...request, filter: { destination: 'new' } })).toEqual({
        replayed: 0,
      });
      expect(await test.journal.replay({ ...request, filter: { destination: 'aep' } })).toEqual({
        replayed: 1,
      });
    });

    it('follows the aliases of the new destination, and queues in the lane that is there', async () => {
      await appendSettled(test.journal, sampleEvent({ lane: BOB, destination: 'new' }), (receipt) => ({
        ...settled.delivered(receipt),
        alias: { from: ANN, to: BOB, profile: null },
      }));
      const events = await appendAllSettled(
        test.journal,
        [1, 2].map(() => sampleEvent({ lane: ANN })),
        settled.dead,
      );
      await replayTo('new');
      for (const receipt of events) {
        expect(await claimEvents(test.journal, { destination: 'new' })).toMatchObject([
          { receipt, lane: BOB, ownLane: ANN },
        ]);
        await settleHeld(test.journal, settled.delivered(receipt), 'new');
      }
    });

    const replayTo = (destination: string) =>
      test.journal.replay({
        filter: { states: ['dead'] },
        asNew: false,
        by: 'olga',
        routes: { acme: destination },
      });
  });

  describe('promote', () => {
    const test = journalInTest(make);

    it('turns a malformed body into an accepted event with the same receipt', async () => {
      const { receipt } = await test.journal.appendMalformed(sampleMalformed());
      const event = sampleEvent({ lane: ANN, body: Buffer.from('fixed') });
      expect(await test.journal.promote(receipt, event, 'olga')).toEqual({ receipt, duplicate: false });
      const [claimed] = await claimEvents(await test.reopen());
      const { body, ...fields } = event;
      expect(claimed).toMatchObject({ ...fields, receipt, state: 'pending', bodyBytes: body.byteLength });
      expect(claimed?.body.toString()).toBe('fixed');
      expect(claimed?.reason ?? claimed?.detail).toBeUndefined();
      expect((await test.journal.find(receipt))?.actions).toMatchObject([{ by: 'olga', action: 'promoted' }]);
      expect(await test.journal.ledger()).toMatchObject({ acme: { accepted: 1, pending: 1, malformed: 0 } });
      expect(await append(test.journal, event)).toMatchObject({ receipt, duplicate: true });
    });

    it('queues the event in its lane', async () => {
      const { receipt } = await test.journal.appendMalformed(sampleMalformed());
      const first = await append(test.journal, sampleEvent({ lane: ANN }));
      await test.journal.promote(receipt, sampleEvent({ lane: ANN }), 'olga');
      expect(await claimReceipts(test.journal)).toEqual([first.receipt]);
      await settleAs(test.journal, settled.delivered(first.receipt));
      expect(await claimReceipts(test.journal)).toEqual([receipt]);
    });

    it('deletes a duplicate and answers the first receipt', async () => {
      const event = sampleEvent();
      const first = await append(test.journal, event);
      const { receipt } = await test.journal.appendMalformed(sampleMalformed());
      expect(await test.journal.promote(receipt, event, 'olga')).toEqual({
        receipt: first.receipt,
        duplicate: true,
        sameBody: true,
      });
      expect(await test.journal.find(receipt)).toBeUndefined();
      expect(await test.journal.ledger()).toMatchObject({ acme: { accepted: 1, pending: 1, malformed: 0 } });
    });

    it('refuses a receipt without a malformed body', async () => {
      const { receipt } = await append(test.journal, sampleEvent());
      for (const id of [receipt, 'unknown'])
        await expect(test.journal.promote(id, sampleEvent(), 'olga')).rejects.toThrow(RefusedError);
      expect(await test.journal.count({})).toBe(1);
    });
  });

  describe('discard', () => {
    const test = journalInTest(make);

    it('makes dead letters ignored without payloads and deletes malformed bodies', async () => {
      const dead = await appendSettled(test.journal, sampleEvent(), settled.dead);
      const delivered = await appendSettled(test.journal, sampleEvent(), settled.delivered);
      const malformed = await test.journal.appendMalformed(sampleMalformed());
      test.clock.set(LATER);
      expect(await test.journal.discard({}, 'olga')).toEqual({ discarded: 2 });
      const record = await (await test.reopen()).find(dead);
      expect(record?.event).toMatchObject({ state: 'ignored', reason: 'discarded', settledAt: LATER });
      expect(record?.body).toBeUndefined();
      expect(record?.sent).toEqual([]);
      expect(record?.actions).toEqual([{ at: LATER, by: 'olga', action: 'discarded' }]);
      expect((await test.journal.find(delivered))?.body).toBeDefined();
      expect(await test.journal.find(malformed.receipt)).toBeUndefined();
      expect(await test.journal.ledger()).toMatchObject({
        acme: { accepted: 2, pending: 0, delivered: 1, ignored: 1, dead: 0, malformed: 0 },
      });
    });

    it('applies its filter', async () => {
      await appendSettled(test.journal, sampleEvent(), settled.dead);
      const { receipt } = await test.journal.appendMalformed(sampleMalformed());
      expect(await test.journal.discard({ states: ['malformed', 'pending'] }, 'olga')).toEqual({
        discarded: 1,
      });
      expect(await test.journal.find(receipt)).toBeUndefined();
      expect(await test.journal.count({ states: ['dead'] })).toBe(1);
    });
  });
}
