import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadForProvision } from '../../src/cli/command-config.ts';
import { fixture } from './config-text.ts';

type Destination = Record<string, unknown>;

/** The smallest configuration with another destination. */
function fileWith(change: (destination: Destination) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'relay-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tree = parse(fixture('smallest.yaml')) as { destinations: [Destination] };
  change(tree.destinations[0]);
  const file = join(folder, 'relay.yaml');
  writeFileSync(file, stringify(tree));
  return file;
}

it('loads a destination without the ids that exist after provisioning only', async () => {
  const file = fileWith((destination) => {
    delete destination['inletUrl'];
    delete destination['events'];
    destination['profile'] = {};
  });
  const { loaded, missing } = await loadForProvision(file, { env: {} });
  expect(loaded.config.destinations[0]!.profile).toMatchObject({ write: 'assemble' });
  expect([...missing.get(0)!].toSorted()).toEqual(
    [
      'events.datasetId',
      'events.flowId',
      'events.schemaId',
      'inletUrl',
      'profile.datasetId',
      'profile.flowId',
      'profile.schemaId',
      'tenant',
    ].toSorted(),
  );
});

it('counts empty values and placeholders without a value as missing, and keeps the others', async () => {
  const file = fileWith((destination) => {
    destination['inletUrl'] = '${NOT_SET_ANYWHERE}';
    destination['events'] = { schemaId: '', datasetId: 'kept', flowId: '${UNSET:-}' };
    destination['tenant'] = '_acme';
  });
  const { loaded, missing } = await loadForProvision(file, { env: {} });
  expect(loaded.config.destinations[0]!.events.datasetId).toBe('kept');
  expect([...missing.get(0)!]).toEqual(['inletUrl', 'events.schemaId', 'events.flowId']);
});

it('misses nothing of a profile that the destination does not have', async () => {
  const { loaded, missing } = await loadForProvision(
    fileWith((destination) => {
      delete destination['profile'];
      destination['tenant'] = '_acme';
    }),
    { env: {} },
  );
  expect([loaded.config.destinations[0]!.profile, missing.get(0)!.size]).toEqual([undefined, 0]);
});

it('still refuses everything else', async () => {
  const file = fileWith((destination) => {
    delete destination['inletUrl'];
    destination['imsOrgId'] = 'nobody';
    destination['events'] = { schemaId: 'not an id', datasetId: 'x', flowId: 'y' };
  });
  await expect(loadForProvision(file, { env: {} })).rejects.toThrow(
    /2 problems[\s\S]*imsOrgId[\s\S]*events\.schemaId/,
  );
});

it.each(['capillary', 'adobe'] as const)(
  'does without the secrets of %s, and no others',
  async (otherSide) => {
    const file = fileWith((destination) => {
      destination['ims'] = { clientId: 'id', clientSecrets: ['${IMS_NOT_SET}'] };
    });
    const tree = parse(readFileSync(file, 'utf8')) as { sources: [Record<string, unknown>] };
    tree.sources[0]['verify'] = [{ type: 'header', name: 'X-Key', values: ['${KEY_NOT_SET}'] }];
    tree.sources[0]['api'] = {
      url: 'https://eu.api.capillarytech.com',
      key: '${API_NOT_SET}',
      secret: 's3cr3t',
    };
    writeFileSync(file, stringify(tree));
    const refused = await loadForProvision(file, { env: {}, otherSide }).then(
      () => '',
      (error: Error) => error.message,
    );
    const named = ['IMS_NOT_SET', 'KEY_NOT_SET', 'API_NOT_SET'].filter((name) => refused.includes(name));
    expect(named).toEqual(otherSide === 'adobe' ? ['KEY_NOT_SET', 'API_NOT_SET'] : ['IMS_NOT_SET']);
  },
);
