import {
  createDataset,
  type Dataset,
  type DatasetTag,
  findDatasets,
  changeDataset,
  readDataset,
} from '../../adobe/platform/catalog.ts';
import type { JsonObject } from '../../capillary/json.ts';
import type { RecordClass } from '../../xdm/standard-groups.ts';
import { recordName } from './object-names.ts';
import { makeAnother } from './provision-stop.ts';
import { type Difference, type Step, valueOf } from './provision-step.ts';
import {
  type ConfiguredId,
  configuredId,
  isLocated,
  type Located,
  locate,
  type StepContext,
} from './step-context.ts';

/** A dataset that the destination needs. */
interface DatasetNeed {
  readonly key: string;
  readonly name: string;
  readonly configured: ConfiguredId | undefined;
  /** The key of the step of its schema. */
  readonly schema: string;
  readonly enabled: readonly DatasetTag[];
  /** With this tag, what it is for would not work. */
  readonly forbidden?: { readonly tag: DatasetTag; readonly why: string };
}

const TAG_TEXTS: Readonly<Record<DatasetTag, string>> = {
  unifiedProfile: 'for Profile',
  unifiedIdentity: 'for identities',
};

function changeOf({ client }: StepContext, dataset: Dataset, fields: JsonObject) {
  return async (): Promise<void> => {
    valueOf(await changeDataset(client, dataset, fields));
  };
}

function tagDifferences(
  context: StepContext,
  { object, isOurs }: Located<Dataset>,
  { enabled }: DatasetNeed,
): Difference[] {
  const missing = enabled.filter((tag) => !object.enabled.has(tag));
  if (missing.length === 0) return [];
  const what = `it is not enabled ${missing.map((tag) => TAG_TEXTS[tag]).join(' and ')}`;
  const tags = Object.fromEntries(missing.map((tag) => [tag, ['enabled:true']]));
  return isOurs
    ? [{ what, change: changeOf(context, object, { tags }) }]
    : [{ what, fix: 'enable the dataset for Profile in AEP, which enables both' }];
}

function forbiddenDifferences({ object }: Located<Dataset>, { forbidden }: DatasetNeed): Difference[] {
  if (forbidden === undefined || !object.enabled.has(forbidden.tag)) return [];
  const what = `it is enabled ${TAG_TEXTS[forbidden.tag]}: ${forbidden.why}`;
  return [
    { what, fix: 'use another dataset, which is not: an enabled one cannot be used for this any more' },
  ];
}

function nameDifferences(
  context: StepContext,
  { object, isOurs }: Located<Dataset>,
  { name }: DatasetNeed,
): Difference[] {
  if (!isOurs || object.name === name) return [];
  const what = `it has been renamed to ${object.name}, without the marker by which it is found`;
  return [{ what, change: changeOf(context, object, { name }) }];
}

function datasetStep(context: StepContext, need: DatasetNeed): Step {
  const { client, ids } = context;
  const { key, name, configured, schema, enabled } = need;
  return {
    key,
    kind: 'dataset',
    name,
    look: async () => {
      const located = await locate(context, {
        key,
        what: 'dataset',
        configured,
        read: (id) => readDataset(client, id),
        find: async () => valueOf(await findDatasets(client, name))[0],
      });
      if (!isLocated(located)) return located;
      const { object, isOurs } = located;
      const schemaId = ids.get(schema);
      if (schemaId !== undefined && object.schemaId !== schemaId) {
        const fix =
          configured === undefined
            ? makeAnother('the dataset', key)
            : `correct ${configured.key} or the schemaId beside it, or remove both`;
        return {
          state: 'blocked',
          what: `the dataset ${object.id} has the schema ${object.schemaId ?? 'none'}`,
          fix,
        };
      }
      const differences = [
        ...tagDifferences(context, located, need),
        ...forbiddenDifferences(located, need),
        ...nameDifferences(context, located, need),
      ];
      return { state: 'found', id: object.id, name: object.name, isOurs, differences };
    },
    make: async () => {
      const schemaId = ids.get(schema) ?? '';
      const description = 'Written by capillary-aep-relay';
      return valueOf(await createDataset(client, { name, description, schemaId, enabled }));
    },
  };
}

/** The dataset of one record, enabled for Profile and identities. */
export function recordDatasetStep(context: StepContext, record: RecordClass): Step {
  return datasetStep(context, {
    key: `dataset:${record}`,
    name: recordName(record, context.destination.name),
    configured: configuredId(context, record, 'datasetId'),
    schema: `schema:${record}`,
    enabled: ['unifiedProfile', 'unifiedIdentity'],
  });
}

/**
 * The dataset for the identities that upserts of raw payloads link: with the schema of the profile
 * records and not enabled for Profile. It is used only if the configuration names it.
 * Source: docs/platforms/adobe.md#upserts
 */
export function identityDatasetStep(context: StepContext, id: string): Step {
  return datasetStep(context, {
    key: 'dataset:identity',
    name: 'identities of profile records',
    configured: { id, key: 'profile.identityDatasetId' },
    schema: 'schema:profile',
    enabled: ['unifiedIdentity'],
    forbidden: { tag: 'unifiedProfile', why: 'each upsert would replace the profile' },
  });
}
