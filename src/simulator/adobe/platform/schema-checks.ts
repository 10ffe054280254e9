import type { JsonObject } from '../../../capillary/json.ts';
import { badRequest, type Checked, conflictAnswer, refuse, registryError } from './registry-errors.ts';
import type { Sandbox } from './sandbox.ts';
import { classOf, findPart, hasUnionTag, identityDescriptorsOf, resolveSchema } from './schema-fields.ts';
import { mergeSchemas, objectOf, referencesOf } from './schema-merge.ts';

/** A schema has one class, and field groups that are made for it. */
function referenceFault(body: JsonObject, sandbox: Sandbox): string | undefined {
  const references = referencesOf(body);
  const parts = Array.isArray(body['allOf']) ? body['allOf'] : [];
  if (references.length < parts.length) return 'Each member of allOf must have a $ref.';
  const unknown = references.find((id) => findPart(sandbox, id) === undefined);
  if (unknown !== undefined) return `The reference ${unknown} cannot be resolved.`;
  const classes = references.filter((id) => sandbox.library.classes.has(id));
  const [schemaClass] = classes;
  if (schemaClass === undefined || classes.length > 1) {
    return 'allOf must refer to exactly one class, and to any number of field groups.';
  }
  const misplaced = references.find((id) => {
    const classesOfGroup = findPart(sandbox, id)?.body['meta:intendedToExtend'];
    const isAny = !Array.isArray(classesOfGroup) || classesOfGroup.length === 0;
    return !isAny && !classesOfGroup.includes(schemaClass);
  });
  return misplaced === undefined
    ? undefined
    : `The field group ${misplaced} is not compatible with the class ${schemaClass} (meta:intendedToExtend).`;
}

/**
 * Every schema with the tag is part of the union of its class, so their fields must fit together,
 * and each needs an identity (docs/platforms/adobe.md#union-schemas).
 */
function checkUnion(
  schemaId: string | undefined,
  body: JsonObject,
  resolved: JsonObject,
  sandbox: Sandbox,
): Checked {
  const descriptors = schemaId === undefined ? [] : identityDescriptorsOf(sandbox, schemaId);
  const hasIdentity =
    objectOf(resolved['properties'])['identityMap'] !== undefined ||
    descriptors.some((descriptor) => descriptor['xdm:isPrimary'] === true);
  if (!hasIdentity) {
    const detail =
      'To participate in a union, a schema must include an identityMap fieldgroup or a primary identity descriptor.';
    return refuse(registryError('XDM-1528-400', detail));
  }
  const schemaClass = classOf(sandbox, body);
  const others = [...sandbox.schemas.values()].filter(
    (other) =>
      other.id !== schemaId && hasUnionTag(other.body) && classOf(sandbox, other.body) === schemaClass,
  );
  others
    .map((other) => resolveSchema(sandbox, other.body))
    .reduce((all, other) => mergeSchemas(all, other), resolved);
  return { ok: true, value: resolved };
}

/**
 * The fields of a schema, resolved, or the refusal of its body.
 *
 * @param schemaId undefined for a new one
 */
export function checkSchema(schemaId: string | undefined, body: JsonObject, sandbox: Sandbox): Checked {
  const fault = referenceFault(body, sandbox);
  if (fault !== undefined) return refuse(badRequest(fault));
  try {
    const resolved = resolveSchema(sandbox, body);
    const own = Object.keys(objectOf(body['properties']));
    if (own.length > 0) {
      return refuse(badRequest('Fields are defined in field groups, not in the schema itself.'));
    }
    return hasUnionTag(body) ? checkUnion(schemaId, body, resolved, sandbox) : { ok: true, value: resolved };
  } catch (error) {
    return refuse(conflictAnswer(error));
  }
}
