import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { freePort } from '../../src/simulator/free-port.ts';
import { relayConfig } from '../helpers/relay-process.ts';
import { type AdminCliRig, TOKEN, openAdminCliRig } from './admin-cli-rig.ts';
import { run } from './command-line.ts';

let rig: AdminCliRig;
let other: Server;
let folder = '';

/** A server that is not a relay. */
function otherUrl(): string {
  return `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  rig = await openAdminCliRig();
  folder = await mkdtemp(join(tmpdir(), 'relay-admin-cli-'));
  other = createServer((_request, response) => void response.end('<html>hello</html>'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  other.close();
  await rig.relay.close();
  await rm(folder, { recursive: true });
});

/** A configuration whose `admin` is the relay of this test. */
async function writeConfig(name: string, admin: object = {}, more: object = {}): Promise<string> {
  const config = relayConfig({
    imsUrl: 'http://127.0.0.1:1/ims/token/v3',
    inletUrl: 'http://127.0.0.1:1/collection/abc',
  });
  config.store['path'] = folder;
  config.admin = { host: '127.0.0.1', port: Number(new URL(rig.url).port), token: TOKEN, ...admin };
  const file = join(folder, name);
  await writeFile(file, stringify({ ...config, ...more }));
  return file;
}

describe('address and token from the configuration', () => {
  it('of RELAY_CONFIG, and of relay.yaml in the working directory', async () => {
    const file = await writeConfig('relay.yaml');
    expect(await run(['ledger'], { env: { RELAY_CONFIG: file } })).toMatchObject({ code: 0, stderr: '' });
    expect(await run(['ledger'], { cwd: folder })).toMatchObject({ code: 0, stderr: '' });
    await rm(file);
  });

  it('need no other part of the configuration', async () => {
    const sources = [{ name: 'acme', verify: [{ type: 'header', values: ['${file:/nonexistent}'] }] }];
    const file = await writeConfig('partial.yaml', {}, { sources });
    expect(await run(['check', '--config', file])).toMatchObject({ code: 2 });
    expect(await run(['ledger', '--config', file])).toMatchObject({ code: 0, stderr: '' });
  });

  it('a file of RELAY_CONFIG that does not exist is an error, unless it is not needed', async () => {
    const env = { RELAY_CONFIG: join(folder, 'missing.yaml') };
    const ended = await run(['ledger'], { env });
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toContain('missing.yaml');
    expect(ended.stderr).toContain('cannot be read (ENOENT)');
    expect(await run(['ledger', '--url', rig.url, '--config', env.RELAY_CONFIG])).toMatchObject({ code: 2 });
    const both = ['ledger', '--url', rig.url, '--token', TOKEN];
    expect(await run(both, { env })).toMatchObject({ code: 0, stderr: '' });
  });

  it('with --url, a file of RELAY_CONFIG that is gone costs only its token', async () => {
    const env = { RELAY_CONFIG: join(folder, 'missing.yaml') };
    const ended = await run(['ledger', '--url', rig.url], { env });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(
      /^note: the configuration .*missing\.yaml cannot be read, so no token from it is sent\nA bearer token is required/,
    );
  });

  describe('of a file that is not valid YAML', () => {
    const BROKEN = `store:
  path: /var/lib/relay
    maxBytes: 1GiB
`;

    async function writeText(text: string): Promise<string> {
      const file = join(folder, 'broken.yaml');
      await writeFile(file, text);
      return file;
    }

    /** The lines of `check` about the place, the problem and its fix. */
    async function checked(file: string): Promise<string> {
      return (await run(['check', '--config', file])).stdout.split('\n\n')[0] ?? '';
    }

    it.each(['before', 'after'])('need only its admin: the mistake is %s it', async (where) => {
      const admin = `admin:\n  # the port\n\n  port: ${new URL(rig.url).port}\n  token: ${TOKEN}\n`;
      const file = await writeText(where === 'before' ? BROKEN + admin : admin + BROKEN);
      const env = { RELAY_CONFIG: file };
      const [ledger, destinations, reload] = await Promise.all([
        run(['ledger'], { env }),
        run(['destinations', 'list', '--json'], { env }),
        run(['reload'], { env }),
      ]);
      for (const ended of [ledger, destinations, reload]) expect(ended.code).toBe(0);
      expect(JSON.parse(destinations.stdout)).toHaveProperty('destinations');
      const [place = '', , fix = ''] = (await checked(file)).split('\n');
      expect(place).toMatch(/broken\.yaml:\d+:\d+$/);
      expect(ledger.stderr).toMatch(/^note: [^\n]* Of this file only admin is used here\n$/);
      expect(ledger.stderr).toContain(`note: ${place}: `);
      expect(ledger.stderr).toContain(fix.replace(/^ *fix: */, 'fix: '));
    });

    it.each([
      ['in admin', `admin:\n  host: 127.0.0.1\n    port: 8081\n`],
      ['at the key of admin', `store:\n  path: /data\n admin:\n  port: 8081\n`],
      ['that makes admin empty', `admin:\nport: 8081\nstore:\n  path: /data\n`],
    ])('a mistake %s: fails as check does', async (_, text) => {
      const file = await writeText(text);
      const ended = await run(['ledger'], { env: { RELAY_CONFIG: file } });
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      const [first = ''] = ended.stderr.split('\n\n').slice(1);
      expect(first.trim()).toBe((await checked(file)).trim());
      expect(first).toMatch(/broken\.yaml:\d+:\d+/);
    });
  });

  it('a token that cannot be read is an error, unless another is given', async () => {
    const file = await writeConfig('unreadable.yaml', { token: '${file:/nonexistent}' });
    const ended = await run(['ledger'], { env: { RELAY_CONFIG: file } });
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(/admin\.token\n.*the file \/nonexistent cannot be read/);
    const env = { RELAY_CONFIG: file, RELAY_ADMIN_TOKEN: TOKEN };
    expect(await run(['ledger'], { env })).toMatchObject({ code: 0, stderr: '' });
  });

  it('the token goes to another address only if --config is given beside --url', async () => {
    const received: (string | undefined)[] = [];
    const stranger = createServer((request, response) => {
      received.push(request.headers.authorization);
      response.writeHead(401, { 'content-type': 'application/problem+json' });
      response.end('{"title":"A bearer token is required"}');
    });
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    const file = await writeConfig('elsewhere.yaml');
    const ended = await run(['ledger', '--url', url], { env: { RELAY_CONFIG: file } });
    expect(ended.stderr).toContain(`The token of ${file} was not sent`);
    await run(['ledger', '--url', url, '--config', file]);
    expect(received).toEqual([undefined, `Bearer ${TOKEN}`]);
    const local = rig.url.replace('127.0.0.1', 'localhost');
    expect(await run(['ledger', '--url', local], { env: { RELAY_CONFIG: file } })).toMatchObject({ code: 0 });
    stranger.close();
  });
});

