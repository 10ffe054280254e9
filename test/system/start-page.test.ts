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
const env = { ...process.env, PATH: `${ROOT}bin:${process.env['PATH']}` };
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

/** The command of the page with the ports, files and data of this test. */
function adaptCommand(line: string, ports: ReadonlyMap<string, number>, receipt: string): string {
  let text = line.replace('examples/local.yaml', join(folder, 'local.yaml')).replace('<receipt>', receipt);
  for (const [port, free] of ports) text = text.replaceAll(port, String(free));
  return text;
}

/** Starts a command and waits until its output contains the text. */
function start(line: string, expected: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', line], { cwd: ROOT, env, detached: true });
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
  const [url = ''] = /http:\S+/.exec(line) ?? [];
  const [, body] = /--data '(.*)'/.exec(line) ?? [];
  const answer = await fetch(url, { method, ...(body === undefined ? {} : { body }) });
  return { code: answer.ok ? 0 : 22, output: await answer.text() };
}

function run(line: string): Promise<{ code: number | null; output: string }> {
  const child = spawn('sh', ['-c', line], { cwd: ROOT, env });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

describe('docs/start.md', () => {
  it('works, command by command', async () => {
    const ports = new Map<string, number>();
    for (const port of ['8080', '8081', '9090']) ports.set(port, await freePort());
    const config = readFileSync(join(ROOT, 'examples/local.yaml'), 'utf8').replace(
      './data-local',
      join(folder, 'data'),
    );
    writeFileSync(join(folder, 'local.yaml'), adaptCommand(config, ports, ''));
    const admin = `http://127.0.0.1:${ports.get('8081')}`;
    const ledger = async () =>
      (await (await fetch(`${admin}/admin/v1/ledger`)).json()) as Record<string, number>;

    let receipt = '';
    const failed: object[] = [];
    for (const line of shellLines('docs/start.md').filter(
      (command) => !/^(npm ci|npm run build|export PATH=.*)$/.test(command),
    )) {
      // These commands use the default admin port, but here the relay has another one.
      const urlOption = /^capillary-relay (ledger|events|coverage|explain|destinations)/.test(line)
        ? ` --url ${admin}`
        : '';
      const text = `${adaptCommand(line, ports, receipt)}${urlOption}`;
      if (line.includes(' simulate ')) await start(text, '_sim');
      else if (line.includes(' serve ')) await start(text, '"ready"');
      else {
        const { code, output } = await (text.startsWith('curl ') ? curl(text) : run(text));
        if (code !== 0 || output === '') failed.push({ line, code, output });
        if (line.includes(' events ')) [receipt = ''] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(output) ?? [];
      }
    }
    expect(failed).toEqual([]);
    await until(async () => (await ledger())['pending'] === 0);
    expect(await ledger()).toMatchObject({ dead: 0 });
  });
});
