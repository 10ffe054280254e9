import type { JsonObject, JsonValue } from '../../../capillary/json.ts';
import { isTenantFieldName } from '../../../xdm/shape.ts';
import { badRequest, type Checked, conflictAnswer, refuse, registryError } from './registry-errors.ts';
import type { Sandbox } from './sandbox.ts';
import { objectOf, pointed, resolveOwn, textOf } from './schema-merge.ts';

/** Every `$ref` anywhere in a value. */
function* allReferences(value: JsonValue): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === '$ref' && typeof inner === 'string') yield inner;
    else yield* allReferences(inner);
  }
}

function isOwnDefinition(ref: string, body: JsonObject): boolean {
  return ref.startsWith('#') && Object.keys(pointed(body, ref.slice(1))).length > 0;
}

function isCircular(part: JsonObject, body: JsonObject, open: readonly string[] = []): boolean {
  return [...allReferences(part)].some(
    (ref) => open.includes(ref) || isCircular(pointed(body, ref.slice(1)), body, [...open, ref]),
  );
}

/** The first fault of the fields below the tenant: their names and types. */
function fieldFault(schema: JsonObject, path: string): string | undefined {
  for (const [name, value] of Object.entries(objectOf(schema['properties']))) {
    const field = objectOf(value);
    const place = `${path}/${name}`;
    if (!isTenantFieldName(name)) {
      return `The name of ${place} may have letters, digits, - and _ and must not begin with _.`;
    }
    if (typeof field['type'] !== 'string') return `The field ${place} has no type.`;
    const fault = fieldFault(field, place) ?? fieldFault(objectOf(field['items']), `${place}/[]`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function classFault({ 'meta:intendedToExtend': classes }: JsonObject, sandbox: Sandbox): string | undefined {
  if (!Array.isArray(classes) || classes.length === 0) {
    return 'meta:intendedToExtend must list the classes that the field group is for.';
  }
  const unknown = classes.find((id) => !sandbox.library.classes.has(textOf(id)));
  return unknown === undefined
    ? undefined
    : `meta:intendedToExtend has an unknown class: ${JSON.stringify(unknown)}`;
}

/**
 * The fields of a field group of the tenant, resolved, or the refusal of its body
 * (docs/platforms/adobe.md#tenant-fields).
 *
 * @param tenant with its underscore
 */
export function checkFieldGroup(body: JsonObject, tenant: string, sandbox: Sandbox): Checked {
  const unknown = [...allReferences(body)].find((ref) => !isOwnDefinition(ref, body));
  if (unknown !== undefined) return refuse(badRequest(`The reference ${unknown} cannot be resolved.`));
  if (isCircular(body, body)) return refuse(badRequest('A reference leads to itself.'));
  const wrongClass = classFault(body, sandbox);
  if (wrongClass !== undefined) return refuse(badRequest(wrongClass));
  let resolved: JsonObject;
  try {
    resolved = resolveOwn(body);
  } catch (error) {
    return refuse(conflictAnswer(error));
  }
  const properties = objectOf(resolved['properties']);
  const names = Object.keys(properties);
  if (names.some((name) => name !== tenant)) {
    const detail = `A custom field is defined under an invalid namespace. All custom fields must be defined under a top-level field named ${tenant}.`;
    return refuse(registryError('XDM-1021-400', detail));
  }
  const fault = fieldFault(objectOf(properties[tenant]), `/${tenant}`);
  return fault === undefined ? { ok: true, value: resolved } : refuse(badRequest(fault));
}
