import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { relayConfig } from '../helpers/relay-process.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** More lines than the pipe holds, at some 300 bytes each. */
const REQUESTS = 3_000;
const CONNECTIONS = 50;
const GUARANTEE_MS = 10_000;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'relay-stalled-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Starts a relay and stops reading its log once it is ready. */
async function startUnread() {
  const config = relayConfig({ imsUrl: 'http://127.0.0.1:1', inletUrl: 'http://127.0.0.1:1/collection/abc' });
  config.store['path'] = join(folder, 'data');
  config.server['rateLimit'] = { max: 1_000_000 };
  // At debug each webhook has a line; at info they share lines.
  const withLog = { ...config, log: { level: 'debug' } };
  const file = join(folder, 'relay.yaml');
  writeFileSync(file, stringify(withLog));
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    MAIN,
    'serve',
    '--config',
    file,
  ]);
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const { msg, intakeUrl } = JSON.parse(line) as { msg: string; intakeUrl: string };
    if (msg === 'ready') {
      child.stdout.pause();
      return { child, intakeUrl };
    }
  }
  throw new Error('the relay ended');
}

/** Posts requests that are refused, each of which is a line of the log. */
async function fillLog(intakeUrl: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const post = () =>
    new Promise<void>((resolve, reject) => {
      const sent = request(`${intakeUrl}/webhooks/nobody`, { method: 'POST', agent }, (answer) => {
        answer.resume().once('end', resolve);
      });
      sent.once('error', reject);
      sent.end('{}');
    });
  const worker = async () => {
    for (let sent = 0; sent < REQUESTS / CONNECTIONS; sent += 1) await post();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  agent.destroy();
}

/** What the pipe still holds after the relay has ended. */
async function linesLeft(stdout: NodeJS.ReadableStream): Promise<number> {
  let count = 0;
  for await (const line of createInterface({ input: stdout })) count += Number(line.endsWith('}'));
  return count;
}

describe('a reader of standard output that stalls', () => {
  it('does not stop the relay from answering, nor SIGTERM from ending it in time', async () => {
    const { child, intakeUrl } = await startUnread();
    await fillLog(intakeUrl);
    const signalled = performance.now();
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(performance.now() - signalled).toBeLessThan(GUARANTEE_MS);
    expect(await linesLeft(child.stdout)).toBeLessThan(REQUESTS);
  });
});
