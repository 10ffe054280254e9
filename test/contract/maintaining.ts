import { describe, expect, it } from 'vitest';
import type { MaintenanceReport } from '../../src/journal/journal.ts';
import { until } from '../helpers/until.ts';
import { AMPLE_ROOM, retainAt } from './maintenance-round.ts';
import {
  append,
  appendAllSettled,
  appendSettled,
  claimReceipts,
  DAY,
  sampleAttempt,
  sampleEvent,
  sampleMalformed,
  settleAs,
  settled,
  T0,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const POLICY = { delivered: 3 * DAY, ids: 8 * DAY, dead: 90 * DAY };

export function describeMaintaining(make: MakeStore): void {
  describe('retention', () => {
    const test = journalInTest(make);

    it('deletes the body of a delivered or ignored event first and keeps its record', async () => {
      const delivered = await appendSettled(test.journal, sampleEvent(), (receipt) => ({
        ...settled.delivered(receipt),
        state: 'delivered',
        attempts: [sampleAttempt()],
        notes: [{ path: 'data.a', code: 'too-long' }],
      }));
      const ignored = await appendSettled(test.journal, sampleEvent(), settled.ignored);
      await retainAt(test, POLICY, T0 + POLICY.delivered - 1);
      expect((await test.journal.find(delivered))?.body).toBeDefined();
      await retainAt(test, POLICY, T0 + POLICY.delivered);
      const record = await test.journal.find(delivered);
      expect(record?.body).toBeUndefined();
      expect(record?.event.state).toBe('delivered');
      expect(record?.attempts).toHaveLength(1);
      expect(record?.notes).toEqual([{ path: 'data.a', code: 'too-long' }]);
      expect((await test.journal.find(ignored))?.body).toBeUndefined();
    });

    it('deletes the record when its identity may be forgotten, not before', async () => {
      const event = sampleEvent();
      const receipt = await appendSettled(test.journal, event, settled.delivered);
      await retainAt(test, POLICY, T0 + POLICY.ids - 1);
      expect(await append(test.journal, event)).toMatchObject({ receipt, duplicate: true });
      await retainAt(test, POLICY, T0 + POLICY.ids);
      expect(await test.journal.find(receipt)).toBeUndefined();
      expect(await append(test.journal, event)).toMatchObject({ duplicate: false });
    });

    it('keeps the record of an event that was delivered late as long as its body', async () => {
      const late = T0 + 20 * DAY;
      const { receipt } = await append(test.journal, sampleEvent());
      test.clock.set(late);
      await settleAs(test.journal, settled.delivered(receipt));
      await retainAt(test, POLICY, late + POLICY.delivered - 1);
      expect((await test.journal.find(receipt))?.body).toBeDefined();
      await retainAt(test, POLICY, late + POLICY.delivered);
      expect(await test.journal.find(receipt)).toBeUndefined();
    });

    it('never changes a pending event', async () => {
      const { receipt } = await append(test.journal, sampleEvent());
      await retainAt(test, POLICY, T0 + 1_000 * DAY);
      expect((await test.journal.find(receipt))?.body).toBeDefined();
      expect(await claimReceipts(test.journal)).toEqual([receipt]);
    });

    it('deletes dead letters and malformed bodies at their age', async () => {
      const { receipt } = await test.journal.appendMalformed(sampleMalformed());
      test.clock.set(T0 + 1_000);
      const dead = await appendSettled(test.journal, sampleEvent(), settled.dead);
      await retainAt(test, POLICY, T0 + POLICY.dead);
      expect(await test.journal.find(receipt)).toBeUndefined();
      expect((await test.journal.find(dead))?.sent).toHaveLength(1);
      await retainAt(test, POLICY, T0 + 1_000 + POLICY.dead);
      expect(await test.journal.find(dead)).toBeUndefined();
    });

    it('keeps a dead letter for its identity even if dead letters expire earlier', async () => {
      const event = sampleEvent();
      const receipt = await appendSettled(test.journal, event, settled.dead);
      await retainAt(test, { ...POLICY, dead: DAY }, T0 + 2 * DAY);
      expect(await append(test.journal, event)).toMatchObject({ receipt, duplicate: true });
    });

    it('keeps a replayed event and all counts', async () => {
      const replayed = await appendSettled(test.journal, sampleEvent(), settled.dead);
      await appendSettled(test.journal, sampleEvent(), settled.dead);
      await appendSettled(test.journal, sampleEvent(), settled.delivered);
      await test.journal.appendMalformed(sampleMalformed());
      await test.journal.replay({ filter: { receipts: [replayed] }, asNew: false, by: 'olga' });
      await retainAt(test, POLICY, T0 + 1_000 * DAY);
      await until(async () => (await test.journal.count({})) === 1);
      expect(await test.journal.ledger()).toMatchObject({
        acme: { accepted: 3, pending: 1, delivered: 1, ignored: 0, dead: 1, malformed: 0 },
      });
      expect(await claimReceipts(test.journal)).toEqual([replayed]);
    });

    it('removes any number of events in several steps, and reports them', async () => {
      const count = 1_000;
      await appendAllSettled(
        test.journal,
        Array.from({ length: count }, () => sampleEvent()),
        settled.delivered,
      );
      test.clock.set(T0 + 1_000 * DAY);
      const reports: MaintenanceReport[] = [];
      const unsubscribe = test.journal.onMaintenance((report) => reports.push(report));
      test.journal.maintain(() => ({ retention: POLICY, ...AMPLE_ROOM }));
      const removed = () =>
        reports.reduce((sum, report) => sum + (report.kind === 'retained' ? report.removed : 0), 0);
      await until(async () => (await test.journal.count({})) === 0 && removed() >= count);
      expect(reports.filter(({ kind }) => kind === 'retained').length).toBeGreaterThan(2);
      expect((await test.journal.ledger())['acme']).toMatchObject({ accepted: count, delivered: count });
      unsubscribe();
    });

    it('frees space', async () => {
      const body = Buffer.alloc(50_000, 1);
      const receipts = await appendAllSettled(
        test.journal,
        Array.from({ length: 200 }, () => sampleEvent({ body })),
        settled.delivered,
      );
      const before = await (await test.reopen()).status();
      await retainAt(test, POLICY, T0 + POLICY.delivered);
      expect((await test.journal.find(receipts.at(-1)!))?.body).toBeUndefined();
      const after = await (await test.reopen()).status();
      expect(before.usedBytes).toBeGreaterThan(10_000_000);
      expect(after.usedBytes).toBeLessThan(2_000_000);
    });
  });

  describe('maintenance', () => {
    const test = journalInTest(make);

    it('ignores a second beginning', async () => {
      const receipt = await appendSettled(test.journal, sampleEvent(), settled.delivered);
      await retainAt(test, { ...POLICY, delivered: 0 }, T0 + 1);
      let rounds = 0;
      test.journal.maintain(() => {
        rounds += 1;
        return { retention: POLICY, ...AMPLE_ROOM };
      });
      await until(async () => (await test.journal.find(receipt))?.body === undefined);
      expect(rounds).toBe(0);
    });

    it('completes and reports a replay that a restart has interrupted, without being asked', async () => {
      await appendAllSettled(
        test.journal,
        Array.from({ length: 600 }, () => sampleEvent()),
        settled.dead,
      );
      const replaying = test.journal.replay({ filter: {}, asNew: false, by: 'olga' }).catch(() => undefined);
      const journal = await test.reopen();
      const reported = new Promise<MaintenanceReport>((resolve) => journal.onMaintenance(resolve));
      expect(await replaying).toBeUndefined();
      const [job] = await journal.replays();
      expect(await reported).toEqual({ kind: 'replayed', id: job?.id });
      expect(await journal.replays()).toMatchObject([{ matched: 600, replayed: 600, done: true }]);
      expect(await journal.ledger()).toMatchObject({ acme: { accepted: 600, pending: 600, dead: 0 } });
    });
  });
}
