import { stringify } from 'yaml';
import { readFlowObject } from '../../adobe/platform/flow-service.ts';
import { readFullSchema } from '../../adobe/platform/schema-registry.ts';
import type { ConfigEdit } from '../../config/edit-config.ts';
import { PROVISIONED_KEYS, type ProvisionedKey } from '../../config/stand-ins.ts';
import type { SchemaFeatures } from '../../xdm/shape.ts';
import type { RecordClass } from '../../xdm/standard-groups.ts';
import { CONNECTION, connectionParams } from './connection-steps.ts';
import { recordOfFeature } from './foreign-schema.ts';
import { valueOf } from './provision-step.ts';
import { type DestinationSchemas, schemaFeaturesIn, schemaFeaturesOf } from './schema-features.ts';
import type { RegistryFacts } from './registry-lookup.ts';
import { recordsOf, type StepContext } from './step-context.ts';

/** A key of the destination, dotted, and its value; undefined while its object does not exist. */
export interface MissingValue {
  readonly key: string;
  readonly value: string | boolean | undefined;
}

/** What the configuration has to have, in addition to or in place of what it has. */
export interface ConfigCompletion {
  readonly values: readonly MissingValue[];
  /** What the sandbox has and the configuration does not use. */
  readonly hints: readonly string[];
}

/** The steps whose ids are values of the configuration. */
const STEP_OF: Readonly<Partial<Record<ProvisionedKey, string>>> = {
  'events.schemaId': 'schema:event',
  'events.datasetId': 'dataset:event',
  'events.flowId': 'flow:event',
  'profile.schemaId': 'schema:profile',
  'profile.datasetId': 'dataset:profile',
  'profile.flowId': 'flow:profile',
};

/** Only the connection itself shows its inlet. */
async function inletUrl({ client, ids }: StepContext): Promise<string | undefined> {
  const id = ids.get(CONNECTION);
  const connection = id === undefined ? undefined : valueOf(await readFlowObject(client, 'connections', id));
  return connection === undefined ? undefined : connectionParams(connection).inletUrl;
}

async function featuresOf(
  context: StepContext,
  facts: RegistryFacts,
  foreign: ReadonlySet<RecordClass>,
): Promise<SchemaFeatures> {
  const made = schemaFeaturesOf(await facts.groups());
  if (foreign.size === 0) return made;
  const schemas: { -readonly [K in keyof DestinationSchemas]: DestinationSchemas[K] } = {};
  for (const record of foreign) {
    const id = context.ids.get(`schema:${record}`);
    if (id !== undefined) schemas[record] = valueOf(await readFullSchema(context.client, id));
  }
  const existing = schemaFeaturesIn(schemas);
  const names = Object.keys(made) as (keyof SchemaFeatures)[];
  return Object.fromEntries(
    names.map((name) => [name, (foreign.has(recordOfFeature(name)) ? existing : made)[name]]),
  ) as unknown as SchemaFeatures;
}

function judgeFeatures(context: StepContext, features: SchemaFeatures): ConfigCompletion {
  const { destination, missing } = context;
  // Data Prep writes the records of raw payloads.
  if (destination.format === 'raw') return { values: [], hints: [] };
  // A complete configuration may leave fields out on purpose.
  const isFirst = [...missing].some((key) => key !== 'tenant');
  const relevant = (Object.keys(features) as (keyof SchemaFeatures)[]).filter(
    (name) =>
      recordsOf(context).includes(recordOfFeature(name)) &&
      features[name] !== destination.schemaFeatures[name],
  );
  const wrong = relevant.filter((name) => isFirst || !features[name]);
  return {
    values: wrong.map((name) => ({ key: `schemaFeatures.${name}`, value: features[name] })),
    hints: relevant
      .filter((name) => !wrong.includes(name))
      .map((name) => `the schema has the fields of \`schemaFeatures.${name}\`: set it to true to send them`),
  };
}

/**
 * What the configuration lacks: the ids of the objects, the tenant, and the features that the
 * schemas have.
 * @throws StepFailure
 */
export async function completeConfig(
  context: StepContext,
  facts: RegistryFacts,
  foreign: ReadonlySet<RecordClass>,
): Promise<ConfigCompletion> {
  const { missing, ids } = context;
  const usesTenant = recordsOf(context).some((record) => !foreign.has(record));
  const values: MissingValue[] = [];
  for (const key of PROVISIONED_KEYS) {
    if (!missing.has(key) || (key === 'tenant' && !usesTenant)) continue;
    const step = STEP_OF[key];
    if (step !== undefined) values.push({ key, value: ids.get(step) });
    else values.push({ key, value: key === 'tenant' ? await facts.tenant() : await inletUrl(context) });
  }
  const features = judgeFeatures(context, await featuresOf(context, facts, foreign));
  return { values: [...values, ...features.values], hints: features.hints };
}

/** The values as changes of the file. */
export function editsOf(values: readonly MissingValue[], index: number): ConfigEdit[] {
  return values.flatMap(({ key, value }) =>
    value === undefined ? [] : [{ path: ['destinations', index, ...key.split('.')], value }],
  );
}

/** The values as YAML, to be copied into the destination. */
export function fragmentOf(destination: string, values: readonly MissingValue[]): string {
  const tree: Record<string, unknown> = { name: destination };
  for (const { key, value } of values) {
    const [first = '', second] = key.split('.');
    if (second === undefined) tree[first] = value;
    else tree[first] = { ...(tree[first] as object | undefined), [second]: value };
  }
  return stringify({ destinations: [tree] }, { lineWidth: 0 }).trimEnd();
}
