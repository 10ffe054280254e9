import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitCodeOf, errorText } from '../../src/cli/command-error.ts';
import { registerSend } from '../../src/cli/send-command.ts';
import { registerSimulate } from '../../src/cli/simulate-command.ts';
import { simulate } from './adobe/adobe-client.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'simulator-cli-'));
});
afterAll(() => rm(directory, { recursive: true }));

function run(...words: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...words]);
}

async function finish(child: ChildProcessWithoutNullStreams) {
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, code: code as number | null };
}

/** Runs a command that ends before it has done anything, in this process. */
async function type(...words: string[]) {
  const said: string[] = [];
  const program = new Command().exitOverride().configureOutput({
    writeOut: (part) => said.push(part),
    writeErr: (part) => said.push(part),
  });
  registerSimulate(program);
  registerSend(program);
  try {
    await program.parseAsync(words, { from: 'user' });
    return { code: 0, text: said.join('') };
  } catch (error) {
    return { code: exitCodeOf(error), text: `${said.join('')}${errorText(error) ?? ''}` };
  }
}

async function file(name: string, content: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

const CONFIG = `
sources:
  - name: tealeaf
    destination: aep
    orgIds: [100999]
    verify: [{ type: bearer, tokens: [steam] }]
destinations:
  - name: aep
    imsOrgId: 7A55F00D0BADCAFE00C0FFEE@AdobeOrg
    sandbox: dev
    inletUrl: http://127.0.0.1:9090/collection/x
    authenticated: false
    events: { schemaId: s, datasetId: d, flowId: f }
`;

describe('simulate', () => {
  it('says where it listens and ends with SIGTERM', async () => {
    const faults = await file('faults.json', '[{"on":"ims","times":1,"then":{"status":503}}]');
    const child = run('simulate', '--port', '0', '--token-ttl', '90s', '--faults', faults, '--json');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const urls = JSON.parse(line) as { url: string; imsUrl: string; inletUrl: string; controlUrl: string };
    expect(urls.inletUrl).toMatch(/\/collection\/[0-9a-f]{64}$/);
    expect((await fetch(urls.imsUrl, { method: 'POST' })).status).toBe(400);
    const stats = await fetch(`${urls.controlUrl}/stats`);
    expect(await stats.json()).toMatchObject({ requests: { ims: { 400: 1 } } });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it.each([
    ['a bad port', ['--port', '99999'], '65535'],
    ['a bad duration', ['--token-ttl', '5'], 'must be a number with a unit'],
    ['a missing file', ['--faults', 'nowhere.json'], 'nowhere.json cannot be read'],
    ['an unknown option', ['--fault', 'x'], 'unknown option'],
  ])('refuses %s', async (_, words, message) => {
    const ended = await type('simulate', '--port', '0', ...words);
    expect(ended.code).toBe(2);
    expect(ended.text).toContain(message);
  });

  it('refuses bad faults with the place', async () => {
    const faults = await file('bad.json', '[{"on":"ims"}]');
    const ended = await type('simulate', '--port', '0', '--faults', faults);
    expect(ended.code).toBe(2);
    expect(ended.text).toContain('[0].then');
  });

  it('fails where it cannot listen', async () => {
    const taken = new URL((await simulate()).url).port;
    const ended = await type('simulate', '--port', taken);
    expect(ended.code).toBe(1);
    expect(ended.text).toContain('EADDRINUSE');
  });

  it('has help with an example', async () => {
    const ended = await type('simulate', '--help');
    expect(ended.code).toBe(0);
    expect(ended.text).toContain('$ capillary-relay simulate');
  });
});

describe('send', () => {
  it('tells what was given up, and fails', async () => {
    const config = await file('relay.yaml', CONFIG);
    // The simulator is an HTTP server as good as any: it answers this path with 404.
    const url = `${(await simulate()).url}/webhooks/tealeaf`;
    const words = ['--config', config, '--url', url, '--count', '3', '--json'];
    const { code, stdout } = await finish(run('send', ...words));
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ sent: 3, givenUp: 3, refused: { 404: 3 } });
  });

  it('succeeds when all are taken', async () => {
    const config = await file('relay.yaml', CONFIG);
    // Any form is good for a token, which makes IMS answer 200 to whatever is posted with one in the query.
    const query = 'grant_type=client_credentials&client_id=a&client_secret=b&scope=c';
    const url = `${(await simulate()).imsUrl}?${query}`;
    const words = ['--config', config, '--url', url, '--count', '20', '--duplicates', '0.1', '--seed', '5'];
    const { code, stdout } = await finish(run('send', ...words));
    expect(stdout).toMatch(/sent {7}22 \(duplicates: 2/);
    expect(stdout).toMatch(/accepted {3}22/);
    expect(stdout).toMatch(/seed {7}5/);
    expect(code).toBe(0);
  });

  it.each([
    ['another source', ['--source', 'nobody'], 'configured: tealeaf'],
    ['a share over 1', ['--duplicates', '2'], 'from 0 to 1'],
    ['a count that is none', ['--count', 'many'], 'integer'],
    ['no names', ['--events', ','], 'all, or names'],
    ['no URL', ['--url', 'relay'], 'http(s) URL'],
    ['a configuration that is not there', ['--config', 'nowhere.yaml'], 'nowhere.yaml'],
  ])('refuses %s', async (_, words, message) => {
    const config = await file('relay.yaml', CONFIG);
    const ended = await type('send', '--config', config, ...words);
    expect(ended.code).toBe(2);
    expect(ended.text).toContain(message);
  });

  it('has help with an example', async () => {
    const ended = await type('send', '--help');
    expect(ended.code).toBe(0);
    expect(ended.text).toContain('$ capillary-relay send');
  });
});
