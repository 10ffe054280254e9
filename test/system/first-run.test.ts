import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { editConfig } from '../../src/config/edit-config.ts';
import { replaceFile } from '../../src/cli/replace-file.ts';
import { freePort } from '../../src/simulator/free-port.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { type Ended, type RunOptions, run } from '../cli/command-line.ts';
import { shellLines } from '../docs/shell-lines.ts';
import { startServe } from '../helpers/serve-process.ts';
import { until } from '../helpers/until.ts';

/*
 * Two twins without anything in them, and the commands of the README in their order. Nothing is
 * made or configured in another way.
 */

const WARM_UP_MS = 1_000;
const SETTLE = '1s';

/** The README's own lines, in its order. */
const README_LINES = shellLines('README.md').filter((line) =>
  /^capillary-relay (init|provision|register)\b/.test(line),
);

let twins: Simulator;
let folder: string;
let env: Record<string, string>;
let relay: Awaited<ReturnType<typeof startServe>>;

beforeAll(async () => {
  twins = await startSimulator({
    empty: true,
    warmUpMs: WARM_UP_MS,
    validationDelayMs: 50,
    capillary: { retryScale: 0.05 },
  });
  folder = mkdtempSync(join(tmpdir(), 'relay-first-run-'));
  env = {
    RELAY_HOST: '127.0.0.1',
    RELAY_PORT: String(await freePort()),
    RELAY_ADMIN_PORT: String(await freePort()),
    RELAY_DATA: join(folder, 'data'),
    IMS_CLIENT_SECRET: 'client-secret-of-the-test',
    CAPILLARY_API_KEY: 'api-key-of-the-test',
    CAPILLARY_API_SECRET: 'api-secret-of-the-test',
  };
});

afterAll(async () => {
  await relay?.stop('SIGKILL');
  await twins.close();
  rmSync(folder, { recursive: true, force: true });
});

function cli(line: string, options: RunOptions = {}): Promise<Ended> {
  return run(line.split(' '), { cwd: folder, env, ...options });
}

/** `provision apply`: the dataflows are as old here as they have to be. */
function applyAgain(): Promise<Ended> {
  return cli(`provision apply --settle ${SETTLE}`);
}

async function plan(command: 'provision' | 'register'): Promise<Ended> {
  return cli(`${command} plan`);
}

/** Every object of both platforms, with version and time of the last change. */
function objects(): string {
  const webhooks = twins.capillary.webhooks.list(twins.capillary.org);
  const { batches: _batches, runs: _runs, ...sandbox } = twins.platform.sandbox('dev')!;
  return JSON.stringify([sandbox, webhooks], (_key, value: unknown) =>
    value instanceof Map ? [...(value as Map<unknown, unknown>)] : value,
  );
}

/** Changes the webhook as another client of Capillary's API would. */
async function changeWebhook(change: Readonly<Record<string, unknown>>): Promise<void> {
  const call = async (path: string, init: RequestInit): Promise<any> => {
    const answer = await fetch(`${twins.capillaryUrl}${path}`, init);
    return ((await answer.json()) as { data: unknown }).data;
  };
  const json = { 'content-type': 'application/json' };
  const credential = JSON.stringify({ key: 'somebody', secret: 'else' });
  const { accessToken } = await call('/v3/oauth/token/generate', {
    method: 'POST',
    headers: json,
    body: credential,
  });
  const headers = { ...json, 'X-CAP-API-OAUTH-TOKEN': accessToken as string };
  const [webhook] = await call('/v3/webHooks', { headers });
  const { webHookId, consumerGroupId: _, attribution: __, possibleValues: ___, ...fields } = webhook;
  const body = JSON.stringify({ ...fields, ...change });
  await call(`/v3/webHooks/${webHookId}`, { method: 'PUT', headers, body });
}

