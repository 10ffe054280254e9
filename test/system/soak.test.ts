import { expect, it } from 'vitest';
import { runTrial } from './oracle/trial.ts';

/** What chance goes by; `npm run soak` takes another each time. */
const SEED = 20_260_819;

it(`loses nothing through faults of each kind and deaths at any instant (seed ${SEED})`, async ({
  onTestFailed,
}) => {
  const lines: string[] = [`seed ${SEED}`];
  onTestFailed(() => console.log(lines.join('\n')));
  const trial = await runTrial({
    seed: SEED,
    ms: 2_000,
    kills: 5,
    rate: 80,
    burst: 600,
    spell: 300,
    hangs: false,
    patience: 20_000,
    told: (text) => lines.push(text),
  });
  expect(trial.findings).toEqual([]);
  expect(trial.due.lost).toBe(0);
  expect(trial.ledger).toMatchObject({ pending: 0, dead: 0, balanced: true });
  expect(trial.judge.lives.kills + trial.judge.lives.terms).toBe(5);
  expect([...trial.weather.fired].filter(([, times]) => times === 0)).toEqual([]);
  // Duplicates and lost answers were really among it.
  expect(trial.judge.capillary.counts.duplicatesAnswered).toBeGreaterThan(0);
  expect(trial.judge.witness.resent).toBeGreaterThan(0);
}, 90_000);
