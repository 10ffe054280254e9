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
import { tellProfiles } from './profile.ts';
import { headOf, keep, type Run, tableOf } from './report.ts';

const PARTS: Readonly<Record<string, Part>> = { accept, through, latency, backlog, growth, hot, idle };

const USAGE = `npm run bench -- [options]

  --only A,B   these parts only: ${Object.keys(PARTS).join(', ')}
  --short      a fraction of the events, for a look whether something has become much slower; nothing is kept
  --profile    the relay of accept, through, latency, backlog and growth leaves CPU profiles in bench/profiles; figures are worse, nothing is kept
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

function wanted(): [string, Part][] {
  const names = values.only?.split(',') ?? Object.keys(PARTS);
  return names.map((name) => {
    const part = PARTS[name];
    if (part === undefined) throw new Error(`there is no part ${name}\n\n${USAGE}`);
    return [name, part];
  });
}

async function run(): Promise<void> {
  const parts = wanted();
  build();
  rmSync(DATA, { recursive: true, force: true });
  const at = new Date().toISOString();
  const begun = performance.now();
  const seconds = (): number => (performance.now() - begun) / 1_000;
  const machine = describeMachine();
  const flags = ['--import', PROFILE_THREADS, '--cpu-prof', `--cpu-prof-dir=${PROFILES}`];
  if (values.profile) {
    rmSync(PROFILES, { recursive: true, force: true });
    mkdirSync(PROFILES, { recursive: true });
  }
  const rows: Row[] = [];
  const told = (text: string): void => console.error(`${seconds().toFixed(1).padStart(6)} s  ${text}`);
  const bench: Bench = {
    short: values.short,
    nodeFlags: values.profile ? flags : [],
    report: told,
    shared: {},
  };
  for (const [name, part] of parts) {
    const measured = await part({
      ...bench,
      report: (text) => told(`${name}: ${text}`),
    });
    rows.push(...measured.map((row) => ({ part: name, ...row })));
  }
  const done: Run = { at, tookSeconds: seconds(), machine, rows };
  console.log(`${headOf(done)}\n\n${tableOf(rows)}`);
  if (values.profile) tellProfiles(PROFILES);
  else if (!values.short) console.log(`\nkept in ${keep(done)}`);
}

if (values.help) console.log(USAGE);
else await run();
