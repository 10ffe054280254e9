import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import { createResource } from '../../adobe/platform/schema-registry.ts';
import type { PatchOperation } from '../../adobe/platform/typed-answer.ts';
import { type RecordClass, CLASS_TITLES, STANDARD_GROUPS, XDM_CLASSES } from '../../xdm/standard-groups.ts';
import { TENANT_GROUP_TITLES } from '../../xdm/tenant-field-groups.ts';
import { foreignDifferences } from './foreign-schema.ts';
import { recordName } from './object-names.ts';
import { type Difference, type Looked, type Step, valueOf } from './provision-step.ts';
import {
  changeOf,
  listed,
  locateResource,
  type NamedResource,
  type RegistryFacts,
} from './registry-lookup.ts';
import { configuredId, idKey, isLocated, type Located, type StepContext } from './step-context.ts';

function referencesOf(body: JsonObject): string[] {
  const parts: JsonValue[] = Array.isArray(body['allOf']) ? body['allOf'] : [];
  return parts.flatMap((part) =>
    isJsonObject(part) && typeof part['$ref'] === 'string' ? part['$ref'] : [],
  );
}

function isUnion(body: JsonObject): boolean {
  const tags = body['meta:immutableTags'];
  return Array.isArray(tags) && tags.includes('union');
}

function withoutClass(record: RecordClass, schemaId: string): Looked {
  const key = idKey(record, 'schemaId');
  return {
    state: 'blocked',
    what: `${key}: the schema ${schemaId} is not of the class ${CLASS_TITLES[record]}`,
    fix: `correct ${key}, or remove it: then a schema is made`,
  };
}

/** The schema of one record, enabled for Profile, with every field group that the sandbox has. */
export function schemaStep(context: StepContext, record: RecordClass, facts: RegistryFacts): Step {
  const { destination, client, ids } = context;
  const key = `schema:${record}`;
  const title = recordName(record, destination.name);
  const configured = configuredId(context, record, 'schemaId');

  const groupIds = async (): Promise<{ readonly id: string; readonly title: string }[]> => {
    const { ids: available } = await facts.groups();
    const own = ids.get(`group:${record}`);
    return [
      ...STANDARD_GROUPS.filter((group) => group.classes.includes(record) && available.has(group.id)),
      ...(own === undefined ? [] : [{ id: own, title: TENANT_GROUP_TITLES[record] }]),
    ];
  };

  const groupDifferences = async ({ object, isOurs }: Located<NamedResource>): Promise<Difference[]> => {
    if (!isOurs) return foreignDifferences(context, record, object.id);
    const references = referencesOf(object.body);
    const missing = (await groupIds()).filter((group) => !references.includes(group.id));
    if (missing.length === 0) return [];
    const operations = missing.map(
      (group) => ({ op: 'add', path: '/allOf/-', value: { $ref: group.id } }) as const,
    );
    const what = `it lacks the field group ${listed(missing.map((group) => group.title))}`;
    return [{ what, change: changeOf(context, 'schemas', object, operations) }];
  };

  const unionDifferences = ({ object, isOurs }: Located<NamedResource>): Difference[] => {
    if (isUnion(object.body)) return [];
    const what = 'it is not enabled for Profile (tag union)';
    const tags = object.body['meta:immutableTags'];
    const operation: PatchOperation = {
      op: 'add',
      path: '/meta:immutableTags',
      value: [...(Array.isArray(tags) ? tags : []), 'union'],
    };
    return isOurs
      ? [{ what, change: changeOf(context, 'schemas', object, [operation]) }]
      : [{ what, fix: 'enable the schema for Profile in AEP; that cannot be undone' }];
  };

  return {
    key,
    kind: 'schema',
    name: title,
    look: async () => {
      const located = await locateResource(context, 'schemas', { key, title, configured });
      if (!isLocated(located)) return located;
      const { object, isOurs } = located;
      if (!referencesOf(object.body).includes(XDM_CLASSES[record])) return withoutClass(record, object.id);
      const differences = [...(await groupDifferences(located)), ...unionDifferences(located)];
      return { state: 'found', id: object.id, name: object.title, isOurs, differences };
    },
    make: async () => {
      const references = [XDM_CLASSES[record], ...(await groupIds()).map((group) => group.id)];
      const body = {
        type: 'object',
        title,
        description: `What capillary-aep-relay writes for the destination ${destination.name}`,
        'meta:immutableTags': ['union'],
        allOf: references.map(($ref) => ({ $ref })),
      };
      return valueOf(await createResource(client, 'schemas', body));
    },
  };
}

/** Whether a schema of the configuration has been made by somebody else. Throws a StepFailure. */
export async function isForeignSchema(context: StepContext, record: RecordClass): Promise<boolean> {
  const configured = configuredId(context, record, 'schemaId');
  if (configured === undefined) return false;
  const key = `schema:${record}`;
  const located = await locateResource(context, 'schemas', { key, title: '', configured });
  return isLocated(located) && !located.isOurs;
}
