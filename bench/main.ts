import { mkdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import buildThis from '../test/helpers/build.ts';
import { measureAgainst } from './against.ts';
import { commitOf, describeMachine } from './machine.ts';
import type { Part, Row, Shared } from './part.ts';
import { accept } from './parts/accept.ts';
import { backlog } from './parts/backlog.ts';
import { enrichment } from './parts/enrichment.ts';
import { growth } from './parts/growth.ts';
import { hot } from './parts/hot.ts';
import { idle } from './parts/idle.ts';
import { latency } from './parts/latency.ts';
import { life } from './parts/life.ts';
import { postgres } from './parts/postgres.ts';
import { restart } from './parts/restart.ts';
import { steady } from './parts/steady.ts';
import { through } from './parts/through.ts';
import { printProfiles } from './profile.ts';
import { headingOf, saveRun, type Run, tableOf } from './report.ts';

const PARTS: Readonly<Record<string, Part>> = {
  accept,
  through,
  steady,
  latency,
  backlog,
  life,
  growth,
  hot,
  restart,
  idle,
  postgres,
  enrichment,
};

const USAGE = `npm run bench -- [options]

  --only A,B         run only these parts: ${Object.keys(PARTS).join(', ')}
  --against FOLDER   measure this build and that of another clone, built in FOLDER, alternately; goals that are ratios
                     are those of this build to the other
  --rounds N         measurements of the other build with --against, one less than of this one (default 2)
  --short            a fraction of the events, to check whether something has become much slower; the result is not saved
  --profile          the relay of accept, through, steady, latency, backlog, life, growth and postgres writes CPU profiles of all
                     threads to bench/profiles; this slows it down, so the result is not saved
`;

const THIS = fileURLToPath(new URL('..', import.meta.url));
const DATA = fileURLToPath(new URL('.data/', import.meta.url));
const PROFILES = fileURLToPath(new URL('profiles/', import.meta.url));

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    against: { type: 'string' },
    rounds: { type: 'string', default: '2' },
    short: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function selectedParts(): [string, Part][] {
  const names = values.only?.split(',') ?? Object.keys(PARTS);
  return names.map((name) => {
    const part = PARTS[name];
    if (part === undefined) throw new Error(`unknown part ${name}\n\n${USAGE}`);
    return [name, part];
  });
}

/** What a part left for another in the same round of a build. */
function sharedByRound(): (part: string) => Shared {
  const rounds: Shared[] = [];
  const calls = new Map<string, number>();
  return (part) => {
    const round = calls.get(part) ?? 0;
    calls.set(part, round + 1);
    return (rounds[round] ??= {});
  };
}

async function run(): Promise<void> {
  const parts = selectedParts();
  buildThis();
  rmSync(DATA, { recursive: true, force: true });
  const at = new Date().toISOString();
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1_000;
  const machine = describeMachine(THIS);
  const profileFlags = ['--cpu-prof', `--cpu-prof-dir=${PROFILES}`];
  if (values.profile) {
    rmSync(PROFILES, { recursive: true, force: true });
    mkdirSync(PROFILES, { recursive: true });
  }
  const log = (text: string): void => console.error(`${seconds().toFixed(1).padStart(6)} s  ${text}`);
  const nodeFlags = values.profile ? profileFlags : [];
  /** Runs a part with a build. @param label distinguishes it in the progress */
  const measure = async (name: string, part: Part, build: string, label: string, shared: Shared) => {
    const report = (text: string): void => log(`${label}${name}: ${text}`);
    const figures = await part({ build, short: values.short, nodeFlags, log: report, shared });
    return figures.map((figure): Row => ({ part: name, ...figure }));
  };
  const other = values.against === undefined ? undefined : resolve(values.against);
  const rounds = Number(values.rounds);
  const rows: Row[] = [];
  const sharedOf = { this: sharedByRound(), other: sharedByRound() };
  for (const [name, part] of parts) {
    if (other === undefined) rows.push(...(await measure(name, part, THIS, '', sharedOf.this(name))));
    else {
      const measured = await measureAgainst(
        rounds,
        () => measure(name, part, THIS, 'this ', sharedOf.this(name)),
        () => measure(name, part, other, 'other ', sharedOf.other(name)),
      );
      rows.push(...measured);
    }
  }
  const done: Run = {
    at,
    tookSeconds: seconds(),
    machine,
    ...(other !== undefined && { against: commitOf(other) }),
    rows,
  };
  console.log(`${headingOf(done)}\n\n${tableOf(rows)}`);
  if (values.profile) printProfiles(PROFILES);
  else if (!values.short) console.log(`\nsaved to ${saveRun(done)}`);
}

if (values.help) console.log(USAGE);
else await run();
