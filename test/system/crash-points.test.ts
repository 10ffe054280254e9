import { describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../src/journal/sqlite/migrations.ts';
import type { Moment } from '../../src/observability/moments.ts';
import { type CrashStage, createCrashStage } from './oracle/crash-stage.ts';

/** After the restart: every promise is kept, and the file is sound. */
const expectAllKept = async (stage: CrashStage): Promise<void> => {
  const verdict = await stage.restartAndJudge();
  expect(verdict.findings).toEqual([]);
  expect(verdict.ledger).toMatchObject({ pending: 0, balanced: true });
  expect(verdict.due.delivered).toBeGreaterThan(1);
};

type Point = [when: string, moment: Moment, times: number, call?: string];

const POINTS: readonly Point[] = [
  ['with events written and not committed', 'journal-committing', 3, 'append'],
  ['with events committed and not answered by the store', 'journal-committed', 3, 'append'],
  ['with events journaled and not answered', 'intake-appended', 20],
  ['with events claimed and not sent', 'delivery-claimed', 3],
  ['with messages taken by Adobe and not settled', 'delivery-answered', 20],
  ['with outcomes written and not committed', 'journal-committing', 3, 'settle'],
  ['with outcomes committed and unknown to the dispatcher', 'journal-committed', 3, 'settle'],
  ['as it asks IMS for a token', 'token-minting', 1],
  ['as it gets its token', 'token-minted', 1],
  // Each step passes the moment twice: before its commit and after it.
  ...MIGRATIONS.flatMap((_, step): Point[] => [
    [`within step ${step + 1} of the migration`, 'journal-migrating', 2 * step + 1],
    [`after step ${step + 1} of the migration`, 'journal-migrating', 2 * step + 2],
  ]),
];

// Most of the time is spent waiting for processes to start.
describe.concurrent('a relay that is killed', () => {
  it.each<Point>([...POINTS])(
    '%s keeps every promise',
    async (_when, moment, times, call) => {
      const stage = await createCrashStage();
      try {
        stage.post();
        expect(await stage.crashAt(moment, times, call)).toBe('SIGKILL');
        await expectAllKept(stage);
      } finally {
        await stage.close();
      }
    },
    60_000,
  );

  it('between two removals of retention keeps every promise, and knows what it has seen', async () => {
    const stage = await createCrashStage((config) => {
      // So that a settled event is old at the next start.
      config.store['retention'] = { delivered: '1ms', ids: '8d', dead: '90d' };
    });
    const { lives, capillary, obligations, simulator } = stage.judge;
    try {
      stage.post();
      await lives.start();
      await simulator.until(({ landed }) => landed > 60, AbortSignal.timeout(30_000));
      await stage.stopPosting();
      expect((await stage.judge.judge(30_000)).findings).toEqual([]);
      expect(await stage.crashAt('journal-retaining', 10)).toBe('SIGKILL');
      const known = capillary.counts.duplicatesAnswered;
      const again = obligations.all().slice(0, 30);
      await Promise.all([lives.start(), ...again.map((one) => capillary.deliver(one))]);
      expect(capillary.counts.duplicatesAnswered - known).toBe(30);
      await lives.term();
      await expectAllKept(stage);
    } finally {
      await stage.close();
    }
  }, 60_000);
});
