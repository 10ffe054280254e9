import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { run } from './command-line.ts';

const SECRET = 'p8e-secret-of-client-1';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'relay-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A configuration whose destinations are sandboxes of one organisation. */
async function setUp(destinations: readonly string[] = ['aep']) {
  const simulator = await startSimulator({ empty: true, warmUpMs: 0, validationDelayMs: 0 });
  onTestFinished(() => simulator.close());
  const file = join(temporaryFolder(), 'relay.yaml');
  const config = {
    sources: [
      {
        name: 'acme',
        destination: 'aep',
        verify: [{ type: 'header', name: 'X-Relay-Key', values: ['s3cret-of-acme-in-tests'] }],
      },
    ],
    destinations: destinations.map((name) => ({
      name,
      imsOrgId: '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg',
      sandbox: `dev-${name}`,
      ims: { url: simulator.imsUrl, clientId: 'client-1', clientSecrets: [SECRET] },
      platform: { url: simulator.platformUrl },
      profile: {},
    })),
  };
  writeFileSync(file, JSON.stringify(config));
  return { simulator, file };
}

describe('provision verify', () => {
  it('fails before apply, and finds everything right after it, with a probe', async () => {
    const { simulator, file } = await setUp();
    const before = await run(['provision', 'verify', '--config', file]);
    expect(before).toMatchObject({ code: 1, stderr: '' });
    expect(before.stdout).toContain('the configuration does not have inletUrl, events.schemaId');
    expect(before.stdout).toContain('fix: run capillary-relay provision apply');

    expect(await run(['provision', 'apply', '--config', file, '--write', '--no-wait'])).toMatchObject({
      code: 0,
    });
    const young = await run(['provision', 'verify', '--config', file, '--probe', '--json']);
    expect(young.code).toBe(1);
    expect(young.stdout).toContain('no probe was sent: the dataflow');
    expect(simulator.landed()).toEqual([]);

    const after = await run([
      'provision',
      'verify',
      '--config',
      file,
      '--settle',
      '1ms',
      '--probe',
      '--json',
    ]);
    const { ok, findings } = JSON.parse(after.stdout) as {
      ok: boolean;
      findings: { level: string; check: string; detail: string }[];
    };
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect({ ok, code: after.code }).toEqual({ ok: true, code: 0 });
    expect(findings.find(({ check }) => check === 'event probe/aep')?.detail).toContain('in the data lake');
    for (const { stdout, stderr } of [before, young, after]) expect(stdout + stderr).not.toContain(SECRET);
  });

  it('checks each destination for itself, or the one that is named', async () => {
    const { file } = await setUp(['aep', 'second']);
    const apply = ['provision', 'apply', '--config', file, '--write', '--no-wait', '--destination', 'aep'];
    expect(await run(apply)).toMatchObject({ code: 0 });
    const verify = ['provision', 'verify', '--config', file, '--settle', '1ms'];
    const both = await run(verify);
    expect(both.code).toBe(1);
    expect(both.stdout).toMatch(/^ok +event schema\/aep /m);
    expect(both.stdout).toMatch(/^fail +ids\/second +the configuration does not have inletUrl/m);
    const one = await run([...verify, '--destination', 'aep']);
    expect(one).toMatchObject({ code: 0, stderr: '' });
    expect(one.stdout).not.toContain('/second');
  });

  it('refuses a destination that is not configured', async () => {
    const { file } = await setUp();
    const ended = await run(['provision', 'verify', '--config', file, '--destination', 'other']);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toContain('there is no destination other');
  });
});

describe('provision field-groups', () => {
  it('prints the bodies of a tenant, without a configuration', async () => {
    const { code, stdout } = await run(['provision', 'field-groups', '--tenant', '_acme']);
    expect(code).toBe(0);
    const { event, profile } = JSON.parse(stdout) as Record<string, { title: string }>;
    expect([event?.title, profile?.title]).toEqual(['Capillary loyalty event', 'Capillary loyalty profile']);
    expect(stdout).toContain('"_acme"');
  });

  it('writes them as files: those of deploy/aep without a tenant', async () => {
    const folder = join(temporaryFolder(), 'aep');
    expect(await run(['provision', 'field-groups', '--out', folder])).toMatchObject({ code: 0, stderr: '' });
    const names = ['field-group-events.json', 'field-group-profile.json'];
    expect(readdirSync(folder).toSorted()).toEqual(names);
    for (const name of names)
      expect(readFileSync(join(folder, name), 'utf8')).toBe(readFileSync(`deploy/aep/${name}`, 'utf8'));
  });

  it('refuses a tenant without its underscore', async () => {
    const ended = await run(['provision', 'field-groups', '--tenant', 'acme']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('such as _acme');
  });
});
