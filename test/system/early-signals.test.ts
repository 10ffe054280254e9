import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** Prints a line as soon as the process listens for its last early signal; the relay loads then. */
const ANNOUNCE = `data:text/javascript,let announced; process.on('newListener', (name) => {
  if (name === 'SIGHUP' && !announced) console.error(announced = 'listens');
})`;
const config = () =>
  relayConfig({ imsUrl: 'http://127.0.0.1:1', inletUrl: 'http://127.0.0.1:1/collection/abc' });

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'relay-early-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function serve(...flags: string[]): {
  child: ChildProcess;
  stdout: Promise<string>;
  stderr: Promise<string>;
} {
  const file = join(folder, 'relay.yaml');
  writeFileSync(file, stringify({ ...config(), store: { path: join(folder, 'data') } }));
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    ...flags,
    MAIN,
    'serve',
    '--config',
    file,
  ]);
  return { child, stdout: text(child.stdout), stderr: text(child.stderr) };
}

describe('a signal to a relay that is starting', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s while it loads: exit code 0, without an error',
    async (signal) => {
      const { child, stdout, stderr } = serve('--import', ANNOUNCE);
      await once(child.stderr!, 'data');
      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([0, null]);
      expect(await stderr).toBe('listens\n');
      // Node delivers the signal between two modules or after the last one.
      expect(await stdout).toMatch(/^$|"msg":"stopped"/);
    },
  );

  it('SIGTERM while the store opens: a clean stop', async () => {
    const { child, stdout, stderr } = serve();
    // The first line of the log is written before the store is opened.
    await once(child.stdout!, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(await stderr).toBe('');
    const messages = (await stdout)
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(messages).toEqual(expect.arrayContaining(['shutting down', 'stopped']));
  });
});

describe('SIGUSR1', () => {
  it('opens no inspector', async () => {
    const data = relayFolder(config());
    let relay: RelayProcess | undefined;
    try {
      relay = await data.start();
      process.kill(relay.pid, 'SIGUSR1');
      await until(async () => (await relay!.admin('/livez')).status === 200);
      expect(await relay.stop('SIGTERM')).toBe(0);
      expect(relay.stderr()).toBe('');
    } finally {
      await data.remove();
    }
  });
});
