import { parseArgs } from 'node:util';
import build from '../helpers/build.ts';
import { measureBacklog } from './oracle/backlog.ts';
import { reportTrial } from './oracle/report.ts';
import { runTrial } from './oracle/trial.ts';

const USAGE = `npm run soak -- [options]

  --minutes N   how long events are posted; 5
  --seed S      what chance goes by; by default another each time, and printed
  --kills M     deaths of the relay in that time, four of five by SIGKILL; 20
  --rate R      posts a second; 80
  --poison      Adobe refuses one event of 256 for good: these must end as dead letters
  --no-hangs    no request that is never answered (each costs half a minute)
  --backlog     measure instead how soon a relay with 100,000 pending events is ready after a kill
`;

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

const soak = async (): Promise<boolean> => {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const options = {
    seed,
    ms: Number(values.minutes) * 60_000,
    kills: Number(values.kills),
    rate: Number(values.rate),
    burst: 3_000,
    spell: 2_000,
    hangs: !values['no-hangs'],
    poison: values.poison ? 'cap-00' : undefined,
    patience: 300_000,
  };
  const began = performance.now();
  const told = (text: string): void =>
    console.log(`${((performance.now() - began) / 1_000).toFixed(1).padStart(7)} s  ${text}`);
  console.log(`seed ${seed}`);
  return reportTrial(await runTrial({ ...options, told }), seed, (performance.now() - began) / 60_000);
};

if (values.help) console.log(USAGE);
else {
  build();
  process.exitCode = (await (values.backlog ? measureBacklog(100_000) : soak())) ? 0 : 1;
}
