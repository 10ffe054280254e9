import { readFullSchema } from '../../adobe/platform/schema-registry.ts';
import type { SchemaFeatures } from '../../xdm/shape.ts';
import { type RecordClass, STANDARD_GROUPS } from '../../xdm/standard-groups.ts';
import { type Difference, valueOf } from './provision-step.ts';
import { listed } from './registry-lookup.ts';
import { schemaFeaturesIn } from './schema-features.ts';
import { configuredFields, type SchemaNeed, schemaNeeds } from './schema-needs.ts';
import type { StepContext } from './step-context.ts';

/** The record whose schema has what a feature is about. */
export function recordOfFeature(feature: keyof SchemaFeatures): RecordClass {
  const group = STANDARD_GROUPS.find((candidate) => candidate.feature === feature);
  return group?.classes[0] ?? 'profile';
}

/** Features that the schema lacks are turned off in the configuration, so they are no need. */
function usableFeatures(
  configured: SchemaFeatures,
  existing: SchemaFeatures,
  record: RecordClass,
): SchemaFeatures {
  const names = Object.keys(configured) as (keyof SchemaFeatures)[];
  return Object.fromEntries(
    names.map((name) => [name, configured[name] && (recordOfFeature(name) !== record || existing[name])]),
  ) as unknown as SchemaFeatures;
}

function describeNeeds(title: string, needs: readonly SchemaNeed[]): Difference {
  const missing = needs.filter(({ kind }) => kind === 'missing').map(({ path }) => path);
  const others = needs
    .filter(({ kind }) => kind === 'type')
    .map(({ path, expected, found }) => `${path} is ${found}, not ${expected}`);
  const texts = [...(missing.length === 0 ? [] : [`it lacks ${listed(missing)} (${title})`]), ...others];
  return {
    what: texts.join('; '),
    fix: `add ${title} to the schema in AEP; \`provision verify\` names each field, and what else is possible`,
  };
}

/**
 * What a schema that somebody else has made lacks: such a schema may have its fields from any field
 * groups, so it is compared field by field.
 * @param id `$id`
 * @throws StepFailure
 */
export async function foreignDifferences(
  { client, destination, sources, missing }: StepContext,
  record: RecordClass,
  id: string,
): Promise<Difference[]> {
  const schema = destination.format === 'raw' ? undefined : valueOf(await readFullSchema(client, id));
  if (schema === undefined) return [];
  const { name, tenant } = destination;
  const writing = {
    name,
    tenant: missing.has('tenant') ? undefined : tenant,
    schemaFeatures: usableFeatures(
      destination.schemaFeatures,
      schemaFeaturesIn({ [record]: schema }),
      record,
    ),
  };
  const needs = schemaNeeds(record, schema, writing, configuredFields(writing, sources)).filter(
    ({ kind, isPossible = false }) => kind !== 'required' && !isPossible,
  );
  const byGroup = Map.groupBy(needs, ({ group }) => group.title);
  return [...byGroup].map(([title, ofGroup]) => describeNeeds(title, ofGroup));
}
