import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { PlatformClient, PlatformResult } from './platform-client.ts';
import { objectsOf, orAbsent, type PatchOperation, patchBody, readAnswer, textIn } from './typed-answer.ts';

const FLOW_SERVICE = '/data/foundation/flowservice';
const MAPPING_SETS = '/data/foundation/conversion/mappingSets';

/**
 * Adobe's ids of the streaming connection, of the data lake as a target, and of the two kinds of
 * flows between them.
 * Source: docs/platforms/adobe.md#provisioning-steps
 */
export const SPECS = {
  streaming: 'bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb',
  dataLake: 'c604ff05-7f1a-43c0-8e18-33bf874cb11c',
  xdmFlow: 'd8a6f005-7eaf-4153-983e-e8574508b877',
  mappedFlow: 'c1a19761-d2c7-4702-b9fa-fe91f0613e81',
} as const;

export type FlowKind = 'connections' | 'sourceConnections' | 'targetConnections' | 'flows';

/** Any object of Flow Service. */
export interface FlowObject {
  readonly id: string;
  readonly name: string;
  readonly etag: string | undefined;
  /** `enabled`, `disabled`, …; undefined if it was not shown. */
  readonly state: string | undefined;
  /** Epoch ms; 0 if unknown. */
  readonly createdAt: number;
  /** Epoch ms of the last change, at least `createdAt`. */
  readonly updatedAt: number;
  readonly body: JsonObject;
}

function timeIn(item: JsonObject, key: string): number {
  const time = item[key];
  return typeof time === 'number' ? time : 0;
}

function flowObjectOf(item: JsonObject): FlowObject | undefined {
  const id = textIn(item, 'id');
  if (id === undefined) return undefined;
  const [createdAt, updatedAt] = [timeIn(item, 'createdAt'), timeIn(item, 'updatedAt')];
  return {
    id,
    name: textIn(item, 'name') ?? '',
    etag: textIn(item, 'etag'),
    state: textIn(item, 'state')?.toLowerCase(),
    createdAt,
    updatedAt: Math.max(createdAt, updatedAt),
    body: item,
  };
}

function itemsOf(body: JsonValue | undefined): FlowObject[] | undefined {
  const items = isJsonObject(body) ? objectsOf(body['items']) : undefined;
  return items?.flatMap((item) => flowObjectOf(item) ?? []);
}

/** Undefined if it does not exist. */
export async function readFlowObject(
  client: PlatformClient,
  kind: FlowKind,
  id: string,
): Promise<PlatformResult<FlowObject | undefined>> {
  const path = `${FLOW_SERVICE}/${kind}/${encodeURIComponent(id)}`;
  return orAbsent(readAnswer(await client.get(path), `GET ${path}`, (body) => itemsOf(body)?.[0]));
}

/** The path of the next page, below that of Flow Service. */
export function nextFlowPage(body: JsonValue | undefined): string | undefined {
  const links = isJsonObject(body) ? body['_links'] : undefined;
  const next = isJsonObject(links) ? links['next'] : undefined;
  const href = isJsonObject(next) ? textIn(next, 'href') : undefined;
  return href?.replace(/^.*(?=\/(?:connections|sourceConnections|targetConnections|flows|runs)\b)/, '');
}

/** More pages than this are a mistake of the server, such as a link to the same page. */
const MAX_PAGES = 50;

/**
 * All objects that have these properties, the oldest first.
 * @param filters such as `name==Capillary relay`; names are not unique
 */
export async function findFlowObjects(
  client: PlatformClient,
  kind: FlowKind,
  filters: readonly string[],
): Promise<PlatformResult<readonly FlowObject[]>> {
  const query = filters.map((filter) => `property=${encodeURIComponent(filter)}&`).join('');
  const found: FlowObject[] = [];
  let path: string | undefined = `/${kind}?${query}limit=100`;
  for (let page = 0; path !== undefined && page < MAX_PAGES; page += 1) {
    const answer = await client.get(FLOW_SERVICE + path);
    const items = readAnswer(answer, `GET ${FLOW_SERVICE}/${kind}`, itemsOf);
    if (!items.ok) return items;
    found.push(...items.value);
    path = answer.ok ? nextFlowPage(answer.body) : undefined;
  }
  return { ok: true, value: found.toSorted((left, right) => left.createdAt - right.createdAt) };
}

/** @returns the id */
export async function createFlowObject(
  client: PlatformClient,
  kind: FlowKind,
  body: JsonObject,
): Promise<PlatformResult<string>> {
  const path = `${FLOW_SERVICE}/${kind}`;
  return readAnswer(await client.post(path, body), `POST ${path}`, (created) =>
    isJsonObject(created) ? textIn(created, 'id') : undefined,
  );
}

/**
 * The dataset of a target connection: `dataSetId` in the documentation, `datasetId` in some
 * answers.
 */
export function targetDataset({ body }: Pick<FlowObject, 'body'>): string | undefined {
  const params = isJsonObject(body['params']) ? body['params'] : {};
  return textIn(params, 'dataSetId') ?? textIn(params, 'datasetId');
}

/** Changes an object that is as it was when it was read. */
export async function patchFlowObject(
  client: PlatformClient,
  kind: FlowKind,
  { id, etag }: Pick<FlowObject, 'id' | 'etag'>,
  operations: readonly PatchOperation[],
): Promise<PlatformResult<true>> {
  const path = `${FLOW_SERVICE}/${kind}/${encodeURIComponent(id)}`;
  const options = etag === undefined ? {} : { ifMatch: etag };
  const answer = await client.patch(path, patchBody(operations), options);
  return readAnswer(answer, `PATCH ${path}`, () => true as const);
}

/** The state of a flow is changed by an action, not by PATCH. */
export async function enableFlow(
  client: PlatformClient,
  { id, etag }: Pick<FlowObject, 'id' | 'etag'>,
): Promise<PlatformResult<true>> {
  const path = `${FLOW_SERVICE}/flows/${encodeURIComponent(id)}/action?op=enable`;
  const answer = await client.post(path, undefined, etag === undefined ? {} : { ifMatch: etag });
  return readAnswer(answer, `POST ${path}`, () => true as const);
}

/** A mapping set of Data Prep. */
export interface MappingSet {
  readonly id: string;
  /** Raised with every change; a dataflow names the one that it uses. */
  readonly version: number;
}

/** The mapping sets of one name. */
export async function findMappingSets(
  client: PlatformClient,
  name: string,
): Promise<PlatformResult<readonly MappingSet[]>> {
  const answer = await client.get(`${MAPPING_SETS}?name=${encodeURIComponent(name)}&start=0&limit=100`);
  return readAnswer(answer, `GET ${MAPPING_SETS}`, (body) => {
    const sets = isJsonObject(body) ? objectsOf(body['data']) : undefined;
    return sets?.flatMap((set) => {
      const [id, version] = [textIn(set, 'id'), set['version']];
      if (id === undefined || textIn(set, 'name') !== name) return [];
      return [{ id, version: typeof version === 'number' ? version : 0 }];
    });
  });
}
