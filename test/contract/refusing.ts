import { describe, expect, it } from 'vitest';
import type { RefusedRecord } from '../../src/journal/journal.ts';
import { acknowledged, deliver, sumsOf } from './landing-samples.ts';
import { DAY, sampleEvent, settleAs, settled, T0 } from './samples.ts';
import { retainAt } from './maintenance-round.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const SPAN = 10_000;

/** Records that AEP refuses after it has acknowledged them. */
export function describeRefusing(make: MakeStore): void {
  describe('a record that AEP refuses later', () => {
    const test = journalInTest(make);
    const record = (receipt: string, overrides: Partial<RefusedRecord> = {}): RefusedRecord => ({
      receipt,
      kind: 'event',
      idSuffix: '',
      refusedAt: T0 + SPAN,
      detail: 'DCVS-1106: not a date',
      json: '{"_id":"x"}',
      ...overrides,
    });
    const refuse = (records: readonly RefusedRecord[], destination = 'aep') =>
      test.journal.refuse(destination, records);

    it('becomes a dead letter with its reason, and its event is no longer unconfirmed', async () => {
      const receipt = await deliver(test.journal, sampleEvent(), (each) =>
        acknowledged(each, ['event', 'profile']),
      );
      await deliver(test.journal);
      test.clock.set(T0 + 2 * SPAN);
      expect(await refuse([record(receipt)])).toEqual({ refused: [receipt] });
      const found = await test.journal.find(receipt);
      expect(found).toMatchObject({
        event: {
          state: 'dead',
          reason: 'refused-later',
          detail: 'DCVS-1106: not a date',
          delivered: ['profile'],
          settledAt: T0 + 2 * SPAN,
        },
        sent: [{ kind: 'event', json: '{"_id":"x"}' }],
      });
      expect(found?.body).toBeDefined();
      expect(await sumsOf(test.journal)).toEqual([0, 1, 1]);
      expect(await test.journal.ledger()).toMatchObject({ acme: { accepted: 2, delivered: 1, dead: 1 } });
      expect(await test.journal.deliverySpans('aep', { from: 0, until: T0 + SPAN })).toEqual([
        { at: T0, events: 1, acknowledged: { event: 2, profile: 1 }, unanswered: { event: 0, profile: 0 } },
      ]);
      expect(await refuse([record(receipt)])).toEqual({ refused: [] });
      expect(await test.journal.landing(receipt)).toBeUndefined();
      expect(await test.journal.count({ reason: 'refused-later' })).toBe(1);
      await test.reopen();
      expect(await sumsOf(test.journal)).toEqual([0, 1, 1]);
    });

    it('and then its other record, which is sent again too', async () => {
      const both = await deliver(test.journal, sampleEvent(), (each) =>
        acknowledged(each, ['event', 'profile']),
      );
      test.clock.set(T0 + 2 * SPAN);
      await refuse([record(both)]);
      const other = record(both, { kind: 'profile', json: '{"_id":"y"}' });
      expect(await refuse([{ ...other, idSuffix: '-r1' }])).toEqual({ refused: [] });
      expect(await refuse([other], 'other')).toEqual({ refused: [] });
      expect((await test.journal.find(both))?.event.delivered).toEqual(['profile']);
      expect(await refuse([other])).toEqual({ refused: [] });
      expect(await refuse([other, record(both)])).toEqual({ refused: [] });
      expect(await test.journal.find(both)).toMatchObject({
        event: { state: 'dead', reason: 'refused-later', delivered: [] },
        sent: [
          { kind: 'event', json: '{"_id":"x"}' },
          { kind: 'profile', json: '{"_id":"y"}' },
        ],
      });
      expect(await sumsOf(test.journal)).toEqual([0, 1, 0]);
    });

    it('takes along the other record of its event, if that is refused too', async () => {
      const receipt = await deliver(test.journal, sampleEvent(), (each) =>
        acknowledged(each, ['event', 'profile']),
      );
      await refuse([record(receipt)]);
      const other = record(receipt, { kind: 'profile', json: '{"p":1}', detail: 'later' });
      for (const records of [[record(receipt, { ...other, idSuffix: '-r1' })], [other], [other]])
        expect(await refuse(records)).toEqual({ refused: [] });
      expect(await test.journal.find(receipt)).toMatchObject({
        event: { state: 'dead', reason: 'refused-later', detail: 'DCVS-1106: not a date', delivered: [] },
        sent: [
          { kind: 'event', json: '{"_id":"x"}' },
          { kind: 'profile', json: '{"p":1}' },
        ],
      });
      expect(await sumsOf(test.journal)).toEqual([0, 1, 0]);
    });

    it('counts and is stored once, although a call names it twice', async () => {
      const receipt = await deliver(test.journal);
      expect(await refuse([record(receipt), record(receipt, { json: '{}' })])).toEqual({
        refused: [receipt],
      });
      expect((await test.journal.find(receipt))?.sent).toEqual([{ kind: 'event', json: '{"_id":"x"}' }]);
      expect(await sumsOf(test.journal)).toEqual([0, 1, 0]);
    });

    it('is none of those that had landed', async () => {
      const receipt = await deliver(test.journal);
      await deliver(test.journal);
      test.clock.set(T0 + SPAN);
      await test.journal.confirm('aep', { from: T0, until: T0 + SPAN, since: T0 });
      await refuse([record(receipt)]);
      expect(await sumsOf(test.journal)).toEqual([1, 1, 0]);
    });

    it('is left as it is unless it is what was delivered last', async () => {
      const receipt = await deliver(test.journal);
      const dead = await deliver(test.journal, sampleEvent(), settled.dead);
      for (const records of [
        [record(receipt, { idSuffix: '-r1' })],
        [record(receipt, { refusedAt: T0 - 1 })],
        [record(dead), record('unknown')],
      ])
        expect(await refuse(records)).toEqual({ refused: [] });
      expect(await refuse([record(receipt)], 'elsewhere')).toEqual({ refused: [] });
      expect(await sumsOf(test.journal)).toEqual([0, 0, 1]);
      expect((await test.journal.find(dead))?.event.reason).toBe('rejected');
    });

    it('counts no more once it is replayed: only what was refused is sent again', async () => {
      const receipt = await deliver(test.journal, sampleEvent(), (each) =>
        acknowledged(each, ['event', 'profile']),
      );
      await refuse([record(receipt)]);
      await test.journal.replay({ filter: { reason: 'refused-later' }, asNew: true, by: 'olga' });
      expect(await sumsOf(test.journal)).toEqual([0, 0, 0]);
      expect((await test.journal.find(receipt))?.event.delivered).toEqual(['profile']);
      await settleAs(test.journal, acknowledged(receipt));
      expect(await refuse([record(receipt)])).toEqual({ refused: [] });
      expect(await refuse([record(receipt, { idSuffix: '-r1' })])).toEqual({ refused: [receipt] });
      expect(await sumsOf(test.journal)).toEqual([0, 1, 0]);
    });

    it('counts no more once it is discarded', async () => {
      const receipt = await deliver(test.journal);
      await refuse([record(receipt)]);
      expect(await test.journal.discard({ reason: 'refused-later' }, 'olga')).toEqual({ discarded: 1 });
      expect(await test.journal.landings()).toEqual({});
      expect(await test.journal.ledger()).toMatchObject({ acme: { dead: 0, ignored: 1 } });
    });

    it('no longer waits for a refresh', async () => {
      const receipt = await deliver(test.journal, sampleEvent({ lane: 'anna' }), (each) => ({
        ...acknowledged(each),
        enrichment: { missing: { customer: true, bill: false, dueIn: 0 } },
      }));
      await refuse([record(receipt)]);
      expect(await test.journal.refreshes()).toEqual([]);
    });

    it('has no body if that was removed; then it cannot be replayed, and expires as a dead letter', async () => {
      const receipt = await deliver(test.journal);
      const policy = { delivered: DAY, ids: 30 * DAY, dead: 90 * DAY };
      await retainAt(test, policy, T0 + 2 * DAY);
      expect(await refuse([record(receipt, { json: '{}' })])).toEqual({ refused: [receipt] });
      const found = await test.journal.find(receipt);
      expect(found?.body).toBeUndefined();
      expect(found?.sent).toHaveLength(1);
      expect(await test.journal.count({ states: ['dead'], hasBody: false })).toBe(1);
      const filter = { receipts: [receipt] };
      expect(await test.journal.replay({ filter, asNew: false, by: 'olga' })).toEqual({ replayed: 0 });
      await retainAt(test, policy, T0 + 92 * DAY);
      expect(await test.journal.find(receipt)).toBeUndefined();
      expect(await sumsOf(test.journal)).toEqual([0, 1, 0]);
    });

    it('can be one of any number in a call', async () => {
      const receipts: string[] = [];
      for (const { receipt } of await test.journal.append(Array.from({ length: 600 }, () => sampleEvent())))
        receipts.push(receipt);
      const { token } = await test.journal.claim(
        { id: 'many', destination: 'aep' },
        { sources: ['acme'], events: 600, replays: 0, bytes: 1e9 },
      );
      await test.journal.settle(
        token,
        receipts.map((receipt) => acknowledged(receipt)),
      );
      const { refused } = await refuse(receipts.map((receipt) => record(receipt, { json: undefined })));
      expect(refused.toSorted()).toEqual(receipts.toSorted());
      expect(await sumsOf(test.journal)).toEqual([0, 600, 0]);
    });
  });
}
