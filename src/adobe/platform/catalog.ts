import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { PlatformClient, PlatformResult } from './platform-client.ts';
import { orAbsent, readAnswer, textIn } from './typed-answer.ts';

const DATA_SETS = '/data/foundation/catalog/dataSets';

/** The only form of a schema reference that datasets and the inlet accept. */
const SCHEMA_CONTENT_TYPE = 'application/vnd.adobe.xed-full+json;version=1';

/** The tags by which Profile and the identity graph read a dataset. */
export type DatasetTag = 'unifiedProfile' | 'unifiedIdentity';

export interface Dataset {
  readonly id: string;
  readonly name: string;
  /** `$id` of its schema. */
  readonly schemaId: string | undefined;
  /** Which of the two tags say `enabled:true`. */
  readonly enabled: ReadonlySet<DatasetTag>;
  readonly tags: JsonObject;
  /** So long Profile keeps its events, ms; undefined: for ever. */
  readonly profileExpiryMs: number | undefined;
  /** Epoch ms; 0 if unknown. */
  readonly createdAt: number;
  /** For If-Match; undefined if Catalog shows none. */
  readonly version: string | undefined;
}

export interface NewDataset {
  readonly name: string;
  readonly description: string;
  readonly schemaId: string;
  readonly enabled: readonly DatasetTag[];
}

function isEnabled(value: JsonValue | undefined): boolean {
  return Array.isArray(value) && value.includes('enabled:true');
}

const DAY_MS = 86_400_000;
const UNIT_DAYS: Readonly<Record<string, number>> = { D: 1, W: 7, M: 30, Y: 365 };

function objectAt(value: JsonValue | undefined, ...path: readonly string[]): JsonObject {
  const found = path.reduce<JsonValue | undefined>(
    (inner, name) => (isJsonObject(inner) ? inner[name] : undefined),
    value,
  );
  return isJsonObject(found) ? found : {};
}

/**
 * `P30D`, `P3M` or `P1Y`, rounded down.
 * Source: docs/platforms/adobe.md#event-times
 */
function profileExpiryOf(body: JsonObject): number | undefined {
  const expiration = objectAt(body, 'extensions', 'adobe_unifiedProfile', 'rowExpiration');
  const [, count, unit = ''] = /^P(\d+)([DWMY])$/.exec(textIn(expiration, 'ttlValue') ?? '') ?? [];
  const days = UNIT_DAYS[unit];
  return count === undefined || days === undefined ? undefined : Number(count) * days * DAY_MS;
}

function datasetOf(id: string, body: JsonObject): Dataset {
  const { schemaRef, created } = body;
  const tags = isJsonObject(body['tags']) ? body['tags'] : {};
  const names = ['unifiedProfile', 'unifiedIdentity'] as const;
  return {
    id,
    name: textIn(body, 'name') ?? '',
    schemaId: isJsonObject(schemaRef) ? textIn(schemaRef, 'id') : undefined,
    enabled: new Set(names.filter((name) => isEnabled(tags[name]))),
    tags,
    profileExpiryMs: profileExpiryOf(body),
    createdAt: typeof created === 'number' ? created : 0,
    version: textIn(body, 'version'),
  };
}

/** Catalog answers with an object by id, for one dataset too. */
function datasetsIn(body: JsonValue | undefined): Dataset[] | undefined {
  if (!isJsonObject(body)) return undefined;
  return Object.entries(body).flatMap(([id, value]) => (isJsonObject(value) ? [datasetOf(id, value)] : []));
}

/** Undefined if it does not exist. */
export async function readDataset(
  client: PlatformClient,
  id: string,
): Promise<PlatformResult<Dataset | undefined>> {
  const answer = await client.get(`${DATA_SETS}/${encodeURIComponent(id)}`);
  return orAbsent(readAnswer(answer, `GET ${DATA_SETS}/${id}`, (body) => datasetsIn(body)?.[0]));
}

/** All of one name, the oldest first: names are not unique. */
export async function findDatasets(
  client: PlatformClient,
  name: string,
): Promise<PlatformResult<readonly Dataset[]>> {
  const answer = await client.get(`${DATA_SETS}?name=${encodeURIComponent(name)}&limit=100`);
  return readAnswer(answer, `GET ${DATA_SETS}`, (body) =>
    datasetsIn(body)
      ?.filter((dataset) => dataset.name === name)
      .toSorted((left, right) => left.createdAt - right.createdAt),
  );
}

/** @returns the id */
export async function createDataset(
  client: PlatformClient,
  { name, description, schemaId, enabled }: NewDataset,
): Promise<PlatformResult<string>> {
  const tags = Object.fromEntries(enabled.map((tag) => [tag, ['enabled:true']]));
  const schemaRef = { id: schemaId, contentType: SCHEMA_CONTENT_TYPE };
  const answer = await client.post(DATA_SETS, { name, description, schemaRef, tags });
  return readAnswer(answer, `POST ${DATA_SETS}`, (body) => {
    const [first] = Array.isArray(body) ? body : [];
    return typeof first === 'string' ? /^@\/dataSets\/(.+)$/.exec(first)?.[1] : undefined;
  });
}

/**
 * Sets fields, nested ones too, of a dataset that is as it was when it was read. Only the second
 * version of the call leaves the other fields of an object alone.
 * Source: docs/platforms/adobe.md#catalog
 */
export async function changeDataset(
  client: PlatformClient,
  { id, version }: Pick<Dataset, 'id' | 'version'>,
  fields: JsonObject,
): Promise<PlatformResult<true>> {
  const path = `/data/foundation/catalog/v2/dataSets/${encodeURIComponent(id)}`;
  const answer = await client.patch(path, fields, version === undefined ? {} : { ifMatch: version });
  return readAnswer(answer, `PATCH ${path}`, () => true as const);
}
