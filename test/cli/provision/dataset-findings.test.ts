import { expect, it } from 'vitest';
import type { Dataset } from '../../../src/adobe/platform/catalog.ts';
import { datasetFindings, expectedDatasets } from '../../../src/cli/provision/verify/dataset-findings.ts';
import { problems } from './verify-rig.ts';

const LINKED = { key: 'profile.identityDatasetId', id: 'd-3', schemaId: 's-2', isForProfile: false };

function dataset(...enabled: readonly ('unifiedProfile' | 'unifiedIdentity')[]): Dataset {
  return {
    id: 'd-3',
    name: 'Links',
    schemaId: 's-2',
    enabled: new Set(enabled),
    tags: {},
    profileExpiryMs: undefined,
    createdAt: 0,
    version: '1.0.1',
  };
}

it('the dataset of linked identities has the profile schema and is for identities only', () => {
  const flow = { schemaId: 's-1', datasetId: 'd-1', flowId: 'f-1' };
  const profile = { schemaId: 's-2', datasetId: 'd-2', flowId: 'f-2', write: 'assemble' as const };
  const expected = expectedDatasets({ events: flow, profile: { ...profile, identityDatasetId: 'd-3' } });
  expect(expected.map(({ key }) => key)).toEqual([
    'events.datasetId',
    'profile.datasetId',
    'profile.identityDatasetId',
  ]);
  expect(expected[2]).toEqual(LINKED);
  expect(problems(datasetFindings('main', LINKED, dataset('unifiedIdentity')))).toEqual([]);
});

it('a dataset of linked identities that is enabled for Profile overwrites profiles', () => {
  const found = datasetFindings('main', LINKED, dataset('unifiedProfile', 'unifiedIdentity'));
  expect(problems(found)).toEqual([
    expect.stringContaining('is enabled for Profile, so upserts overwrite whole profiles'),
  ]);
});

it('a dataset whose identities are not linked fails', () => {
  expect(problems(datasetFindings('main', LINKED, dataset()))).toEqual([
    expect.stringContaining('Links is not enabled for the identity graph'),
  ]);
});
