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
import { freePort } from '../../src/simulator/free-port.ts';
import { until } from '../helpers/until.ts';
import { anEvent, type Json, simulate } from './adobe/adobe-client.ts';
import { connectInlet } from './adobe/platform/flow-rig.ts';
import { platformClient } from './adobe/platform/platform-client.ts';
import { askToken, aWebhook, callApi } from './capillary/api/capillary-caller.ts';
import { receivingRelay, statuses as answers } from './capillary/api/receiving-relay.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'simulator-cli-'));
});
afterAll(() => rm(directory, { recursive: true }));

function run(...args: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args]);
}

async function finish(child: ChildProcessWithoutNullStreams) {
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, code: code as number | null };
}

/** Runs a command in this process, for a command that fails or prints help. */
async function runInProcess(...args: string[]) {
  const output: string[] = [];
  const program = new Command().exitOverride().configureOutput({
    writeOut: (part) => output.push(part),
    writeErr: (part) => output.push(part),
  });
  registerSimulate(program);
  registerSend(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return { code: 0, text: output.join('') };
  } catch (error) {
    return { code: exitCodeOf(error), text: `${output.join('')}${errorText(error) ?? ''}` };
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
    events: { schemaId: https://ns.adobe.com/acme/schemas/s, datasetId: d, flowId: f }
`;

describe('simulate', () => {
  it('prints its URLs and exits on SIGTERM', async () => {
    const faults = await file('faults.json', '[{"on":"ims","times":1,"then":{"status":503}}]');
    const child = run('simulate', '--port', '0', '--token-ttl', '90s', '--faults', faults, '--json');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const urls = JSON.parse(line) as Record<'imsUrl' | 'inletUrl' | 'platformUrl' | 'controlUrl', string>;
    const stats403 = await fetch(`${urls.platformUrl}/data/foundation/schemaregistry/stats`);
    expect(await stats403.json()).toMatchObject({ error_code: '403000' });
    expect(urls.inletUrl).toMatch(/\/collection\/[0-9a-f]{64}$/);
    expect((await fetch(urls.imsUrl, { method: 'POST' })).status).toBe(400);
    const stats = await fetch(`${urls.controlUrl}/stats`);
    expect(await stats.json()).toMatchObject({ requests: { ims: { 400: 1 } } });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('has an API of the Capillary organisation, with a limit of calls', async () => {
    const child = run('simulate', '--port', '0', '--org', '4711', '--calls-per-minute', '2', '--json');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const { capillaryUrl } = JSON.parse(line) as { capillaryUrl: string };
    const statuses: number[] = [];
    for (let call = 0; call < 3; call += 1) {
      const answer = await fetch(`${capillaryUrl}/v3/oauth/token/generate`, {
        method: 'POST',
        body: JSON.stringify({ key: 'k', secret: 's' }),
      });
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([200, 200, 429]);
    const summary = await fetch(`${capillaryUrl}/_sim/capillary`);
    expect(await summary.json()).toMatchObject({ orgId: 4711, tokens: 2 });
    child.kill('SIGTERM');
    await once(child, 'exit');
  });

  it('--empty has no inlet until the platform API makes one', async () => {
    const child = run('simulate', '--port', '0', '--no-auth', '--empty', '--json');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const urls = JSON.parse(line) as { url: string };
    expect(urls).not.toHaveProperty('inletUrl');
    const inletUrl = `${urls.url}/collection/${'c0ffee00'.repeat(8)}`;
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(inletUrl, { method: 'POST', headers, body: '{}' })).status).toBe(404);
    child.kill('SIGTERM');
    await once(child, 'exit');
  });

  it.each([
    ['0s', 'inLake'],
    ['10m', 'lost'],
  ])('loses what arrives within a warm-up of %s', async (warmUp, fate) => {
    const options = ['--port', '0', '--empty', '--warm-up', warmUp, '--validation-delay', '0s', '--json'];
    const child = run('simulate', ...options);
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const urls = JSON.parse(line) as { url: string; imsUrl: string; platformUrl: string };
    const adobe = await platformClient(urls);
    const inlet = await connectInlet(adobe, urls.url);
    expect(await inlet.send(inlet.envelope(anEvent('a')))).toMatchObject({ status: 200 });
    const stats = await until(async () => {
      const read = (await (await fetch(`${urls.url}/_sim/stats`)).json()) as { fates: Json };
      return read.fates['pending'] === 0 ? read : undefined;
    });
    expect(stats.fates).toMatchObject({ [fate]: 1 });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it.each([
    ['a scale above 1', ['--retry-scale', '2'], 'from 0 to 1'],
    ['a bad port', ['--port', '99999'], '65535'],
    ['a bad duration', ['--token-ttl', '5'], 'must be a number with a unit'],
    ['a bad warm-up', ['--warm-up', 'soon'], 'must be a number with a unit'],
    ['a bad delay', ['--validation-delay', '-1s'], 'must be a number with a unit'],
    ['a missing file', ['--faults', 'nowhere.json'], 'nowhere.json cannot be read'],
    ['an unknown option', ['--fault', 'x'], 'unknown option'],
  ])('refuses %s', async (_, args, message) => {
    const result = await runInProcess('simulate', '--port', '0', ...args);
    expect(result.code).toBe(2);
    expect(result.text).toContain(message);
  });

  it('refuses invalid faults with their position', async () => {
    const faults = await file('bad.json', '[{"on":"ims"}]');
    const result = await runInProcess('simulate', '--port', '0', '--faults', faults);
    expect(result.code).toBe(2);
    expect(result.text).toContain('[0].then');
  });

  it('fails if it cannot listen', async () => {
    const usedPort = new URL((await simulate()).url).port;
    const result = await runInProcess('simulate', '--port', usedPort);
    expect(result.code).toBe(1);
    expect(result.text).toContain('EADDRINUSE');
  });

  it('has help with an example', async () => {
    const result = await runInProcess('simulate', '--help');
    expect(result.code).toBe(0);
    expect(result.text).toContain('$ capillary-relay simulate');
  });
});

describe('send', () => {
  it('reports what was given up, and fails', async () => {
    const config = await file('relay.yaml', CONFIG);
    // The simulator answers this path with 404.
    const url = `${(await simulate()).url}/webhooks/tealeaf`;
    const args = ['--config', config, '--url', url, '--count', '3', '--json'];
    const { code, stdout } = await finish(run('send', ...args));
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ sent: 3, givenUp: 3, refused: { 404: 3 } });
  });

  it('says at the first failure that nobody answers, and no times that it does not have', async () => {
    const config = await file('relay.yaml', CONFIG);
    const url = `http://127.0.0.1:${await freePort()}/webhooks/tealeaf`;
    const args = ['--config', config, '--url', url, '--count', '2', '--patience', '2s'];
    const { code, stdout, stderr } = await finish(run('send', ...args));
    expect(code).toBe(1);
    expect(stderr).toBe(`no answer from ${url} (connection refused), retrying for up to 2 s\n`);
    expect(stdout).toMatch(/given up {3}2\n/);
    expect(stdout).not.toContain('p50');
  });

  it('succeeds if all are accepted', async () => {
    const config = await file('relay.yaml', CONFIG);
    // IMS accepts the form in the query, so it answers 200 to any body.
    const query = 'grant_type=client_credentials&client_id=a&client_secret=b&scope=c';
    const url = `${(await simulate()).imsUrl}?${query}`;
    const args = ['--config', config, '--url', url, '--count', '20', '--duplicates', '0.1', '--seed', '5'];
    const { code, stdout } = await finish(run('send', ...args));
    expect(stdout).toMatch(/sent {7}22 \(duplicates: 2/);
    expect(stdout).toMatch(/accepted {3}22/);
    expect(stdout).toMatch(/seed {7}5/);
    expect(code).toBe(0);
  });

  it('sends to nobody but a simulator on this machine, unless that is meant', async () => {
    const url = `${(await simulate()).url}/webhooks/tealeaf`;
    for (const inletUrl of [
      'https://dcs.adobedc.net/collection/x',
      'https://127.0.0.1.example.com/collection/x',
    ]) {
      const config = await file('adobe.yaml', CONFIG.replace('http://127.0.0.1:9090/collection/x', inletUrl));
      const args = ['--config', config, '--url', url, '--count', '1'];
      const refused = await runInProcess('send', ...args);
      expect(refused.code).toBe(2);
      expect(refused.text).toContain(`would deliver them to ${new URL(inletUrl).host} (destination aep)`);
      expect(refused.text).toContain('Pass --yes');
      expect(await finish(run('send', ...args, '--yes', '--json'))).toMatchObject({ code: 1 });
    }
  });

  it('sends to no relay on another machine, unless that is meant', async () => {
    const config = await file('relay.yaml', CONFIG);
    const url = 'https://relay.example.com/webhooks/tealeaf';
    const refused = await runInProcess('send', '--config', config, '--url', url, '--count', '1');
    expect(refused.code).toBe(2);
    expect(refused.text).toContain('the relay at relay.example.com would deliver them');
    expect(refused.text).toContain('Pass --yes');
    const elsewhere = await file('host.yaml', `server: { host: 192.0.2.1 }\n${CONFIG}`);
    expect((await runInProcess('send', '--config', elsewhere)).text).toContain('the relay at 192.0.2.1:8080');
  });

  it.each([
    ['another source', ['--source', 'nobody'], 'configured: tealeaf'],
    ['a share over 1', ['--duplicates', '2'], 'from 0 to 1'],
    ['an invalid count', ['--count', 'many'], 'integer'],
    ['no names', ['--events', ','], 'all, or names'],
    ['no URL', ['--url', 'relay'], 'http(s) URL'],
    ['a missing configuration', ['--config', 'nowhere.yaml'], 'nowhere.yaml'],
  ])('refuses %s', async (_, args, message) => {
    const config = await file('relay.yaml', CONFIG);
    const result = await runInProcess('send', '--config', config, ...args);
    expect(result.code).toBe(2);
    expect(result.text).toContain(message);
  });

  it('has help with an example', async () => {
    const result = await runInProcess('send', '--help');
    expect(result.code).toBe(0);
    expect(result.text).toContain('$ capillary-relay send');
  });
});

