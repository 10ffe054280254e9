import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { shellLines } from '../docs/shell-lines.ts';
import { pointsIssued } from '../fixtures/events.ts';
import { ADMIN_TOKEN, type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const SCRIPTS: Record<string, string> = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts;

const commands = shellLines('README.md');
const relayCommands = commands.filter((line) => line.startsWith('capillary-relay '));
/** They need two platforms without anything in them: first-run.test.ts runs them. */
const FIRST_RUN = /^capillary-relay (init|provision|register)\b/;
/** It needs both platforms with an API: reconciliation.test.ts and landing-truth.test.ts run it. */
const RECONCILE = /^capillary-relay reconcile\b/;

let simulator: Simulator;
let folder: ReturnType<typeof relayFolder>;
let relay: RelayProcess;
let receipt: string;

beforeAll(async () => {
  simulator = await startSimulator();
  folder = relayFolder(relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() }));
  relay = await folder.start();
  const event = pointsIssued(1, 10);
  receipt = ((await (await relay.post(event)).json()) as { receipt: string }).receipt;
  writeFileSync(join(folder.folder, 'payload.json'), JSON.stringify(event));
});
afterAll(async () => {
  await folder.remove();
  await simulator.close();
});

/** Runs the line, with the files and addresses of this test. */
function run(line: string): Promise<{ code: number | null; output: string }> {
  const words = line
    .replace('examples/relay.yaml', folder.file)
    .replace('examples/payload.json', join(folder.folder, 'payload.json'))
    .replace('<receipt|eventId>', receipt);
  const callsAdminApi = !line.includes('--config');
  const child = spawn('sh', ['-c', callsAdminApi ? `${words} --url ${relay.adminUrl}` : words], {
    cwd: ROOT,
    env: {
      ...process.env,
      RELAY_ADMIN_TOKEN: ADMIN_TOKEN,
      PATH: `${ROOT}bin:${process.env['PATH']}`,
    },
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

describe('the commands of the README', () => {
  it('are all tested: below, by other tests, or by .ci/run', () => {
    const testedElsewhere = [
      'npm ci && npm run demo',
      'npm ci && npm run demo -- --replicas 3',
      'npm ci && npm test',
      'npm run build',
      'docker compose up',
    ];
    const others = commands.filter((line) => !relayCommands.includes(line) && !line.startsWith('export '));
    expect(others).toEqual(testedElsewhere);
  });

  it.each(relayCommands.filter((line) => !FIRST_RUN.test(line) && !RECONCILE.test(line)))(
    '%s',
    async (line) => {
      const { code, output } = await run(line);
      expect({ code, output }).toMatchObject({ code: 0 });
      expect(output).not.toBe('');
    },
  );

  it('npm start runs serve with the given configuration', () => {
    expect(README).toContain('npm start -- --config examples/relay.yaml');
    expect(SCRIPTS['start']).toBe('exec bin/capillary-relay serve');
  });

  it('names every environment variable that the example needs', () => {
    const example = readFileSync(join(ROOT, 'examples/relay.yaml'), 'utf8');
    const needed = [...example.matchAll(/^[^#\n]*\$\{([A-Z_]+)\}/gm)].map(([, name]) => name);
    expect(needed.filter((name) => !README.includes(`${name}=`))).toEqual([]);
  });
});
