import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { shellLines } from '../docs/shell-lines.ts';
import { freePort } from '../../src/simulator/free-port.ts';
import { until } from '../helpers/until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ports = new Map<string, number>();
for (const port of ['8080', '8081', '9090']) ports.set(port, await freePort());
const env = {
  ...process.env,
  PATH: `${ROOT}bin:${process.env['PATH']}`,
  RELAY_HOST: '127.0.0.1',
  RELAY_PORT: String(ports.get('8080')),
  RELAY_ADMIN_PORT: String(ports.get('8081')),
};
const folder = mkdtempSync(join(tmpdir(), 'relay-start-'));
const running: ChildProcess[] = [];
afterAll(async () => {
  for (const child of running) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid!, 'SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true });
});

/** The command of the page with the ports and files of this test. */
function adaptCommand(line: string, receipt: string): string {
  let text = line.replace('../examples/', join(ROOT, 'examples/')).replace('<receipt>', receipt);
  for (const [port, free] of ports) text = text.replaceAll(port, String(free));
  return text;
}

/** Starts a command and waits until its output contains the text. */
function start(line: string, expected: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', line], { cwd: folder, env, detached: true });
    running.push(child);
    let output = '';
    const read = (data: Buffer): void => {
      output += data.toString();
      if (output.includes(expected)) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`${line} exited with ${code}: ${output}`)));
  });
}

/** Does what curl would do; curl may not be installed. */
async function curl(line: string): Promise<{ code: number; output: string }> {
  const [, method = 'GET'] = /-X (\w+)/.exec(line) ?? [];
  const [url = ''] = /http:[^\s"]+/.exec(line) ?? [];
  const [, body] = /--data '(.*)'/.exec(line) ?? [];
  const answer = await fetch(url, { method, ...(body === undefined ? {} : { body }) });
  return { code: answer.ok ? 0 : 22, output: await answer.text() };
}

/** Switches on what the page switches on later, each below the key that it names. */
function switchOnReconcile(): void {
  const page = readFileSync(join(ROOT, 'docs/start.md'), 'utf8');
  const [source = '', destination = ''] = page.match(/^ {4}reconcile: .*$/gm) ?? [];
  const file = join(folder, 'relay.yaml');
  const text = readFileSync(file, 'utf8');
  const changed = text
    .replace(/^ {4}country: .*$/m, (line) => `${line}\n${source}`)
    .replace(/^ {4}sandbox: .*$/m, (line) => `${line}\n${destination}`);
  expect(changed.match(/^ {4}reconcile: /gm)).toHaveLength(2);
  writeFileSync(file, changed);
}

function run(line: string): Promise<{ code: number | null; output: string }> {
  const child = spawn('sh', ['-c', line], { cwd: folder, env });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

describe('docs/start.md', () => {
  it('works, command by command', async () => {
    let receipt = '';
    const failed: object[] = [];
    for (const line of shellLines('docs/start.md').filter(
      (command) => !/^(npm ci|npm run build|export PATH=.*|mkdir .*)$/.test(command),
    )) {
      const text = adaptCommand(line, receipt);
      if (line.includes(' simulate ')) await start(text, '_sim');
      else if (line.endsWith(' serve')) {
        switchOnReconcile();
        await start(text, '"ready"');
      } else {
        const { code, output } = await (text.startsWith('curl ') ? curl(text) : run(text));
        // A plan has something to change.
        if (code !== (line.endsWith(' plan') ? 3 : 0) || output === '') failed.push({ line, code, output });
        if (line.includes(' events ')) [receipt = ''] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(output) ?? [];
      }
    }
    expect(failed).toEqual([]);
    const ledger = async (): Promise<Record<string, number>> => {
      const { code, output } = await run('capillary-relay ledger --json');
      expect({ code, output }).toMatchObject({ code: 0 });
      return JSON.parse(output) as Record<string, number>;
    };
    await until(async () => (await ledger())['pending'] === 0);
    expect(await ledger()).toMatchObject({ dead: 0 });
    const stats = await curl(`curl -s http://127.0.0.1:${ports.get('9090')}/_sim/stats`);
    expect(JSON.parse(stats.output)).toMatchObject({ fates: { lost: 0, failed: 0 } });
  });
});
