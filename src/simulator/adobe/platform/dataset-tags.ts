import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import { badRequest, type Checked, refuse } from './registry-errors.ts';
import type { Sandbox, TwinDataset } from './sandbox.ts';
import { hasUnionTag, identityDescriptorsOf, resolveSchema } from './schema-fields.ts';
import { objectOf } from './schema-merge.ts';

export type DatasetTags = TwinDataset['tags'];

function isEnabled(values: readonly string[] | undefined): boolean {
  return values?.some((value) => /^enabled:\s*true$/.test(value)) === true;
}

/** Whether Profile and Identity Service take what is ingested (docs/platforms/adobe.md#catalog). */
export function datasetUses({ tags }: { readonly tags: DatasetTags }): {
  readonly profile: boolean;
  readonly identity: boolean;
} {
  return { profile: isEnabled(tags['unifiedProfile']), identity: isEnabled(tags['unifiedIdentity']) };
}

function readTags(value: JsonValue | undefined): Checked<DatasetTags> {
  const tags: Record<string, readonly string[]> = {};
  for (const [name, values] of Object.entries(isJsonObject(value) ? value : {})) {
    if (!Array.isArray(values) || !values.every((item) => typeof item === 'string')) {
      return refuse(badRequest(`The tag ${name} must be a list of strings.`));
    }
    tags[name] = values;
  }
  return value === undefined || isJsonObject(value)
    ? { ok: true, value: tags }
    : refuse(badRequest('tags must be an object.'));
}

/** The tags of a dataset, if its schema can be used so. */
export function checkTags(
  value: JsonValue | undefined,
  schema: { readonly id: string; readonly body: JsonObject },
  sandbox: Sandbox,
): Checked<DatasetTags> {
  const tags = readTags(value);
  if (!tags.ok) return tags;
  const uses = datasetUses({ tags: tags.value });
  if (uses.profile && !hasUnionTag(schema.body)) {
    return refuse(badRequest('To enable profile datasets the schema should be valid'));
  }
  const { properties } = resolveSchema(sandbox, schema.body);
  const hasIdentity =
    objectOf(properties)['identityMap'] !== undefined || identityDescriptorsOf(sandbox, schema.id).length > 0;
  if (uses.identity && !hasIdentity) {
    return refuse(badRequest('To enable identity datasets the schema should have an identity'));
  }
  return tags;
}
