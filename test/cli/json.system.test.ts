import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { createProgram } from '../../src/cli/program.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { freshSchema, type TestSchema } from '../helpers/postgres-server.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { createReplica } from '../reconciliation/reconcilers-rig.ts';
import { KEY, relayConfig } from '../helpers/relay-process.ts';
import { type AdminCliRig, TOKEN, event, openAdminCliRig } from './admin-cli-rig.ts';
import { run } from './command-line.ts';

/** Commands that print one document per line. */
const LINES = ['map'];
/** Runs until it is stopped; test/simulator/cli.system.test.ts has its output. */
const ENDLESS = ['simulate'];

let rig: AdminCliRig;
let schema: TestSchema;
let twin: Simulator;
let folder = '';
let config = '';
let dead = '';
let quarantined = '';
let compared: ReturnType<typeof createReplica>;
let endRuns: NodeJS.Timeout;

beforeAll(async () => {
  schema = await freshSchema();
  rig = await openAdminCliRig();
  compared = createReplica({ journal: rig.relay.journal });
  rig.relay.state.reconciliation = compared.reconcilers;
  compared.reconcilers.start();
  endRuns = setInterval(() => compared.runs.forEach((one) => one.end()), 10);
  dead = await rig.post(event('e-1', 11));
  await rig.relay.moveToDeadLetters();
  await rig.relay.webhook('acme', event('e-2', 12), { 'x-relay-key': 'wrong' });
  const { body } = await rig.relay.get('/admin/v1/quarantine', {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  quarantined = body.quarantined[0].receipt;
  folder = await mkdtemp(join(tmpdir(), 'relay-json-'));
  const text = relayConfig({
    imsUrl: 'http://127.0.0.1:1/ims/token/v3',
    inletUrl: 'http://127.0.0.1:1/collection/abc',
  });
  text.store['path'] = join(folder, 'data');
  twin = await startSimulator();
  Object.assign(text.sources[0] ?? {}, {
    orgIds: [twin.capillary.org],
    api: { url: twin.capillaryUrl, key: 'key', secret: 'secret', callsPerMinute: 10_000 },
    webhook: {
      name: 'acme-aep-relay',
      url: 'https://relay.example.com/webhooks/acme',
      header: { name: 'X-Relay-Key', value: KEY },
    },
  });
  text.admin = { port: Number(new URL(rig.url).port), token: TOKEN };
  config = join(folder, 'relay.yaml');
  await writeFile(config, stringify(text));
  const [destination] = text.destinations;
  const ims = { url: twin.imsUrl, clientId: 'client-1', clientSecrets: ['p8e-secret-of-client-1'] };
  const provisioned = { ...destination, ims, platform: { url: twin.platformUrl } };
  for (const key of ['inletUrl', 'events', 'profile']) Reflect.deleteProperty(provisioned, key);
  await writeFile(
    join(folder, 'provision.yaml'),
    stringify({ ...text, destinations: [{ ...provisioned, profile: {} }] }),
  );
  const { url, schema: name } = schema;
  await writeFile(
    join(folder, 'postgres.yaml'),
    stringify({ ...text, store: { engine: 'postgres', url, schema: name } }),
  );
  await writeFile(join(folder, 'event.json'), JSON.stringify([event('e-1', 11), event('e-2', 12)]));
  await (await openSqliteJournal({ path: join(folder, 'data'), encryptionKeys: [] })).close();
});

afterAll(async () => {
  clearInterval(endRuns);
  await compared.reconcilers.stop();
  await schema.drop();
  await rig.relay.close();
  await twin.close();
  await rm(folder, { recursive: true });
});

/** Arguments of each command that has --json. */
const CASES: Readonly<Record<string, () => readonly string[]>> = {
  check: () => [],
  doctor: () => ['--offline'],
  map: () => [join(folder, 'event.json')],
  status: () => ['--interval', '0.1'],
  events: () => ['--event-name', 'transactionAdded'],
  'events replay': () => [dead],
  'events replays': () => [],
  explain: () => [dead],
  ledger: () => [],
  reconcile: () => [],
  coverage: () => [],
  'dead-letters list': () => [],
  'dead-letters replay': () => ['--all', '--dry-run'],
  'dead-letters replays': () => [],
  'dead-letters discard': () => ['--all', '--yes'],
  'quarantine list': () => [],
  'quarantine show': () => [quarantined],
  'quarantine release': () => ['--all'],
  'quarantine discard': () => ['--all', '--yes'],
  'destinations list': () => [],
  'destinations pause': () => ['acme-aep'],
  'destinations resume': () => ['acme-aep'],
  'destinations reroute': () => ['--dry-run'],
  'log-level': () => [],
  reload: () => [],
  'provision plan': () => ['--config', join(folder, 'provision.yaml')],
  'provision apply': () => ['--config', join(folder, 'provision.yaml'), '--no-wait'],
  'provision verify': () => ['--config', join(folder, 'provision.yaml')],
  'register plan': () => [],
  'register apply': () => [],
  'register status': () => [],
  'register rotate': () => [],
  'register pause': () => [],
  'store verify': () => [],
  'store backup': () => ['--to', join(folder, 'backup.db')],
  'store salvage': () => ['--to', join(folder, 'salvaged')],
  'store migrate': () => ['--config', join(folder, 'postgres.yaml'), '--dry-run'],
  'store copy': () => ['--from', join(folder, 'data'), '--config', join(folder, 'postgres.yaml')],
  send: () => ['--url', 'http://127.0.0.1:1/webhooks/acme', '--count', '1', '--patience', '1s', '--yes'],
};

/** Names of all commands with --json. */
function withJson(command: Command, above: readonly string[] = []): string[] {
  return command.commands.flatMap((inner) => {
    const path = [...above, inner.name()];
    const own = inner.options.some(({ long }) => long === '--json') ? [path.join(' ')] : [];
    return [...own, ...withJson(inner, path)];
  });
}

describe('--json', () => {
  it('is tested for every command that has it', async () => {
    const all = withJson(await createProgram([])).filter((name) => !ENDLESS.includes(name));
    expect(Object.keys(CASES).toSorted()).toEqual(all.toSorted());
  });

  it.each(Object.entries(CASES))('%s: standard output is JSON and nothing else', async (name, args) => {
    const env = { RELAY_CONFIG: config };
    const { stdout, stderr } = await run([...name.split(' '), ...args(), '--json'], { env });
    const texts = LINES.includes(name) ? stdout.trimEnd().split('\n') : [stdout];
    expect(stderr).toBe('');
    for (const text of texts) expect(JSON.parse(text)).toBeTypeOf('object');
  });

  it.each([
    ['an entry that does not exist', ['explain', 'no-such-id'], 1],
    ['wrong usage', ['events', '--limit', 'x'], 2],
    ['a relay that does not answer', ['ledger', '--url', 'http://127.0.0.1:1', '--token', 'x'], 1],
    ['a store that does not exist', ['store', 'verify', '--path', '/nonexistent'], 1],
  ])('%s: nothing on standard output, the reason on standard error', async (_what, words, code) => {
    const ended = await run([...words, '--json'], { env: { RELAY_CONFIG: config } });
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/\w/) });
  });

  it('a configuration with problems is an answer of check and doctor', async () => {
    const env = { RELAY_CONFIG: join(folder, 'missing.yaml') };
    for (const name of ['check', 'doctor']) {
      const { code, stdout } = await run([name, '--json'], { env });
      expect({ code, answer: JSON.parse(stdout) }).toMatchObject({ code: 2, answer: { ok: false } });
    }
  });
});
