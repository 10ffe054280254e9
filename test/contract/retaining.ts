import { describe, expect, it } from 'vitest';
import {
  appendSettled,
  claimReceipts,
  DAY,
  sampleAttempt,
  sampleEvent,
  sampleMalformed,
  settled,
  T0,
} from './samples.ts';
import { journalInTest, type MakeStore } from './test-store.ts';

const POLICY = { delivered: 3 * DAY, ids: 8 * DAY, dead: 90 * DAY };
/** Time at which the samples are settled. */
const SETTLED_AT = T0 + 1_000;

export function describeRetaining(make: MakeStore) {
  return describe('retention', () => {
    const test = journalInTest(make);

    it('deletes the body of a delivered or ignored event first and keeps its record', async () => {
      const delivered = await appendSettled(test.journal, sampleEvent(), (receipt) => ({
        ...settled.delivered(receipt),
        state: 'delivered',
        attempts: [sampleAttempt()],
        notes: [{ path: 'data.a', code: 'too-long' }],
      }));
      const ignored = await appendSettled(test.journal, sampleEvent(), settled.ignored);
      expect(await test.journal.retain(POLICY, SETTLED_AT + POLICY.delivered - 1)).toEqual({
        removed: 0,
        more: false,
      });
      expect(await test.journal.retain(POLICY, SETTLED_AT + POLICY.delivered)).toEqual({
        removed: 2,
        more: false,
      });
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
      await test.journal.retain(POLICY, T0 + POLICY.ids - 1);
      expect(await test.journal.append(event)).toMatchObject({ receipt, duplicate: true });
      await test.journal.retain(POLICY, T0 + POLICY.ids);
      expect(await test.journal.find(receipt)).toBeUndefined();
      expect(await test.journal.append(event)).toMatchObject({ duplicate: false });
    });

    it('keeps the record of an event that was delivered late as long as its body', async () => {
      const late = T0 + 20 * DAY;
      const receipt = await appendSettled(test.journal, sampleEvent(), (of) => ({
        ...settled.delivered(of),
        now: late,
      }));
      await test.journal.retain(POLICY, late + POLICY.delivered - 1);
      expect((await test.journal.find(receipt))?.body).toBeDefined();
      await test.journal.retain(POLICY, late + POLICY.delivered);
      expect(await test.journal.find(receipt)).toBeUndefined();
    });

    it('never changes a pending event', async () => {
      const { receipt } = await test.journal.append(sampleEvent());
      expect(await test.journal.retain(POLICY, T0 + 1_000 * DAY)).toEqual({ removed: 0, more: false });
      expect(await claimReceipts(test.journal)).toEqual([receipt]);
    });

    it('deletes dead letters and malformed bodies at their age', async () => {
      const dead = await appendSettled(test.journal, sampleEvent(), settled.dead);
      const { receipt } = await test.journal.appendMalformed(sampleMalformed());
      await test.journal.retain(POLICY, T0 + POLICY.dead);
      expect(await test.journal.find(receipt)).toBeUndefined();
      expect((await test.journal.find(dead))?.sent).toHaveLength(1);
      await test.journal.retain(POLICY, SETTLED_AT + POLICY.dead);
      expect(await test.journal.find(dead)).toBeUndefined();
    });

    it('keeps a dead letter for its identity even if dead letters expire earlier', async () => {
      const event = sampleEvent();
      const receipt = await appendSettled(test.journal, event, settled.dead);
      await test.journal.retain({ ...POLICY, dead: DAY }, SETTLED_AT + 2 * DAY);
      expect(await test.journal.append(event)).toMatchObject({ receipt, duplicate: true });
    });

    it('keeps a replayed event and all counts', async () => {
      const replayed = await appendSettled(test.journal, sampleEvent(), settled.dead);
      await appendSettled(test.journal, sampleEvent(), settled.dead);
      await appendSettled(test.journal, sampleEvent(), settled.delivered);
      await test.journal.appendMalformed(sampleMalformed());
      await test.journal.replay({ filter: { receipts: [replayed] }, asNew: false, by: 'olga', now: T0 });
      let step = await test.journal.retain(POLICY, T0 + 1_000 * DAY);
      while (step.more) step = await test.journal.retain(POLICY, T0 + 1_000 * DAY);
      expect(await test.journal.count({})).toBe(1);
      expect(await test.journal.ledger()).toMatchObject({
        acme: { accepted: 3, pending: 1, delivered: 1, ignored: 0, dead: 1, malformed: 0 },
      });
      expect(await claimReceipts(test.journal)).toEqual([replayed]);
    });

    it('runs in small steps and answers whether more is due', async () => {
      const count = 1_000;
      await Promise.all(
        Array.from({ length: count }, () => appendSettled(test.journal, sampleEvent(), settled.delivered)),
      );
      let steps = 0;
      let removed = 0;
      for (let more = true; more; steps += 1) {
        const step = await test.journal.retain(POLICY, T0 + 1_000 * DAY);
        expect(step.removed).toBeLessThan(500);
        removed += step.removed;
        more = step.more;
      }
      expect(steps).toBeGreaterThan(2);
      expect(removed).toBe(2 * count);
      expect(await test.journal.count({})).toBe(0);
      expect((await test.journal.ledger())['acme']).toMatchObject({ accepted: count, delivered: count });
    });

    it('frees space', async () => {
      const body = Buffer.alloc(50_000, 1);
      await Promise.all(
        Array.from({ length: 200 }, () =>
          appendSettled(test.journal, sampleEvent({ body }), settled.delivered),
        ),
      );
      const before = await (await test.reopen()).health();
      for (let more = true; more; )
        ({ more } = await test.journal.retain(POLICY, SETTLED_AT + POLICY.delivered));
      const after = await (await test.reopen()).health();
      expect(before.usedBytes).toBeGreaterThan(10_000_000);
      expect(after.usedBytes).toBeLessThan(2_000_000);
    });
  });
}
