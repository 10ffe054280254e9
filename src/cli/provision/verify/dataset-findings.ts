import type { Dataset } from '../../../adobe/platform/catalog.ts';
import type { DestinationConfig } from '../../../config/config-schema.ts';
import { type Finding, fail, ok } from '../../doctor/finding.ts';
import { checkName } from './platform-reading.ts';

/** What a dataset of the destination has to be. */
export interface ExpectedDataset {
  /** The key of the configuration that has its id, such as `events.datasetId`. */
  readonly key: string;
  readonly id: string;
  readonly schemaId: string;
  /** The dataset of linked identities must not be enabled for Profile. */
  readonly isForProfile: boolean;
}

function mainDataset(key: string, { datasetId, schemaId }: DestinationConfig['events']): ExpectedDataset {
  return { key, id: datasetId, schemaId, isForProfile: true };
}

/** The datasets that the configuration names. */
export function expectedDatasets({
  events,
  profile,
}: Pick<DestinationConfig, 'events' | 'profile'>): readonly ExpectedDataset[] {
  const linked = profile?.identityDatasetId;
  return [
    mainDataset('events.datasetId', events),
    ...(profile === undefined ? [] : [mainDataset('profile.datasetId', profile)]),
    ...(profile === undefined || linked === undefined
      ? []
      : [
          {
            key: 'profile.identityDatasetId',
            id: linked,
            schemaId: profile.schemaId,
            isForProfile: false,
          },
        ]),
  ];
}

const TAG_FIX =
  'enable it in AEP under Datasets, or run capillary-relay provision apply for a dataset that it has made; what was sent before is not added afterwards';

/** Whether a dataset exists, has the schema, and is read by Profile and the identity graph. */
export function datasetFindings(
  destination: string,
  expected: ExpectedDataset,
  dataset: Dataset | undefined,
): Finding[] {
  const { key, id, schemaId, isForProfile } = expected;
  const check = checkName('dataset', destination);
  if (dataset === undefined)
    return [
      fail(
        check,
        `${key}: the sandbox has no dataset ${id}`,
        `copy the id of the dataset from AEP, or remove ${key} and run capillary-relay provision apply`,
      ),
    ];
  const name = `${key}: ${dataset.name}`;
  const { enabled } = dataset;
  const problems = [
    ...(dataset.schemaId === schemaId
      ? []
      : [
          fail(
            check,
            `${name} belongs to the schema ${dataset.schemaId ?? 'of no id'}, not to ${schemaId}: its records are refused`,
            `use a dataset of that schema, or correct ${key.replace(/\w+$/, 'schemaId')}`,
          ),
        ]),
    ...(enabled.has('unifiedProfile') || !isForProfile
      ? []
      : [fail(check, `${name} is not enabled for Profile: its records stay in the data lake`, TAG_FIX)]),
    ...(enabled.has('unifiedProfile') && !isForProfile
      ? [
          fail(
            check,
            `${name} is enabled for Profile, so upserts overwrite whole profiles (docs/platforms/adobe.md, Upserts)`,
            'use a dataset with the tag unifiedIdentity only',
          ),
        ]
      : []),
    ...(enabled.has('unifiedIdentity')
      ? []
      : [
          fail(
            check,
            `${name} is not enabled for the identity graph: identities of its records are not linked`,
            TAG_FIX,
          ),
        ]),
  ];
  return problems.length > 0 ? problems : [ok(check, `${name}: exists and is enabled`)];
}
