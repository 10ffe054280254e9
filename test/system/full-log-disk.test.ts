import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { freePort } from '../../src/simulator/free-port.ts';
import { KEY, relayConfig } from '../helpers/relay-process.ts';
import { reportSkip } from '../helpers/report-skip.ts';
import { until } from '../helpers/until.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const FULL = '/dev/full';
const GUARANTEE_MS = 10_000;
const isLinux = process.platform === 'linux';
if (!isLinux) reportSkip('a log disk that is full', `this system has no ${FULL}`);

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'relay-full-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a command whose standard output is this file. */
function run(args: readonly string[], output: string, errors = 'pipe'): ChildProcess {
  const stdout = openSync(output, 'a');
  const stderr = errors === 'pipe' ? 'pipe' : openSync(errors, 'a');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], {
    stdio: ['ignore', stdout, stderr],
  });
  closeSync(stdout);
  if (typeof stderr === 'number') closeSync(stderr);
  return child;
}

function write(config: object): string {
  const file = join(folder, 'relay.yaml');
  writeFileSync(file, stringify(config));
  return file;
}

describe.runIf(isLinux)('standard output on a disk that is full', () => {
  it.each([FULL, 'a file'])('%s: the relay accepts, delivers and ends in time', async (name) => {
    const output = name === FULL ? FULL : join(folder, 'relay.log');
    const simulator = await startSimulator();
    const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl('inlet') });
    const port = await freePort();
    Object.assign(config.store, { path: join(folder, 'data') });
    Object.assign(config.server, { host: '127.0.0.1', port });
    const relay = run(['serve', '--config', write(config)], output);
    const errors = text(relay.stderr!);
    const post = () =>
      fetch(`http://127.0.0.1:${port}/webhooks/acme`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-relay-key': KEY },
        body: JSON.stringify(transactionAdded(1)),
      }).then(
        ({ status }) => status,
        () => undefined,
      );
    expect(await until(post)).toBe(200);
    await until(() => simulator.landed().length > 0);
    const signalled = performance.now();
    relay.kill('SIGTERM');
    expect(await once(relay, 'exit')).toEqual([0, null]);
    expect(performance.now() - signalled).toBeLessThan(GUARANTEE_MS);
    expect(await errors).toBe('');
    await simulator.close();
    if (name === FULL) return;
    const lines = readFileSync(output, 'utf8').trimEnd().split('\n');
    expect((JSON.parse(lines.at(-1)!) as { msg: string }).msg).toBe('stopped');
  });

  it('fails to start with the usual exit code, although it cannot say why', async () => {
    const child = run(['serve', '--config', write({ sources: [] })], FULL, FULL);
    expect(await once(child, 'exit')).toEqual([2, null]);
  });

  it('is said in one line by a command', async () => {
    const child = run(['coverage', '--help'], FULL);
    const [errors, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit')]);
    expect([errors, code]).toEqual(['standard output cannot be written (ENOSPC)\n', 1]);
  });
});