describe('connection to the relay', () => {
  it('a port that refuses connections: reports it and what to do', async () => {
    const port = await freePort();
    const ended = await run(['ledger', '--url', `http://127.0.0.1:${port}/`]);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toBe(
      `no relay answers at http://127.0.0.1:${port}: the connection was refused. Is it running, and is this its admin port? Set it with --url or --config.\n`,
    );
  });

  it('a port that no request may use: says so', async () => {
    const ended = await run(['ledger', '--url', 'http://127.0.0.1:25']);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain('port 25 is reserved for another protocol, so no request was sent');
  });

  it('a host that does not exist: reports why', async () => {
    const ended = await run(['ledger', '--url', 'http://relay.invalid:8081']);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(
      /^no relay answers at http:\/\/relay\.invalid:8081: .*(ENOTFOUND|EAI_AGAIN)/,
    );
  });

  it('a server that is not a relay', async () => {
    const ended = await run(['ledger', '--url', otherUrl()]);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('this is not the admin port of a relay');
  });

  it('without a token, and with a wrong one: says how to set it', async () => {
    const [none, wrong] = await Promise.all([
      run(['ledger', '--url', rig.url]),
      run(['ledger', '--url', rig.url, '--token', 'guessed']),
    ]);
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toMatch(
      /^A bearer token is required: .*Set RELAY_ADMIN_TOKEN, or pass --token or --config\.\n$/,
    );
    expect(wrong.stderr).toContain('The bearer token is wrong: it is not the admin.token');
    expect(wrong.stderr).not.toContain('guessed');
  });

  it('address and token from a configuration; an empty variable counts as no token', async () => {
    const config = relayConfig({
      imsUrl: 'http://127.0.0.1:1/ims/token/v3',
      inletUrl: 'http://127.0.0.1:1/collection/abc',
    });
    config.store['path'] = folder;
    config.admin = { host: '0.0.0.0', port: Number(new URL(rig.url).port), token: TOKEN };
    const file = join(folder, 'relay.yaml');
    await writeFile(file, stringify(config));
    const ended = await run(['ledger', '--config', file], { env: { RELAY_ADMIN_TOKEN: '' } });
    expect(ended).toMatchObject({ code: 0, stderr: '' });

    await writeFile(file, stringify({ ...config, admin: { ...config.admin, port: 0 } }));
    expect(await run(['ledger', '--config', file])).toMatchObject({
      code: 2,
      stderr: 'admin.port is 0, so the port is unknown: pass --url\n',
    });

    await writeFile(file, stringify({ ...config, admin: { ...config.admin, host: 'fe80::1%lo' } }));
    expect(await run(['ledger', '--config', file])).toMatchObject({
      code: 2,
      stderr: 'admin.host is "fe80::1%lo", which cannot be part of a URL: pass --url\n',
    });
  });

  it('a wrong token: says where it came from', async () => {
    const ended = await run(['ledger', '--url', rig.url], { env: { RELAY_ADMIN_TOKEN: 'guessed' } });
    expect(ended.stderr).toContain('The token that was sent is from --token or RELAY_ADMIN_TOKEN.');
    const file = await writeConfig('wrong-token.yaml', { token: 'guessed' });
    expect((await run(['ledger', '--config', file])).stderr).toContain(`is from admin.token of ${file}.`);
  });

  it('an invalid filter value is wrong usage, with the message of the relay', async () => {
    const ended = await rig.cli('events', '--state', 'lost');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(/^The request is invalid: state: must be one of pending, delivered/);
  });

  it('an event that does not exist', async () => {
    const ended = await rig.cli('explain', 'nothing-of-this-name');
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain('no event has this receipt or event id');
  });
});