/** Changes an object of AEP as another client would. */
async function changeAtPlatform(path: string, change: object): Promise<void> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: 'somebody',
    client_secret: 'else',
    scope: 'openid',
  });
  const minted = await fetch(twins.imsUrl, { method: 'POST', body: form });
  const { access_token: token } = (await minted.json()) as { access_token: string };
  const answer = await fetch(`${twins.platformUrl}${path}`, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${token}`,
      'x-api-key': 'somebody',
      'x-gw-ims-org-id': '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg',
      'x-sandbox-name': 'dev',
      'content-type': 'application/json',
    },
    body: JSON.stringify(change),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

describe('from two empty platforms to the first event', () => {
  it('init writes the configuration', async () => {
    const ended = await cli(
      `init --secrets secrets --simulator ${twins.url} --url http://127.0.0.1:${env['RELAY_PORT']}`,
    );
    expect(ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('serve says which command makes what it lacks', async () => {
    const ended = await cli('serve');
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('capillary-relay provision apply');
  });

  it('provision: plan names what is missing, apply makes it, and again there is nothing to do', async () => {
    expect(await plan('provision')).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/make +dataset/),
    });
    expect(twins.platform.sandbox('dev')!.datasets.size).toBe(0);
    const applied = await cli(`provision apply --write --settle ${SETTLE}`);
    expect(applied).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('the dataflows are old enough'),
    });
    const made = objects();
    expect(await plan('provision')).toMatchObject({ code: 0 });
    expect(await cli(`provision apply --write --settle ${SETTLE}`)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing to change'),
    });
    expect(await cli(`provision verify --settle ${SETTLE}`)).toMatchObject({ code: 0 });
    expect(objects()).toBe(made);
  });

  it('register: plan names what is missing, apply makes it, and again there is nothing to do', async () => {
    relay = await startServe(join(folder, 'relay.yaml'), { cwd: folder, env });
    expect(await plan('register')).toMatchObject({ code: 3 });
    expect(twins.capillary.webhooks.list(twins.capillary.org)).toEqual([]);
    expect(await cli('register apply')).toMatchObject({ code: 0 });
    const made = objects();
    expect(await plan('register')).toMatchObject({ code: 0 });
    expect(await cli('register apply')).toMatchObject({ code: 0 });
    expect(objects()).toBe(made);
  });

  it('an event of Capillary is in the data lake and in Profile', async () => {
    const raised = await twins.capillary.raiseEvents({ count: 30, seed: 7, awkward: 0 });
    const { accepted, givenUp } = await raised.settled();
    expect([accepted > 0, givenUp]).toEqual([true, 0]);
    const records = await until(() => {
      const lake = twins.lake();
      const isComplete = twins.landed().every(({ fate }) => fate?.state === 'ingested');
      return isComplete && lake.some(({ kind }) => kind === 'event') && lake;
    });
    expect(records.filter(({ kind }) => kind === 'profile').length).toBeGreaterThan(0);
    const { namespace, id } = records.find(({ kind }) => kind === 'profile')!.identity!;
    expect(twins.profile({ namespace, id })).toBeDefined();
    expect(await cli('ledger')).toMatchObject({ code: 0 });
  });

  it("register status shows Capillary's figures beside the relay's, and that they agree", async () => {
    const ended = await cli('register status');
    expect(ended).toMatchObject({ code: 0 });
  });
});

describe('drift', () => {
  async function edit(...edits: Parameters<typeof editConfig>[1]): Promise<() => Promise<void>> {
    const file = join(folder, 'relay.yaml');
    const before = readFileSync(file, 'utf8');
    await replaceFile(file, editConfig(before, edits, file));
    return () => replaceFile(file, before);
  }

  it('names a dataset that was disabled for Profile, and repairs it', async () => {
    const sandbox = twins.platform.sandbox('dev')!;
    const dataset = [...sandbox.datasets.values()].find(({ name }) => name.includes('events'))!;
    await changeAtPlatform(`/data/foundation/catalog/v2/dataSets/${dataset.id}`, {
      tags: { unifiedProfile: ['enabled:false'] },
    });
    expect(await plan('provision')).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/change +dataset +Capillary loyalty events/),
    });
    expect(await applyAgain()).toMatchObject({ code: 0 });
    expect(await plan('provision')).toMatchObject({ code: 0 });
  });

  it('names a field group that is missing in a schema', async () => {
    const sandbox = twins.platform.sandbox('dev')!;
    const schema = [...sandbox.schemas.values()].find(({ body }) =>
      JSON.stringify(body['title']).includes('profiles'),
    )!;
    const { allOf } = schema.body as { allOf: { $ref: string }[] };
    schema.body = { ...schema.body, allOf: allOf.filter(({ $ref }) => !$ref.includes('profile-consents')) };
    expect(await plan('provision')).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('Consent and Preference Details'),
    });
    expect(await applyAgain()).toMatchObject({ code: 0 });
    expect(await plan('provision')).toMatchObject({ code: 0 });
  });

  it('names an event that was removed at Capillary, and adds it again', async () => {
    const [webhook] = twins.capillary.webhooks.list(twins.capillary.org);
    const eventNames = webhook!.fields.eventNames.filter((name) => name !== 'tierUpgraded');
    await changeWebhook({ eventNames });
    expect(await plan('register')).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('tierUpgraded'),
    });
    expect(await cli('register apply')).toMatchObject({ code: 0 });
    expect(await plan('register')).toMatchObject({ code: 0 });
  });

  it('names a permission that is missing', async () => {
    twins.platform.setPermissions({
      'trial-client': ['View Schemas', 'View Identity Namespaces', 'View Datasets'],
    });
    const ended = await plan('provision');
    twins.platform.setPermissions({});
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/View Sources|Manage Sources/) });
  });

  it('keeps what a person has added to the configuration', async () => {
    const undo = await edit({ path: ['destinations', 0, 'limits'], value: { concurrency: 2 } });
    expect(await plan('provision')).toMatchObject({ code: 0 });
    await undo();
  });
});

it('the commands of the README work in their order, run again in the end', async () => {
  const twin = `--force --simulator ${twins.url} --url http://127.0.0.1:${env['RELAY_PORT']}`;
  const more: Record<string, string> = {
    init: twin,
    'provision apply': `--settle ${SETTLE}`,
    'provision verify': `--settle ${SETTLE}`,
  };
  expect(README_LINES.length).toBeGreaterThan(4);
  for (const line of README_LINES) {
    const words = line.split(' ').slice(1);
    const name = words[0] === 'init' ? 'init' : words.slice(0, 2).join(' ');
    const ended = await cli(`${words.join(' ')} ${more[name] ?? ''}`.trim());
    expect([line, ended.code, ended.stderr]).toEqual([line, 0, '']);
  }
});
