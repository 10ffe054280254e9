import { randomBytes } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../../capillary/json.ts';
import { altIdOf } from './adobe-library.ts';
import { breakingChange } from './breaking-change.ts';
import { checkFieldGroup } from './field-group-checks.ts';
import type { PlatformCall } from './platform-route.ts';
import { badRequest, type Checked, refuse, registryError } from './registry-errors.ts';
import { RESOURCE_TYPES } from './registry-views.ts';
import type { Sandbox, TwinResource } from './sandbox.ts';
import { checkSchema } from './schema-checks.ts';
import { hasUnionTag, resolveSchema } from './schema-fields.ts';
import { fieldsOnly, referencesOf, resolveOwn } from './schema-merge.ts';

/** What the tenant can write. */
export type WritableKind = 'fieldgroups' | 'schemas';

/** What only the registry sets: ignored in a body, so that an answer can be sent back. */
const READ_ONLY = [
  '$id',
  'version',
  'imsOrg',
  'meta:altId',
  'meta:class',
  'meta:containerId',
  'meta:extends',
  'meta:registryMetadata',
  'meta:resourceType',
  'meta:xdmType',
];

export function resourcesOf(sandbox: Sandbox, kind: WritableKind): Map<string, TwinResource> {
  return kind === 'schemas' ? sandbox.schemas : sandbox.fieldGroups;
}

function schemasUsing(sandbox: Sandbox, { id }: TwinResource): TwinResource[] {
  return [...sandbox.schemas.values()].filter(({ body }) => referencesOf(body).includes(id));
}

function isSchemaInUse(sandbox: Sandbox, schema: TwinResource): boolean {
  const hasDataset = [...sandbox.datasets.values()].some(({ schemaId }) => schemaId === schema.id);
  return hasDataset || hasUnionTag(schema.body);
}

/** Whether only additions are possible (docs/platforms/adobe.md#schema-evolution). */
function isInUse(sandbox: Sandbox, kind: WritableKind, resource: TwinResource): boolean {
  if (kind === 'schemas') return isSchemaInUse(sandbox, resource);
  return schemasUsing(sandbox, resource).some((schema) => isSchemaInUse(sandbox, schema));
}

/** Titles are unique over schemas and field groups together. */
function titleFault(body: JsonObject, own: TwinResource | undefined, sandbox: Sandbox): Checked | undefined {
  const { title } = body;
  if (typeof title !== 'string' || title.trim() === '') return refuse(badRequest('title is required.'));
  const all = [...sandbox.schemas.values(), ...sandbox.fieldGroups.values()];
  const other = all.find((resource) => resource.id !== own?.id && resource.body['title'] === title);
  if (other === undefined) return undefined;
  const detail = `Object titles must be unique. An object ${other.id} already exists with the same title`;
  return refuse(registryError('XDM-1521-400', detail));
}

/** The body without what the registry sets, if it is valid. */
function checkBody(call: PlatformCall, kind: WritableKind, given: unknown, own?: TwinResource): Checked {
  if (!isJsonObject(given)) return refuse(badRequest('The body must be a JSON object.'));
  const entries = Object.entries(given).filter(([key]) => !READ_ONLY.includes(key));
  const body: JsonObject = { type: 'object', ...Object.fromEntries(entries) };
  if (body['type'] !== 'object') return refuse(badRequest('type must be object.'));
  const fault = titleFault(body, own, call.sandbox);
  if (fault) return fault;
  const tenant = `_${call.state.platform.settings.tenantId}`;
  const checked =
    kind === 'schemas'
      ? checkSchema(own?.id, body, call.sandbox)
      : checkFieldGroup(body, tenant, call.sandbox);
  return checked.ok ? { ok: true, value: body } : checked;
}

export function createResource(call: PlatformCall, kind: WritableKind): Checked<TwinResource> {
  const checked = checkBody(call, kind, call.body);
  if (!checked.ok) return checked;
  const { tenantId } = call.state.platform.settings;
  const id = `https://ns.adobe.com/${tenantId}/${RESOURCE_TYPES[kind]}/${randomBytes(24).toString('hex')}`;
  const resource: TwinResource = {
    id,
    altId: altIdOf(id),
    version: '1.0',
    body: checked.value,
    createdAt: call.now,
    updatedAt: call.now,
  };
  resourcesOf(call.sandbox, kind).set(id, resource);
  call.sandbox.registryRevision += 1;
  return { ok: true, value: resource };
}

function resolvedOf(sandbox: Sandbox, kind: WritableKind, body: JsonObject): JsonObject {
  return kind === 'schemas' ? resolveSchema(sandbox, body) : fieldsOnly(resolveOwn(body));
}

/** Whether the schemas that refer to a field group are still valid with its new body. */
function dependentFault(sandbox: Sandbox, group: TwinResource, body: JsonObject): Checked | undefined {
  const before = group.body;
  group.body = body;
  try {
    return schemasUsing(sandbox, group)
      .map((schema) => checkSchema(schema.id, schema.body, sandbox))
      .find((checked) => !checked.ok);
  } finally {
    group.body = before;
  }
}

/** `1.9` → `1.10`. */
function nextVersion(version: string): string {
  const [major = '1', minor = '0'] = version.split('.');
  return `${major}.${Number(minor) + 1}`;
}

/** Replaces the body of a resource, as PUT and PATCH do. The tag `union` is never removed. */
export function changeResource(
  call: PlatformCall,
  kind: WritableKind,
  resource: TwinResource,
  given: unknown,
): Checked<TwinResource> {
  const { sandbox } = call;
  const checked = checkBody(call, kind, given, resource);
  if (!checked.ok) return checked;
  const body = checked.value;
  if (hasUnionTag(resource.body) && !hasUnionTag(body)) {
    return refuse(badRequest('The tag union of meta:immutableTags cannot be removed.'));
  }
  if (isInUse(sandbox, kind, resource)) {
    const before = resolvedOf(sandbox, kind, resource.body);
    const reason = breakingChange(before, resolvedOf(sandbox, kind, body));
    if (reason !== undefined) {
      return refuse(badRequest(`The resource is in use, so only additions are possible: ${reason}.`));
    }
  }
  const fault = kind === 'fieldgroups' ? dependentFault(sandbox, resource, body) : undefined;
  if (fault && !fault.ok) return fault;
  resource.body = body;
  resource.version = nextVersion(resource.version);
  resource.updatedAt = call.now;
  sandbox.registryRevision += 1;
  return { ok: true, value: resource };
}

/** Undefined if the resource was removed. */
export function removeResource(
  { sandbox }: PlatformCall,
  kind: WritableKind,
  resource: TwinResource,
): string | undefined {
  const isUsed =
    kind === 'schemas' ? isSchemaInUse(sandbox, resource) : schemasUsing(sandbox, resource).length > 0;
  if (isUsed) return `The resource ${resource.id} is in use.`;
  resourcesOf(sandbox, kind).delete(resource.id);
  sandbox.registryRevision += 1;
  return undefined;
}
