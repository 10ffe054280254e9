import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import build from '../test/helpers/build.ts';
import { describeMachine } from './machine.ts';
import type { Bench, Part, Row } from './part.ts';
import { accept } from './parts/accept.ts';
import { backlog } from './parts/backlog.ts';
import { growth } from './parts/growth.ts';
import { hot } from './parts/hot.ts';
import { idle } from './parts/idle.ts';
import { latency } from './parts/latency.ts';
import { through } from './parts/through.ts';
import { printProfiles } from './profile.ts';
import { headingOf, saveRun, type Run, tableOf } from './report.ts';

const PARTS: Readonly<Record<string, Part>> = { accept, through, latency, backlog, growth, hot, idle };

const USAGE = `npm run bench -- [options]

  --only A,B   run only these parts: ${Object.keys(PARTS).join(', ')}
  --short      a fraction of the events, to check whether something has become much slower; the result is not saved
  --profile    the relay of accept, through, latency, backlog and growth writes CPU profiles to bench/profiles; this slows
               it down, so the result is not saved
`;

const DATA = fileURLToPath(new URL('.data/', import.meta.url));
const PROFILES = fileURLToPath(new URL('profiles/', import.meta.url));
const PROFILE_THREADS = new URL('load/profile-threads.ts', import.meta.url).href;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
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

async function run(): Promise<void> {
  const parts = selectedParts();
  build();
  rmSync(DATA, { recursive: true, force: true });
  const at = new Date().toISOString();
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1_000;
  const machine = describeMachine();
  const profileFlags = ['--import', PROFILE_THREADS, '--cpu-prof', `--cpu-prof-dir=${PROFILES}`];
  if (values.profile) {
    rmSync(PROFILES, { recursive: true, force: true });
    mkdirSync(PROFILES, { recursive: true });
  }
  const rows: Row[] = [];
  const log = (text: string): void => console.error(`${seconds().toFixed(1).padStart(6)} s  ${text}`);
  const bench: Bench = {
    short: values.short,
    nodeFlags: values.profile ? profileFlags : [],
    log,
    shared: {},
  };
  for (const [name, part] of parts) {
    const measured = await part({
      ...bench,
      log: (text) => log(`${name}: ${text}`),
    });
    rows.push(...measured.map((row) => ({ part: name, ...row })));
  }
  const done: Run = { at, tookSeconds: seconds(), machine, rows };
  console.log(`${headingOf(done)}\n\n${tableOf(rows)}`);
  if (values.profile) printProfiles(PROFILES);
  else if (!values.short) console.log(`\nsaved to ${saveRun(done)}`);
}

if (values.help) console.log(USAGE);
else await run();
