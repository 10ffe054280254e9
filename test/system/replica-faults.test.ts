import { expect, it } from 'vitest';
import { WAIT_LIMIT_MS } from '../helpers/limits.ts';
import { runReplicaSoak } from './oracle/replicas/replica-soak.ts';

/** Fixed, so that a failure can be repeated; `npm run soak -- --replicas 3` has all faults. */
const SEED = 20_261_130;

it(`replicas lose nothing when one is killed and one is stopped (seed ${SEED})`, async ({ onTestFailed }) => {
  const lines: string[] = [`seed ${SEED}`];
  onTestFailed(() => console.log(lines.join('\n')));
  const { findings, totals, ledger, injected, harness } = await runReplicaSoak({
    seed: SEED,
    replicas: 2,
    durationMs: 0,
    measured: ['relay killed', 'relay stopped'],
    maxPauseMs: 0,
    maxStopMs: 6_000,
    postsPerSecond: 40,
    adobeFaults: false,
    hasLimits: false,
    settleTimeoutMs: WAIT_LIMIT_MS,
    log: (text) => lines.push(text),
  });
  expect(findings).toEqual([]);
  expect(totals.lost).toBe(0);
  expect(ledger).toMatchObject({ pending: 0, dead: 0, balanced: true });
  expect(injected.map(({ kind }) => kind)).toEqual(['relay killed', 'relay stopped']);
  expect(harness.sender.counts.duplicatesAnswered).toBeGreaterThan(0);
});
