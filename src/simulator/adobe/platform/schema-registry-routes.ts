import { isJsonObject, type JsonObject } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import { ifMatchProblem, noContent } from './platform-errors.ts';
import { listable, type PlatformCall, type PlatformRoute } from './platform-route.ts';
import { applyJsonPatch, JsonPatchError } from './json-patch.ts';
import { pageOf } from './list-query.ts';
import { listForm, lookupForm } from './registry-views.ts';
import { badRequest, type Checked, registryError } from './registry-errors.ts';
import { type Container, etagOf, type ResourceKind, resourceView } from './registry-views.ts';
import {
  changeResource,
  createResource,
  removeResource,
  resourcesOf,
  type WritableKind,
} from './registry-writes.ts';
import type { TwinResource } from './sandbox.ts';
import { hasUnionTag } from './schema-fields.ts';

const BASE = '/data/foundation/schemaregistry';

function allOf(
  call: PlatformCall,
  container: Container,
  kind: ResourceKind,
): ReadonlyMap<string, TwinResource> {
  const { library } = call.sandbox;
  if (container === 'tenant') return kind === 'classes' ? new Map() : resourcesOf(call.sandbox, kind);
  return kind === 'schemas' ? new Map() : kind === 'classes' ? library.classes : library.fieldGroups;
}

/** By `$id`, or by `meta:altId`. */
function find(call: PlatformCall, container: Container, kind: ResourceKind): TwinResource | undefined {
  const id = call.params['id'] ?? '';
  const all = allOf(call, container, kind);
  return all.get(id) ?? [...all.values()].find(({ altId }) => altId === id);
}

function notFound(call: PlatformCall, kind: ResourceKind): Answer {
  const detail = `The requested ${kind} resource ${call.params['id'] ?? ''} with version 1 is not found.`;
  return registryError('XDM-1010-404', detail);
}

function list(call: PlatformCall, container: Container, kind: ResourceKind): Answer {
  const form = listForm(call.headers);
  if (!form.ok) return form.answer;
  const viewOf = (resource: TwinResource): JsonObject =>
    resourceView(resource, 'xed', { container, kind }, call.sandbox);
  const page = pageOf(listable([...allOf(call, container, kind).values()], call), viewOf, call.query);
  if (!page.ok) return page.answer;
  const { items, next, orderby } = page.value;
  const href = `${BASE}/${container}/${kind}?orderby=${orderby}&start=${encodeURIComponent(next ?? '')}`;
  return jsonAnswer(200, {
    results: items.map((item) => resourceView(item, form.value, { container, kind }, call.sandbox)),
    _page: { orderby, next, count: items.length },
    _links: { next: next === null ? null : { href } },
  });
}

function lookUp(call: PlatformCall, container: Container, kind: ResourceKind): Answer {
  const form = lookupForm(call.headers);
  if (!form.ok) return form.answer;
  const resource = find(call, container, kind);
  if (resource === undefined) return notFound(call, kind);
  const view = resourceView(resource, form.value, { container, kind }, call.sandbox);
  return jsonAnswer(200, view, { etag: `"${etagOf(resource)}"` });
}

function written(
  call: PlatformCall,
  kind: WritableKind,
  status: number,
  result: Checked<TwinResource>,
): Answer {
  if (!result.ok) return result.answer;
  const view = resourceView(result.value, 'xed', { container: 'tenant', kind }, call.sandbox);
  return jsonAnswer(status, view, { etag: `"${etagOf(result.value)}"` });
}

/** Finds a resource of the tenant that `If-Match`, if it was sent, still describes. */
function withResource(
  call: PlatformCall,
  kind: WritableKind,
  change: (resource: TwinResource) => Answer,
): Answer {
  const resource = find(call, 'tenant', kind);
  if (resource === undefined) return notFound(call, kind);
  return ifMatchProblem(call.headers, etagOf(resource)) ?? change(resource);
}

/** A replaced schema keeps its immutable tags, whether the body names them or not. */
function replace(call: PlatformCall, kind: WritableKind): Answer {
  return withResource(call, kind, (resource) => {
    const tags = hasUnionTag(resource.body) ? { 'meta:immutableTags': ['union'] } : {};
    const body = isJsonObject(call.body) ? { ...call.body, ...tags } : call.body;
    return written(call, kind, 200, changeResource(call, kind, resource, body));
  });
}

function patch(call: PlatformCall, kind: WritableKind): Answer {
  return withResource(call, kind, (resource) => {
    if (!Array.isArray(call.body)) return badRequest('The body must be a list of JSON Patch operations.');
    const current = resourceView(resource, 'xed', { container: 'tenant', kind }, call.sandbox);
    try {
      const body = applyJsonPatch(current, call.body);
      return written(call, kind, 200, changeResource(call, kind, resource, body));
    } catch (error) {
      if (error instanceof JsonPatchError) return badRequest(error.message);
      throw error;
    }
  });
}

function remove(call: PlatformCall, kind: WritableKind): Answer {
  return withResource(call, kind, (resource) => {
    const reason = removeResource(call, kind, resource);
    return reason === undefined ? noContent() : badRequest(reason);
  });
}

function readRoutes(container: Container, kind: ResourceKind): PlatformRoute[] {
  const path = `${BASE}/${container}/${kind}`;
  const permission = 'View Schemas';
  return [
    { method: 'GET', path, permission, answer: (call) => list(call, container, kind) },
    { method: 'GET', path: `${path}/:id`, permission, answer: (call) => lookUp(call, container, kind) },
  ];
}

function writeRoutes(kind: WritableKind): PlatformRoute[] {
  const path = `${BASE}/tenant/${kind}`;
  const permission = 'Manage Schemas';
  const create = (call: PlatformCall): Answer => written(call, kind, 201, createResource(call, kind));
  return [
    { method: 'POST', path, permission, answer: create },
    { method: 'PUT', path: `${path}/:id`, permission, answer: (call) => replace(call, kind) },
    { method: 'PATCH', path: `${path}/:id`, permission, answer: (call) => patch(call, kind) },
    { method: 'DELETE', path: `${path}/:id`, permission, answer: (call) => remove(call, kind) },
  ];
}

function stats({ state, sandbox, headers }: PlatformCall): Answer {
  return jsonAnswer(200, {
    imsOrg: headers['x-gw-ims-org-id'],
    tenantId: state.platform.settings.tenantId,
    counts: { schemas: sandbox.schemas.size, mixins: sandbox.fieldGroups.size, datatypes: 0, classes: 0 },
  });
}

/** The schema registry (docs/platforms/adobe.md#schema-registry). */
export const REGISTRY_ROUTES: readonly PlatformRoute[] = [
  { method: 'GET', path: `${BASE}/stats`, permission: 'View Schemas', answer: stats },
  ...readRoutes('global', 'classes'),
  ...readRoutes('global', 'fieldgroups'),
  ...readRoutes('tenant', 'fieldgroups'),
  ...readRoutes('tenant', 'schemas'),
  ...writeRoutes('fieldgroups'),
  ...writeRoutes('schemas'),
];
