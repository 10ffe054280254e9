import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import type { Sandbox, TwinResource } from './sandbox.ts';
import { classOf, identityDescriptorsOf, resolveSchema } from './schema-fields.ts';
import { fieldsOnly, referencesOf, resolveOwn } from './schema-merge.ts';

/** The forms of an answer, as `Accept` selects them (docs/platforms/adobe.md#reading-schemas). */
export const LOOKUP_FORMS = ['xed', 'xed-full', 'xed-notext', 'xed-full-notext', 'xed-full-desc'] as const;
export const LIST_FORMS = ['xed-id', 'xed'] as const;

export type ResourceForm = (typeof LOOKUP_FORMS)[number] | 'xed-id';

/** The containers of the registry. */
export type Container = 'global' | 'tenant';

export type ResourceKind = 'classes' | 'fieldgroups' | 'schemas';

/** Field groups are called mixins in ids and types: their earlier name. */
export const RESOURCE_TYPES: Readonly<Record<ResourceKind, string>> = {
  classes: 'classes',
  fieldgroups: 'mixins',
  schemas: 'schemas',
};

export function etagOf({ id, version, body }: TwinResource): string {
  return createHash('sha256')
    .update(JSON.stringify([id, version, body]))
    .digest('hex');
}

function withoutTexts(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutTexts);
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).filter(
    ([key, inner]) => !(['title', 'description'].includes(key) && typeof inner === 'string'),
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutTexts(inner)]));
}

function summaryOf({ id, altId, version, body }: TwinResource): JsonObject {
  return { $id: id, 'meta:altId': altId, version, title: body['title'] ?? '' };
}

function resolvedFields(resource: TwinResource, kind: ResourceKind, sandbox: Sandbox): JsonObject {
  return kind === 'schemas' ? resolveSchema(sandbox, resource.body) : fieldsOnly(resolveOwn(resource.body));
}

/** What the registry adds to a body. */
function metadataOf(
  resource: TwinResource,
  place: { readonly container: Container; readonly kind: ResourceKind },
  sandbox: Sandbox,
): JsonObject {
  const { body, createdAt, updatedAt } = resource;
  const schemaClass = place.kind === 'schemas' ? classOf(sandbox, body) : undefined;
  return {
    ...summaryOf(resource),
    'meta:resourceType': RESOURCE_TYPES[place.kind],
    'meta:containerId': place.container,
    'meta:xdmType': 'object',
    ...(schemaClass === undefined ? {} : { 'meta:class': schemaClass }),
    ...(place.kind === 'schemas' ? { 'meta:extends': [...referencesOf(body)] } : {}),
    'meta:registryMetadata': {
      'repo:createdDate': createdAt,
      'repo:lastModifiedDate': updatedAt,
      eTag: etagOf(resource),
    },
  };
}

/** A resource in the form that was asked for. */
export function resourceView(
  resource: TwinResource,
  form: ResourceForm,
  place: { readonly container: Container; readonly kind: ResourceKind },
  sandbox: Sandbox,
): JsonObject {
  if (form === 'xed-id') return summaryOf(resource);
  const metadata = metadataOf(resource, place, sandbox);
  if (!form.startsWith('xed-full')) {
    const raw = { ...resource.body, ...metadata };
    return form === 'xed' ? raw : (withoutTexts(raw) as JsonObject);
  }
  const { allOf: _allOf, definitions: _definitions, ...own } = resource.body;
  const full: JsonObject = { ...own, ...resolvedFields(resource, place.kind, sandbox), ...metadata };
  if (form === 'xed-full-notext') return withoutTexts(full) as JsonObject;
  const descriptors = form === 'xed-full-desc' ? identityDescriptorsOf(sandbox, resource.id) : [];
  return descriptors.length > 0 ? { ...full, 'meta:descriptors': descriptors } : full;
}