describe('send --twin', () => {
  const events = ['transactionAdded', 'pointsIssued'];
  async function withTwin(status: number) {
    const relay = await receivingRelay(answers(status));
    const simulator = await simulate({ capillary: { retryScale: 0 } });
    const token = (await askToken(simulator)).json.data.accessToken as string;
    const body = aWebhook({ webHookUrl: relay.url, eventNames: events });
    await callApi(simulator, 'POST', '/v3/webHooks', { token, body });
    return { relay, simulator };
  }

  it('delivers the events by the webhooks of the twin', async () => {
    const { relay, simulator } = await withTwin(200);
    const args = ['--twin', simulator.url, '--count', '8', '--events', events.join(','), '--seed', '3'];
    const { code, stdout } = await finish(run('send', ...args));
    expect(stdout).toMatch(/raised {5}8\naccepted {3}8\nrefused {4}0\n/);
    expect(stdout).toMatch(/seed {7}3/);
    expect(code).toBe(0);
    expect(relay.seen).toHaveLength(8);
  });

  it('reports what is refused and what no webhook lists, and fails', async () => {
    const { simulator } = await withTwin(404);
    const args = [
      '--twin',
      simulator.url,
      '--count',
      '4',
      '--events',
      'transactionAdded,tierRenewed',
      '--json',
    ];
    const { code, stdout } = await finish(run('send', ...args, '--awkward', '0'));
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      raised: 4,
      unlisted: 2,
      accepted: 0,
      refused: { 404: 2 },
      givenUp: 2,
    });
  });

  it('says how to make a webhook if there is none', async () => {
    const { url } = await simulate();
    const result = await runInProcess('send', '--twin', url, '--count', '1');
    expect(result.code).toBe(1);
    expect(result.text).toContain('capillary-relay register apply');
  });

  it('ends the run when it is interrupted', async () => {
    const { simulator } = await withTwin(200);
    const child = run('send', '--twin', simulator.url, '--count', '1000', '--rate', '20', '--json');
    await until(() => simulator.capillary.raised() > 0);
    child.kill('SIGINT');
    const { code, stdout } = await finish(child);
    expect(code).toBe(1);
    expect((JSON.parse(stdout) as { raised: number }).raised).toBeLessThan(1_000);
    await until(() => simulator.capillary.runs.list()[0]?.progress().isDone);
  });

  it('refuses what the twin decides, twins elsewhere and other servers', async () => {
    const { url } = await simulate();
    const refused = async (...args: string[]) => {
      const result = await runInProcess('send', '--count', '1', ...args);
      expect(result.code).toBe(2);
      return result.text;
    };
    expect(await refused('--twin', url, '--duplicates', '0.1')).toContain('there is no --duplicates');
    expect(await refused('--twin', 'http://twin.example.com')).toContain('Pass --yes');
    expect(await refused('--twin', url, '--events', 'identifierReleased')).toContain(
      'only follows another event',
    );
    const config = await file(
      'adobe.yaml',
      CONFIG.replace('http://127.0.0.1:9090/collection/x', 'https://dcs.adobedc.net/collection/x'),
    );
    expect(await refused('--twin', url, '--config', config)).toContain(
      'would deliver them to dcs.adobedc.net',
    );
    const relay = await receivingRelay(answers(200));
    expect(await refused('--twin', relay.url)).toContain('is not a twin of Capillary');
    const silent = `http://127.0.0.1:${await freePort()}`;
    const nobody = await runInProcess('send', '--twin', silent);
    expect(nobody.code).toBe(1);
    expect(nobody.text).toContain('Start one with `capillary-relay simulate`');
  });
});
