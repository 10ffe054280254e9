import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadCommandConfig } from '../../src/cli/command-config.ts';
import type { SimulatorOptions } from '../../src/simulator/adobe/simulator-options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { until } from '../helpers/until.ts';
import { run, start } from './command-line.ts';
import { countsOf } from './provision/twin-rig.ts';

const SECRET = 'p8e-secret-of-client-1';

const ONE_OF_EACH = {
  namespaces: 2,
  fieldGroups: 2,
  schemas: 2,
  datasets: 2,
  connections: 1,
  sourceConnections: 2,
  targetConnections: 2,
  mappingSets: 0,
  flows: 2,
};

interface Rig {
  readonly simulator: Simulator;
  readonly file: string;
  readonly stateFile: string;
  readonly counts: () => Readonly<Record<string, number>>;
}

/** A commented configuration without ids, and a twin without objects. */
async function setUp(options: SimulatorOptions = {}): Promise<Rig> {
  const simulator = await startSimulator({ empty: true, ...options });
  onTestFinished(() => simulator.close());
  const folder = mkdtempSync(join(tmpdir(), 'relay-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'relay.yaml');
  writeFileSync(
    file,
    `# the relay of acme
sources:
  - name: acme
    destination: aep
    verify: [{ type: header, name: X-Relay-Key, values: [s3cret-of-acme-in-tests] }]
destinations:
  - name: aep            # dev
    imsOrgId: 1A2B3C4D5E6F7A8B0A495C12@AdobeOrg
    sandbox: dev
    ims:
      url: ${simulator.imsUrl}
      clientId: client-1
      clientSecrets: [${SECRET}]
    platform: { url: ${simulator.platformUrl} }
    profile: {}          # profile records too
`,
  );
  return {
    simulator,
    file,
    stateFile: join(folder, 'relay.provision.json'),
    counts: () => countsOf(simulator.platform.sandbox('dev')!),
  };
}

describe('provision', () => {
  it('plan, apply --write, apply and plan again: the relay has its configuration, and nothing is to do', async () => {
    const { file, stateFile, counts } = await setUp();
    const planned = await run(['provision', 'plan', '--config', file]);
    expect(planned).toMatchObject({ code: 3, stderr: '' });
    expect(planned.stdout).toContain('make   schema');
    expect(planned.stdout).toMatch(/15 to make, 11 keys of the configuration to set\n$/);

    const applied = await run(['provision', 'apply', '--config', file, '--write', '--no-wait']);
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    expect(applied.stdout).toMatch(
      /^made {5}dataset {12}Capillary loyalty events \[capillary-aep-relay:aep\] {2}[0-9a-f]{24}$/m,
    );
    expect(applied.stdout).toContain(`written to ${file}: aep: inletUrl, events.schemaId`);
    expect(applied.stdout).toContain('send no events before 20');
    expect(counts()).toEqual(ONE_OF_EACH);

    const text = readFileSync(file, 'utf8');
    expect(text).toContain('# the relay of acme');
    expect(text).toContain('# profile records too');
    const { config } = await loadCommandConfig(file, {});
    expect(config.destinations[0]).toMatchObject({
      tenant: '_demo',
      events: { schemaId: expect.stringContaining('https://ns.adobe.com/demo/schemas/') },
      schemaFeatures: { loyalty2026: true, loyaltyEvents: true, placeContext: true, consents: true },
    });

    const again = await run(['provision', 'apply', '--config', file, '--write', '--no-wait']);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('nothing to change');
    expect(readFileSync(file, 'utf8')).toBe(text);
    const done = await run(['provision', 'plan', '--config', file]);
    expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/nothing to change\n$/) });
    for (const output of [planned.stdout, applied.stdout, readFileSync(stateFile, 'utf8')])
      expect(output).not.toContain(SECRET);
  });

  it('apply without --write prints the values as YAML, which plan misses until they are there', async () => {
    const { file } = await setUp();
    const applied = await run(['provision', 'apply', '--config', file, '--no-wait']);
    expect(applied.stdout).toMatch(/with --write:\n\ndestinations:\n {2}- name: aep\n {4}inletUrl: http/);
    const planned = await run(['provision', 'plan', '--config', file]);
    expect(planned.code).toBe(3);
    expect(planned.stdout).toContain('To set in the configuration:\n  inletUrl: http');
  });

  it('apply --write to a file that cannot be written shows the values, and fails', async () => {
    const { file, stateFile } = await setUp();
    // Its temporary file would have a name that is too long.
    const long = join(dirname(file), `${'r'.repeat(245)}.yaml`);
    copyFileSync(file, long);
    const words = ['provision', 'apply', '--config', long, '--state', stateFile, '--write', '--no-wait'];
    const text = await run(words);
    expect(text.code).toBe(1);
    expect(text.stdout).toMatch(/destinations:\n {2}- name: aep\n {4}inletUrl: http/);
    expect(text.stderr).toContain('cannot be written (ENAMETOOLONG); fix:');
    const json = await run([...words, '--json']);
    expect(json).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      written: false,
      destinations: [
        { configuration: { values: expect.arrayContaining([{ key: 'tenant', value: '_demo' }]) } },
      ],
      error: { message: expect.stringContaining('cannot be written') },
    });
  });

  it('apply waits until the dataflows are old enough, and a second run for the rest', async () => {
    const { file } = await setUp();
    const started = Date.now();
    const applied = await run(['provision', 'apply', '--config', file, '--write', '--settle', '2s']);
    expect(applied.code).toBe(0);
    expect(applied.stdout).toMatch(/waiting .* until 20[\s\S]*old enough for data\n$/);
    expect(Date.now() - started).toBeGreaterThan(2_000);
    const again = await run(['provision', 'apply', '--config', file, '--settle', '2s']);
    expect(again.stdout).not.toContain('waiting');
  });

  it('killed while it waits for an answer, and run again: one of each object', async () => {
    const { simulator, file, stateFile, counts } = await setUp({
      faults: [
        {
          on: 'platform',
          match: { method: 'POST', path: '/data/foundation/catalog' },
          times: 1,
          then: { hang: true, landed: true },
        },
      ],
    });
    const child = start('provision', 'apply', '--config', file, '--no-wait');
    await until(() => simulator.platform.sandbox('dev')!.datasets.size === 1);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(existsSync(`${stateFile}.lock`)).toBe(true);
    const again = await run(['provision', 'apply', '--config', file, '--no-wait']);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(counts()).toEqual(ONE_OF_EACH);
    expect(existsSync(`${stateFile}.lock`)).toBe(false);
  });

  it('a second apply on one state file is refused while the first one runs', async () => {
    const { simulator, file, stateFile, counts } = await setUp({
      faults: [{ on: 'platform', match: { method: 'POST' }, times: 1, then: { hang: true } }],
    });
    const child = start('provision', 'apply', '--config', file, '--no-wait');
    await until(() => existsSync(`${stateFile}.lock`));
    const second = await run(['provision', 'apply', '--config', file, '--no-wait']);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain(`is in use by process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(simulator.stats().requests.platform['201'] ?? 0).toBe(0);
    expect(counts()).toMatchObject({ schemas: 0, flows: 0 });
  });

  it('a failure names the step, the permission and how to go on, as text and as JSON', async () => {
    const { file } = await setUp({
      platform: { permissions: { 'client-1': ['View Schemas', 'Manage Schemas'] } },
    });
    const text = await run(['provision', 'apply', '--config', file]);
    expect(text.code).toBe(1);
    expect(text.stderr).toContain(
      'destination aep stopped at the namespace capillaryId: GET /data/core/idnamespace/identities → 403',
    );
    expect(text.stderr).toContain('lacks the permission View Identity Namespaces');
    const json = await run(['provision', 'plan', '--config', file, '--json']);
    expect(json).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      destinations: [],
      error: { destination: 'aep', kind: 'namespace', fix: expect.stringContaining('Permissions > Roles') },
    });
  });

  it.each([
    [
      'an unknown destination',
      ['--destination', 'nobody'],
      'there is no destination nobody; the configuration has: aep',
    ],
    ['an invalid duration', ['--settle', 'soon'], '--settle'],
  ])('%s is wrong usage', async (_what, words, message) => {
    const { file } = await setUp();
    const ended = await run(['provision', 'apply', '--config', file, ...words]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(message);
  });
});
