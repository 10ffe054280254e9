import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
  const { loaded, missing } = await loadForProvision(file, {});
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
  const { loaded, missing } = await loadForProvision(file, {});
  expect(loaded.config.destinations[0]!.events.datasetId).toBe('kept');
  expect([...missing.get(0)!]).toEqual(['inletUrl', 'events.schemaId', 'events.flowId']);
});

it('misses nothing of a profile that the destination does not have', async () => {
  const { loaded, missing } = await loadForProvision(
    fileWith((destination) => {
      delete destination['profile'];
      destination['tenant'] = '_acme';
    }),
    {},
  );
  expect([loaded.config.destinations[0]!.profile, missing.get(0)!.size]).toEqual([undefined, 0]);
});

it('still refuses everything else', async () => {
  const file = fileWith((destination) => {
    delete destination['inletUrl'];
    destination['imsOrgId'] = 'nobody';
    destination['events'] = { schemaId: 'not an id', datasetId: 'x', flowId: 'y' };
  });
  await expect(loadForProvision(file, {})).rejects.toThrow(
    /2 problems[\s\S]*imsOrgId[\s\S]*events\.schemaId/,
  );
});
