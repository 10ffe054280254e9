import { describe, expect, it } from 'vitest';
import type { Settlement } from '../../src/journal/journal.ts';
import {
  append,
  appendAll,
  claim,
  claimReceipts,
  release,
  sampleAttempt,
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

export function describeSettling(make: MakeStore) {
  return describe('settle', () => {
    const test = journalInTest(make);
    const appendAnn = async () => (await append(test.journal, sampleEvent({ lane: ANN }))).receipt;

    it('records a delivery with its attempts', async () => {
      const receipt = await appendAnn();
      const attempts = [
        sampleAttempt({ itemStatus: 429 }, { status: 207 }),
        sampleAttempt(
          { outcome: 'delivered', xactionId: 'x:1', detail: undefined },
          { at: T0 + 5, kind: 'profile', status: 207, durationMs: 7, batchSize: 9 },
        ),
      ];
      test.clock.set(T0 + 7);
      await settleAs(test.journal, {
        ...settled.delivered(receipt),
        attempts,
        delivered: ['event', 'profile'],
      });
      const record = await test.journal.find(receipt);
      expect(record?.attempts).toEqual([
        {
          at: T0,
          kind: 'event',
          outcome: 'retry',
          status: 429,
          detail: 'the inlet is down',
          durationMs: 12,
          batchSize: 3,
        },
        {
          at: T0 + 5,
          kind: 'profile',
          outcome: 'delivered',
          status: 207,
          xactionId: 'x:1',
          durationMs: 7,
          batchSize: 9,
        },
      ]);
      expect(record?.event).toMatchObject({
        state: 'delivered',
        settledAt: T0 + 7,
        delivered: ['event', 'profile'],
      });
      expect(record?.event.reason).toBeUndefined();
      expect(record?.body).toBeDefined();
    });

    it('records why an event is ignored', async () => {
      const receipt = await appendAnn();
      await settleAs(test.journal, {
        ...settled.ignored(receipt),
        state: 'ignored',
        reason: 'test-event',
        detail: 'd',
      });
      expect((await test.journal.find(receipt))?.event).toMatchObject({
        state: 'ignored',
        reason: 'test-event',
        detail: 'd',
      });
    });

    it('stores with a dead letter which messages were sent and delivered', async () => {
      const receipt = await appendAnn();
      const sent = [
        { kind: 'event', json: '{"e":"é"}' },
        { kind: 'profile', json: '{}' },
      ] as const;
      await settleAs(test.journal, {
        ...settled.dead(receipt),
        state: 'dead',
        reason: 'rejected',
        detail: 'DCVS-1106',
        sent,
        delivered: ['profile'],
      });
      const record = await (await test.reopen()).find(receipt);
      expect(record?.sent).toEqual(sent);
      expect(record?.event).toMatchObject({
        state: 'dead',
        reason: 'rejected',
        detail: 'DCVS-1106',
        delivered: ['profile'],
      });
    });

    it('stores the mapping notes of a settled event across a restart', async () => {
      const notes = [
        { path: 'entities.bill', code: 'enrichment-incomplete', detail: 'no call was left for it' },
        { path: 'data.enteredAt', code: 'not-a-date' },
        { path: 'xdmEntity.größe', code: 'shrunk' },
      ];
      for (const settle of [settled.delivered, settled.ignored, settled.dead]) {
        const receipt = await appendAnn();
        await settleAs(test.journal, { ...settle(receipt), notes } as Settlement);
        expect((await test.journal.find(receipt))?.notes).toEqual(notes);
      }
      const receipt = await appendAnn();
      await settleAs(test.journal, settled.delivered(receipt));
      const [last] = (await (await test.reopen()).list({ states: ['dead'] }, { limit: 1 })).items;
      expect((await test.journal.find(last!.receipt))?.notes).toEqual(notes);
      expect((await test.journal.find(receipt))?.notes).toEqual([]);
    });

    it('stores at most 100 notes and truncates long paths', async () => {
      const receipt = await appendAnn();
      const notes = Array.from({ length: 120 }, (_, at) => ({ path: `${at}${'p'.repeat(500)}`, code: 'c' }));
      await settleAs(test.journal, { ...settled.delivered(receipt), state: 'delivered', notes });
      const stored = (await test.journal.find(receipt))?.notes;
      expect(stored).toHaveLength(100);
      expect(stored?.[99]).toEqual({ path: notes[99]?.path.slice(0, 300), code: 'c' });
    });

    it('stores no notes of an event that stays pending or was already settled', async () => {
      const receipt = await appendAnn();
      const notes = [{ path: 'data.a', code: 'too-long' }];
      await settleAs(test.journal, { ...settled.waiting(receipt, 0), notes } as Settlement);
      expect((await test.journal.find(receipt))?.notes).toEqual([]);
      await settleAs(test.journal, settled.dead(receipt));
      await settleAs(test.journal, { ...settled.delivered(receipt), state: 'delivered', notes });
      expect((await test.journal.find(receipt))?.notes).toEqual([]);
    });

    it('requeues an event with what its next attempt needs, across a restart', async () => {
      const receipt = await appendAnn();
      await settleAs(test.journal, {
        receipt,
        attempts: [sampleAttempt()],
        delivered: ['event'],
        state: 'pending',
        dueIn: 10,
        failedAttempts: 3,
        ownFaultCount: 2,
        detail: 'slow down',
      });
      const record = await (await test.reopen()).find(receipt);
      expect(record?.event).toMatchObject({
        state: 'pending',
        dueAt: T0 + 10,
        failedAttempts: 3,
        ownFaultCount: 2,
        detail: 'slow down',
        delivered: ['event'],
      });
      expect(record?.event.settledAt).toBeUndefined();
      expect(record?.attempts).toHaveLength(1);
    });

    it('stores attempts in order and truncates long details', async () => {
      const receipt = await appendAnn();
      for (const at of [T0 + 1, T0 + 2, T0 + 3]) {
        const attempts = [sampleAttempt({ detail: 'x'.repeat(5_000) }, { at })];
        await settleAs(test.journal, { ...settled.waiting(receipt, 0), attempts });
      }
      const attempts = (await test.journal.find(receipt))?.attempts;
      expect(attempts?.map((attempt) => attempt.at)).toEqual([T0 + 1, T0 + 2, T0 + 3]);
      expect(attempts?.[0]?.detail).toHaveLength(2_048);
    });

    it('records nothing of an event that is not pending, whose settlement is not stale', async () => {
      const receipt = await appendAnn();
      await settleAs(test.journal, settled.dead(receipt));
      const before = await test.journal.ledger();
      const late = {
        ...settled.delivered(receipt),
        attempts: [sampleAttempt()],
        profiles: [{ lane: ANN, state: '{}' }],
      };
      expect(await settleHeld(test.journal, late)).toEqual({ stale: [] });
      expect(await settleHeld(test.journal, settled.waiting(receipt, 9))).toEqual({ stale: [] });
      const record = await test.journal.find(receipt);
      expect(record?.event).toMatchObject({ state: 'dead', delivered: [], reason: 'rejected' });
      expect(record?.attempts).toEqual([]);
      expect(await test.journal.ledger()).toEqual(before);
      expect(await test.journal.profiles('aep', [ANN])).toEqual(new Map());
    });

    it('ignores an unknown receipt without affecting other settlements', async () => {
      const receipt = await appendAnn();
      const { token } = await claim(test.journal);
      const settlements = ['unknown', receipt, 'other'].map(settled.delivered);
      expect(await test.journal.settle(token, settlements)).toEqual({ stale: [] });
      expect((await test.journal.find(receipt))?.event.state).toBe('delivered');
    });

    it('writes profiles of several lanes in the same step, and deletes them with null', async () => {
      const [first, second] = await appendAll(test.journal, [
        sampleEvent({ lane: ANN }),
        sampleEvent({ lane: BOB }),
      ]);
      await settleAs(test.journal, {
        ...settled.delivered(first!),
        profiles: [
          { lane: ANN, state: '{"a":1}' },
          { lane: BOB, state: '{"b":"ü"}' },
        ],
      });
      const both = new Map([
        [ANN, '{"a":1}'],
        [BOB, '{"b":"ü"}'],
      ]);
      expect(await test.journal.profiles('aep', [ANN, sha256('nobody'), BOB])).toEqual(both);
      expect(await test.journal.profiles('other', [ANN])).toEqual(new Map());
      await settleAs(test.journal, {
        ...settled.waiting(second!, 0),
        profiles: [
          { lane: ANN, state: '{"a":2}' },
          { lane: BOB, state: null },
        ],
      });
      expect(await (await test.reopen()).profiles('aep', [ANN, BOB])).toEqual(new Map([[ANN, '{"a":2}']]));
    });

    it('changes the counts of its source only', async () => {
      const receipts = await appendAll(
        test.journal,
        Array.from({ length: 4 }, () => sampleEvent()),
      );
      await append(test.journal, sampleEvent({ source: 'other' }));
      await settleAs(test.journal, settled.delivered(receipts[0]!));
      await settleAs(test.journal, settled.ignored(receipts[1]!));
      await settleAs(test.journal, settled.dead(receipts[2]!));
      await settleAs(test.journal, settled.waiting(receipts[3]!, 1));
      expect(await test.journal.ledger()).toMatchObject({
        acme: { accepted: 4, pending: 1, delivered: 1, ignored: 1, dead: 1 },
        other: { accepted: 1, pending: 1 },
      });
    });

    it('calls the listeners only when an event becomes claimable', async () => {
      const called: string[] = [];
      const unsubscribe = test.journal.onClaimable((destination) => called.push(destination));
      const first = await appendAnn();
      expect(called.splice(0)).toEqual(['aep']);
      const second = await appendAnn();
      expect(test.isShared ? [] : called).toEqual([]);
      called.length = 0;
      await claimReceipts(test.journal);
      await settleHeld(test.journal, settled.waiting(first, 0));
      await claimReceipts(test.journal);
      await release(test.journal, [first]);
      expect(called).toEqual([]);
      await claimReceipts(test.journal);
      await settleHeld(test.journal, settled.delivered(first));
      expect(called.splice(0)).toEqual(['aep']);
      await claimReceipts(test.journal);
      await settleHeld(test.journal, settled.delivered(second));
      expect(called).toEqual([]);
      unsubscribe();
      await appendAnn();
      expect(called).toEqual([]);
    });
  });
}
