import { parseArgs } from 'node:util';
import build from '../helpers/build.ts';
import { measureRestartTime } from './oracle/restart-time.ts';
import { printSoakReport } from './oracle/soak-report.ts';
import { runSoak } from './oracle/soak-run.ts';

const USAGE = `npm run soak -- [options]

  --minutes N   how long events are posted (default 5)
  --seed S      seed of the random generator (default: random; it is printed)
  --kills M     stops of the relay in that time, four of five by SIGKILL (default 20)
  --rate R      posts per second (default 80)
  --poison      Adobe rejects one event of 256 permanently; these must end as dead letters
  --no-hangs    no requests that Adobe never answers (each takes half a minute)
  --backlog     measure instead how fast a relay with 100,000 pending events restarts after SIGKILL
`;

const BACKLOG_EVENTS = 100_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    kills: { type: 'string', default: '20' },
    rate: { type: 'string', default: '80' },
    poison: { type: 'boolean', default: false },
    'no-hangs': { type: 'boolean', default: false },
    backlog: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function soak(): Promise<boolean> {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const started = performance.now();
  const log = (text: string): void =>
    console.log(`${((performance.now() - started) / 1_000).toFixed(1).padStart(7)} s  ${text}`);
  console.log(`seed ${seed}`);
  const result = await runSoak({
    seed,
    durationMs: Number(values.minutes) * 60_000,
    stops: Number(values.kills),
    postsPerSecond: Number(values.rate),
    maxBurstMs: 3_000,
    maxQuietMs: 2_000,
    hangs: !values['no-hangs'],
    poisonIdPrefix: values.poison ? 'cap-00' : undefined,
    settleTimeoutMs: 300_000,
    log,
  });
  return printSoakReport(result, seed, (performance.now() - started) / 60_000);
}

if (values.help) console.log(USAGE);
else {
  build();
  process.exitCode = (await (values.backlog ? measureRestartTime(BACKLOG_EVENTS) : soak())) ? 0 : 1;
}
