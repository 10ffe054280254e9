import { describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../src/journal/sqlite/engine/migrations.ts';
import type { Failpoint } from '../../src/telemetry/failpoints.ts';
import { WAIT_LIMIT_MS } from '../helpers/limits.ts';
import { type CrashHarness, createCrashHarness } from './oracle/crash-harness.ts';

/** After the restart every guarantee holds, and the store is intact. */
async function expectGuaranteesHold(crashes: CrashHarness): Promise<void> {
  const verdict = await crashes.restartAndVerify();
  expect(verdict.findings).toEqual([]);
  expect(verdict.ledger).toMatchObject({ pending: 0, balanced: true });
  expect(verdict.totals.delivered).toBeGreaterThan(1);
}

type CrashPoint = [when: string, failpoint: Failpoint, times: number, call?: string];

const CRASH_POINTS: readonly CrashPoint[] = [
  ['while a batch of events is written but not committed', 'journal-committing', 3, 'append'],
  ['while a batch is in the intake log but not synced', 'journal-writing-log', 3],
  // The first syncs are those of the opening.
  ...[3, 8, 20].map(
    (times): CrashPoint => [`after sync ${times} of a file of the store`, 'journal-synced', times],
  ),
  ['while events are committed but the journal has not answered', 'journal-committed', 3, 'append'],
  ['while events are stored but the webhooks are not answered', 'intake-appended', 20],
  ['while events are claimed but not sent', 'delivery-claimed', 3],
  ['while messages are accepted by Adobe but not settled', 'delivery-answered', 20],
  ['while outcomes are written but not committed', 'journal-committing', 3, 'settle'],
  ['while outcomes are committed but the dispatcher does not know', 'journal-committed', 3, 'settle'],
  ['before it requests a token from IMS', 'token-minting', 1],
  ['after it received a token from IMS', 'token-minted', 1],
  // Each migration hits the failpoint twice: before its commit and after it.
  ...MIGRATIONS.flatMap((_, step): CrashPoint[] => [
    [`during migration ${step + 1}`, 'journal-migrating', 2 * step + 1],
    [`after migration ${step + 1}`, 'journal-migrating', 2 * step + 2],
  ]),
];

// Concurrent, because most of the time is spent waiting for processes to start.
describe.concurrent('a relay that is killed', () => {
  it.each<CrashPoint>([...CRASH_POINTS])(
    '%s keeps every guarantee',
    async (_when, failpoint, times, call) => {
      const crashes = await createCrashHarness();
      try {
        crashes.startPosting();
        expect(await crashes.crashAt(failpoint, times, call)).toBe('SIGKILL');
        await expectGuaranteesHold(crashes);
      } finally {
        await crashes.close();
      }
    },
  );

  it('between two deletions of retention keeps every guarantee and still detects duplicates', async () => {
    const crashes = await createCrashHarness((config) => {
      // Settled events are old enough to be deleted at the next start.
      config.store['retention'] = { delivered: '1ms', ids: '8d', dead: '90d' };
    });
    const { lifecycle, sender, expectations, simulator } = crashes.harness;
    try {
      crashes.startPosting();
      await lifecycle.start();
      await simulator.until(({ landed }) => landed > 60, AbortSignal.timeout(WAIT_LIMIT_MS));
      await crashes.stopPosting();
      expect((await crashes.harness.verify(WAIT_LIMIT_MS)).findings).toEqual([]);
      expect(await crashes.crashAt('journal-retaining', 1)).toBe('SIGKILL');
      const duplicatesBefore = sender.counts.duplicatesAnswered;
      const repeated = expectations.all().slice(0, 30);
      await Promise.all([lifecycle.start(), ...repeated.map((expected) => sender.deliver(expected))]);
      expect(sender.counts.duplicatesAnswered - duplicatesBefore).toBe(30);
      await lifecycle.shutDown();
      await expectGuaranteesHold(crashes);
    } finally {
      await crashes.close();
    }
  });
});
