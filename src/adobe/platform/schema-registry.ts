import { isJsonObject, type JsonObject } from '../../capillary/json.ts';
import type { PlatformClient, PlatformResult } from './platform-client.ts';
import { objectsOf, orAbsent, type PatchOperation, patchBody, readAnswer, textIn } from './typed-answer.ts';

const REGISTRY = '/data/foundation/schemaregistry';

/**
 * Forms in which the registry shows a resource: as it was posted, with everything resolved, or as
 * ids for a list.
 * Source: docs/platforms/adobe.md#reading-schemas
 */
const ACCEPT = {
  posted: 'application/vnd.adobe.xed+json;version=1',
  full: 'application/vnd.adobe.xed-full+json;version=1',
  ids: 'application/vnd.adobe.xed-id+json',
} as const;

export type ResourceKind = 'fieldgroups' | 'schemas';

/** A field group or a schema. */
export interface RegistryResource {
  /** `$id`. */
  readonly id: string;
  readonly title: string;
  readonly body: JsonObject;
  /** For If-Match; absent if the registry sent none. */
  readonly etag?: string;
}

function resourceOf(body: unknown, etag: string | undefined): RegistryResource | undefined {
  if (!isJsonObject(body)) return undefined;
  const id = textIn(body, '$id');
  if (id === undefined) return undefined;
  return { id, title: textIn(body, 'title') ?? '', body, ...(etag === undefined ? {} : { etag }) };
}

/** The tenant id as records have it: with its underscore. */
export async function readTenant(client: PlatformClient): Promise<PlatformResult<string>> {
  const path = `${REGISTRY}/stats`;
  return readAnswer(await client.get(path), `GET ${path}`, (body) => {
    const id = isJsonObject(body) ? textIn(body, 'tenantId') : undefined;
    return id === undefined ? undefined : `_${id.replace(/^_/, '')}`;
  });
}

async function readResource(
  client: PlatformClient,
  path: string,
  accept: string,
): Promise<PlatformResult<RegistryResource | undefined>> {
  const answer = await client.get(`${REGISTRY}${path}`, { accept });
  return orAbsent(readAnswer(answer, `GET ${REGISTRY}${path}`, resourceOf));
}

/**
 * One of Adobe's field groups, resolved, as the sandbox has it; undefined without it.
 * @param id `$id`
 */
export function readStandardGroup(
  client: PlatformClient,
  id: string,
): Promise<PlatformResult<RegistryResource | undefined>> {
  return readResource(client, `/global/fieldgroups/${encodeURIComponent(id)}`, ACCEPT.full);
}

/**
 * A resource of the tenant as it was posted; undefined if it does not exist.
 * @param id `$id` or `meta:altId`
 */
export function readTenantResource(
  client: PlatformClient,
  kind: ResourceKind,
  id: string,
): Promise<PlatformResult<RegistryResource | undefined>> {
  return readResource(client, `/tenant/${kind}/${encodeURIComponent(id)}`, ACCEPT.posted);
}

/** A schema of the tenant with all its fields; undefined if it does not exist. */
export function readFullSchema(
  client: PlatformClient,
  id: string,
): Promise<PlatformResult<RegistryResource | undefined>> {
  return readResource(client, `/tenant/schemas/${encodeURIComponent(id)}`, ACCEPT.full);
}

/**
 * The `$id`s of the tenant's resources with this title: one at most, since titles are unique. A
 * `limit` would need an `orderby`.
 */
export async function findByTitle(
  client: PlatformClient,
  kind: ResourceKind,
  title: string,
): Promise<PlatformResult<readonly string[]>> {
  const path = `${REGISTRY}/tenant/${kind}`;
  const query = `?property=${encodeURIComponent(`title==${title}`)}`;
  return readAnswer(await client.get(path + query, { accept: ACCEPT.ids }), `GET ${path}`, (body) => {
    const results = isJsonObject(body) ? objectsOf(body['results']) : undefined;
    // Filtered here too: a filter that the registry ignores must not select another one.
    return results
      ?.filter((result) => textIn(result, 'title') === title)
      .flatMap((result) => textIn(result, '$id') ?? []);
  });
}

/** @returns the `$id` */
export async function createResource(
  client: PlatformClient,
  kind: ResourceKind,
  body: JsonObject,
): Promise<PlatformResult<string>> {
  const path = `${REGISTRY}/tenant/${kind}`;
  return readAnswer(
    await client.post(path, body, { accept: 'application/json' }),
    `POST ${path}`,
    (created, etag) => resourceOf(created, etag)?.id,
  );
}

/** Changes a resource that is as it was when it was read. */
export async function patchResource(
  client: PlatformClient,
  kind: ResourceKind,
  { id, etag }: Pick<RegistryResource, 'id' | 'etag'>,
  operations: readonly PatchOperation[],
): Promise<PlatformResult<true>> {
  const path = `${REGISTRY}/tenant/${kind}/${encodeURIComponent(id)}`;
  const options = { accept: 'application/json', ...(etag === undefined ? {} : { ifMatch: etag }) };
  const answer = await client.patch(path, patchBody(operations), options);
  return readAnswer(answer, `PATCH ${path}`, () => true as const);
}
