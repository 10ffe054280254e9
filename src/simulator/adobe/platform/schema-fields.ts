import type { JsonObject } from '../../../capillary/json.ts';
import { XDM_CLASSES } from '../../../xdm/standard-groups.ts';
import { acceptedObject } from './accepted-schema.ts';
import type { Sandbox, SchemaFields, TwinResource } from './sandbox.ts';
import {
  fieldsOnly,
  mergeSchemas,
  objectOf,
  referencesOf,
  requiredOf,
  resolveOwn,
  textOf,
} from './schema-merge.ts';

/** A class or a field group, of Adobe or of the tenant. */
export function findPart(sandbox: Sandbox, id: string): TwinResource | undefined {
  const { classes, fieldGroups } = sandbox.library;
  return classes.get(id) ?? fieldGroups.get(id) ?? sandbox.fieldGroups.get(id);
}

/** The `$id` of the class among the references of a schema. */
export function classOf(sandbox: Sandbox, body: JsonObject): string | undefined {
  return referencesOf(body).find((id) => sandbox.library.classes.has(id));
}

/**
 * The fields of a schema with those of its class and field groups.
 *
 * @throws SchemaConflictError
 */
export function resolveSchema(sandbox: Sandbox, body: JsonObject): JsonObject {
  return referencesOf(body)
    .map((id) => findPart(sandbox, id))
    .filter((part) => part !== undefined)
    .map((part) => fieldsOnly(resolveOwn(part.body)))
    .reduce((all, part) => mergeSchemas(all, part), fieldsOnly(resolveOwn(body)));
}

export function hasUnionTag({ 'meta:immutableTags': tags }: JsonObject): boolean {
  return Array.isArray(tags) && tags.includes('union');
}

export function identityDescriptorsOf(sandbox: Sandbox, schemaId: string): JsonObject[] {
  return [...sandbox.descriptors.values()].filter(
    (descriptor) =>
      descriptor['@type'] === 'xdm:descriptorIdentity' && descriptor['xdm:sourceSchema'] === schemaId,
  );
}

/** Marks every field on a path as required. */
function requirePath(schema: JsonObject, [name, ...rest]: readonly string[]): JsonObject {
  if (name === undefined) return schema;
  const properties = objectOf(schema['properties']);
  return {
    ...schema,
    required: [...new Set([...requiredOf(schema), name])],
    properties: { ...properties, [name]: requirePath(objectOf(properties[name]), rest) },
  };
}

/**
 * The primary identity field is mandatory in each record
 * (docs/platforms/adobe.md#tenant-fields).
 */
function withPrimaryFields(sandbox: Sandbox, schemaId: string, schema: JsonObject): JsonObject {
  return identityDescriptorsOf(sandbox, schemaId)
    .filter((descriptor) => descriptor['xdm:isPrimary'] === true)
    .map((descriptor) => textOf(descriptor['xdm:sourceProperty']).split('/').slice(1))
    .reduce(requirePath, schema);
}

interface KnownFields {
  readonly revision: number;
  readonly fields: SchemaFields;
}

/** Each record is validated, but schemas change rarely. */
const known = new WeakMap<TwinResource, KnownFields>();

/**
 * What records of a schema of the tenant may have: fields of its class, of Adobe's groups and of
 * the tenant's, with their types.
 *
 * @returns undefined if the sandbox has no such schema
 */
export function schemaFields(sandbox: Sandbox, schemaId: string): SchemaFields | undefined {
  const schema = sandbox.schemas.get(schemaId);
  if (schema === undefined) return undefined;
  const { registryRevision: revision } = sandbox;
  const earlier = known.get(schema);
  if (earlier?.revision === revision) return earlier.fields;
  const resolved = withPrimaryFields(sandbox, schemaId, resolveSchema(sandbox, schema.body));
  const fields: SchemaFields = {
    kind: classOf(sandbox, schema.body) === XDM_CLASSES.event ? 'event' : 'profile',
    accepted: acceptedObject(resolved),
    isUnion: hasUnionTag(schema.body),
  };
  known.set(schema, { revision, fields });
  return fields;
}
