import { randomBytes } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import { noContent } from './platform-errors.ts';
import type { PlatformCall, PlatformRoute } from './platform-route.ts';
import { descriptorForm } from './registry-views.ts';
import { badRequest, registryError } from './registry-errors.ts';
import type { Sandbox } from './sandbox.ts';
import { identityDescriptorsOf, resolveSchema } from './schema-fields.ts';
import { objectOf, textOf } from './schema-merge.ts';

const PATH = '/data/foundation/schemaregistry/tenant/descriptors';

function fieldAt(schema: JsonObject, property: string): JsonObject {
  return property
    .split('/')
    .slice(1)
    .reduce<JsonObject>((current, name) => objectOf(objectOf(current['properties'])[name]), schema);
}

function isNamespace(sandbox: Sandbox, value: JsonValue | undefined, by: JsonValue | undefined): boolean {
  return sandbox.namespaces.some(({ id, code }) =>
    by === 'xdm:id' ? id === Number(value) : by === 'xdm:code' && code === value,
  );
}

/** The fault of an identity descriptor; the namespace has the exact case of its code. */
function identityFault(body: JsonObject, ownId: string | undefined, sandbox: Sandbox): string | undefined {
  const schemaId = textOf(body['xdm:sourceSchema']);
  const schema = sandbox.schemas.get(schemaId);
  if (schema === undefined) return `The schema ${schemaId} does not exist.`;
  const property = textOf(body['xdm:sourceProperty']);
  if (fieldAt(resolveSchema(sandbox, schema.body), property)['type'] !== 'string') {
    return `The schema has no text field ${property}.`;
  }
  if (!isNamespace(sandbox, body['xdm:namespace'], body['xdm:property'])) {
    return 'xdm:namespace must be the code or the id of a namespace, as xdm:property says.';
  }
  const primary = identityDescriptorsOf(sandbox, schemaId).find(
    (other) => other['xdm:isPrimary'] === true && other['@id'] !== ownId,
  );
  return body['xdm:isPrimary'] === true && primary ? 'The schema has a primary identity already.' : undefined;
}

function save(call: PlatformCall, id: string, isNew: boolean): Answer {
  const { body, sandbox } = call;
  if (!isJsonObject(body) || textOf(body['@type']) === '') return badRequest('@type is required.');
  const isIdentity = body['@type'] === 'xdm:descriptorIdentity';
  const fault = isIdentity ? identityFault(body, isNew ? undefined : id, sandbox) : undefined;
  if (fault !== undefined) return badRequest(fault);
  const descriptor: JsonObject = { ...body, 'meta:containerId': 'tenant', '@id': id };
  sandbox.descriptors.set(id, descriptor);
  sandbox.registryRevision += 1;
  return jsonAnswer(201, isNew ? descriptor : { '@id': id });
}

function notFound(id: string): Answer {
  return registryError('XDM-1010-404', `The requested descriptor ${id} is not found.`);
}

/** Lists by type; a type without descriptors is absent. */
function list({ headers, sandbox }: PlatformCall): Answer {
  const form = descriptorForm(headers);
  if (!form.ok) return form.answer;
  const byType: Record<string, JsonValue[]> = {};
  for (const [id, descriptor] of sandbox.descriptors) {
    const shown = { id, link: `/tenant/descriptors/${id}`, full: descriptor }[form.value];
    (byType[textOf(descriptor['@type'])] ??= []).push(shown);
  }
  return jsonAnswer(200, byType);
}

function lookUp({ params: { id = '' }, sandbox }: PlatformCall): Answer {
  const descriptor = sandbox.descriptors.get(id);
  return descriptor === undefined ? notFound(id) : jsonAnswer(200, descriptor);
}

function replace(call: PlatformCall): Answer {
  const { id = '' } = call.params;
  return call.sandbox.descriptors.has(id) ? save(call, id, false) : notFound(id);
}

function remove({ params: { id = '' }, sandbox }: PlatformCall): Answer {
  if (!sandbox.descriptors.delete(id)) return notFound(id);
  sandbox.registryRevision += 1;
  return noContent();
}

/** Descriptors of the schema registry: which fields are identities. */
export const DESCRIPTOR_ROUTES: readonly PlatformRoute[] = [
  { method: 'GET', path: PATH, permission: 'View Schemas', answer: list },
  { method: 'GET', path: `${PATH}/:id`, permission: 'View Schemas', answer: lookUp },
  {
    method: 'POST',
    path: PATH,
    permission: 'Manage Schemas',
    answer: (call) => save(call, randomBytes(20).toString('hex'), true),
  },
  { method: 'PUT', path: `${PATH}/:id`, permission: 'Manage Schemas', answer: replace },
  { method: 'DELETE', path: `${PATH}/:id`, permission: 'Manage Schemas', answer: remove },
];
