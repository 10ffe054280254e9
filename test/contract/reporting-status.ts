import { describe, expect, it } from 'vitest';
import {
  appendAll,
  claim,
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

export function describeReportingStatus(make: MakeStore): void {
  describe('status', () => {
    const test = journalInTest(make);
    const overdue = async () =>
      (await test.journal.status()).overdue.toSorted((a, b) =>
        `${a.source} ${a.destination}`.localeCompare(`${b.source} ${b.destination}`),
      );

    it('says that the store can be written and is alive', async () => {
      const status = await test.journal.status();
      expect(status).toMatchObject({ isWritable: true, overdue: [] });
      expect(status).not.toHaveProperty('failingFor');
      expect(status).not.toHaveProperty('failure');
      expect(status.queued).toBe(0);
      expect(status.silentFor).toBeGreaterThanOrEqual(0);
      expect(test.journal.silentFor()).toBeGreaterThanOrEqual(0);
    });

    it('measures what records use, and what new ones can use', async () => {
      const before = await test.journal.status();
      const body = Buffer.alloc(65_536, 1);
      await appendAll(
        test.journal,
        Array.from({ length: 64 }, () => sampleEvent({ body })),
      );
      const after = await test.journal.status();
      expect(after.usedBytes - before.usedBytes).toBeGreaterThan(64 * 65_536);
      expect(after.freeBytes).toBeGreaterThan(0);
      expect(Object.values(after.gauges).every((value) => Number.isFinite(value))).toBe(true);
    });

    it('names for each source and destination since when its oldest claimable event has been due', async () => {
      await appendAll(test.journal, [sampleEvent({ lane: ANN }), sampleEvent({ source: 'shop' })]);
      test.clock.set(T0 + 1_000);
      await appendAll(test.journal, [sampleEvent(), sampleEvent({ destination: 'other' })]);
      test.clock.set(T0 + 5_000);
      expect(await overdue()).toEqual([
        { source: 'acme', destination: 'aep', since: 5_000 },
        { source: 'acme', destination: 'other', since: 4_000 },
        { source: 'shop', destination: 'aep', since: 5_000 },
      ]);
    });

    it('counts as overdue neither what is claimed, nor what waits, nor what is behind either', async () => {
      const [first, second] = await appendAll(
        test.journal,
        [1, 2].map(() => sampleEvent({ lane: ANN })),
      );
      test.clock.set(T0 + 5_000);
      expect(await claimReceipts(test.journal)).toEqual([first]);
      expect(await overdue()).toEqual([]);
      await release(test.journal, [first!]);
      expect(await overdue()).toMatchObject([{ since: 5_000 }]);
      await settleAs(test.journal, settled.waiting(first!, 2_000));
      expect(await overdue()).toEqual([]);
      test.clock.set(T0 + 7_300);
      expect(await overdue()).toMatchObject([{ since: 300 }]);
      await settleAs(test.journal, settled.delivered(first!));
      expect((await claim(test.journal)).events).toMatchObject([{ receipt: second }]);
      expect(await overdue()).toEqual([]);
    });

    it('is answered after a restart as before', async () => {
      await appendAll(test.journal, [sampleEvent()]);
      await test.reopen();
      test.clock.set(T0 + 60_000);
      expect(await overdue()).toEqual([{ source: 'acme', destination: 'aep', since: 60_000 }]);
    });
  });
}
