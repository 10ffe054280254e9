import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import { type Checked, refuse, registryError } from './registry-errors.ts';
import type { Sandbox, TwinResource } from './sandbox.ts';
import { classOf, identityDescriptorsOf, resolveSchema } from './schema-fields.ts';
import { fieldsOnly, referencesOf, resolveOwn } from './schema-merge.ts';

/** The forms of an answer, as `Accept` selects them (docs/platforms/adobe.md#reading-schemas). */
const LOOKUP_FORMS = ['xed', 'xed-full', 'xed-notext', 'xed-full-notext', 'xed-full-desc'] as const;
const LIST_FORMS = ['xed-id', 'xed'] as const;

export type ResourceForm = (typeof LOOKUP_FORMS)[number] | 'xed-id';

function invalid(accept: string, wanted: string): { readonly ok: false } & ReturnType<typeof refuse> {
  const detail = `The supplied Accept header is not valid: ${accept} - A valid Accept value should look like ${wanted}`;
  return refuse(registryError('XDM-1006-400', detail));
}

/**
 * The form that a list is to have. A version makes the header invalid
 * (docs/platforms/adobe.md#reading-schemas).
 */
export function listForm({ accept = '' }: IncomingHttpHeaders): Checked<ResourceForm> {
  const [, name] = /^application\/vnd\.adobe\.([a-z-]+)\+json$/.exec(accept.trim()) ?? [];
  const form = LIST_FORMS.find((known) => known === name);
  return form === undefined
    ? invalid(accept, 'application/vnd.adobe.{xed-id|xed}+json')
    : { ok: true, value: form };
}

/** The form that one resource is to have; a version is required. */
export function lookupForm({ accept = '' }: IncomingHttpHeaders): Checked<ResourceForm> {
  const [, name, version] =
    /^application\/vnd\.adobe\.([a-z-]+)\+json\s*;\s*version\s*=\s*(\d+(?:\.\d+)*)$/.exec(accept.trim()) ??
    [];
  const form = LOOKUP_FORMS.find((known) => known === name);
  const isVersion = version !== undefined && version.split('.')[0] === '1';
  return form === undefined || !isVersion
    ? invalid(accept, 'application/vnd.adobe.{xed|xed-full|xed-notext|xed-full-notext}+json; version=1')
    : { ok: true, value: form };
}

/** Descriptors have forms of their own, and no version. */
export function descriptorForm({ accept = '' }: IncomingHttpHeaders): Checked<'id' | 'link' | 'full'> {
  const [, name] = /^application\/vnd\.adobe\.xdm(-id|-link|-v2)?\+json$/.exec(accept.trim()) ?? [
    undefined,
    'none',
  ];
  if (name === 'none') return invalid(accept, 'application/vnd.adobe.{xdm|xdm-id|xdm-link}+json');
  return { ok: true, value: name === '-id' ? 'id' : name === '-link' ? 'link' : 'full' };
}

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
