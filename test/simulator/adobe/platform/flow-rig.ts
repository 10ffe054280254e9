import type { SimulatorOptions } from '../../../../src/simulator/adobe/simulator-options.ts';
import { type Json, simulate } from '../adobe-client.ts';
import { type PlatformAnswer, platformClient, type PlatformClient } from './platform-client.ts';

export const FLOW_SERVICE = '/data/foundation/flowservice';
export const STREAMING = { id: 'bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb', version: '1.0' };
export const LAKE = { id: 'c604ff05-7f1a-43c0-8e18-33bf874cb11c', version: '1.0' };
export const PLAIN_FLOW = { id: 'd8a6f005-7eaf-4153-983e-e8574508b877', version: '1.0' };
export const MAPPED_FLOW = { id: 'c1a19761-d2c7-4702-b9fa-fe91f0613e81', version: '1.0' };

export function connectionBody(params: Json = {}, more: Json = {}): Json {
  return {
    name: 'Capillary relay',
    connectionSpec: STREAMING,
    auth: {
      specName: 'Streaming Connection',
      params: { sourceId: 'capillary-relay', dataType: 'xdm', name: 'Capillary relay', ...params },
    },
    ...more,
  };
}

export function targetBody(datasetId: string, schemaId: string): Json {
  return {
    name: 'lake',
    data: { schema: { id: schemaId, version: 'application/vnd.adobe.xed-full+json;version=1.0' } },
    params: { dataSetId: datasetId },
    connectionSpec: LAKE,
  };
}

/** The first item of an answer of Flow Service. */
export function itemOf(answer: PlatformAnswer): Json {
  const [item] = answer.json['items'] as Json[];
  return item as Json;
}

export function itemsOf(answer: PlatformAnswer): Json[] {
  return answer.json['items'] as Json[];
}

/** Makes objects of Flow Service and returns their ids. */
export function maker(adobe: PlatformClient) {
  const make = async (kind: string, body: Json): Promise<string> => {
    const answer = await adobe.post(`${FLOW_SERVICE}/${kind}`, body);
    if (answer.status !== 201) throw new Error(`${kind}: ${answer.status} ${answer.text}`);
    return String(answer.json['id']);
  };
  return {
    connection: (params?: Json, more?: Json) => make('connections', connectionBody(params, more)),
    source: (baseConnectionId: string, more: Json = {}) =>
      make('sourceConnections', { name: 'source', baseConnectionId, connectionSpec: STREAMING, ...more }),
    target: (datasetId: string, schemaId: string) =>
      make('targetConnections', targetBody(datasetId, schemaId)),
    flow: (source: string, target: string, more: Json = {}) =>
      make('flows', {
        name: 'flow',
        flowSpec: PLAIN_FLOW,
        sourceConnectionIds: [source],
        targetConnectionIds: [target],
        ...more,
      }),
  };
}

/** A simulator with a client of its platform API. */
export async function platform(options: SimulatorOptions = {}) {
  const simulator = await simulate(options);
  const adobe = await platformClient(simulator);
  return { simulator, adobe, make: maker(adobe) };
}

const PROFILE_TAGS = { unifiedProfile: ['enabled:true'], unifiedIdentity: ['enabled:true'] };
const CLASSES = {
  event: 'https://ns.adobe.com/xdm/context/experienceevent',
  profile: 'https://ns.adobe.com/xdm/context/profile',
};
const GROUPS = {
  event: ['https://ns.adobe.com/xdm/context/experienceevent-commerce'],
  profile: ['https://ns.adobe.com/xdm/context/profile-person-details'],
};
const CONTENT_TYPE = 'application/vnd.adobe.xed-full+json;version=1';

/** What a set-up of a dataset can differ in. */
export interface SetUp {
  readonly kind?: 'event' | 'profile';
  readonly isUnion?: boolean;
  readonly tags?: Json;
  readonly params?: Json;
}

/**
 * A connection with a flow into a dataset, all made by the platform API, with a namespace.
 * @param baseUrl of the simulator
 */
export async function connectInlet(adobe: PlatformClient, baseUrl: string, given: SetUp = {}) {
  const { kind = 'event', isUnion = true, tags = PROFILE_TAGS, params = {} } = given;
  const make = maker(adobe);
  const namespace = { name: 'Customer', code: 'crmId', idType: 'Cross_device', description: '' };
  await adobe.post('/data/core/idnamespace/identities', namespace);
  const connection = await make.connection({ authenticationRequired: true, ...params });
  const { auth } = itemOf(await adobe.get(`${FLOW_SERVICE}/connections/${connection}`));
  const { inletId } = (auth as { params: Json }).params;

  const addDataset = async (of: 'event' | 'profile', union = true, datasetTags: Json = PROFILE_TAGS) => {
    const groups = [CLASSES[of], 'https://ns.adobe.com/xdm/context/identitymap', ...GROUPS[of]];
    const schema = await adobe.post('/data/foundation/schemaregistry/tenant/schemas', {
      type: 'object',
      title: `${of} ${Math.random()}`,
      allOf: groups.map(($ref) => ({ $ref })),
      ...(union ? { 'meta:immutableTags': ['union'] } : {}),
    });
    const schemaId = String(schema.json['$id']);
    const answer = await adobe.post('/data/foundation/catalog/dataSets', {
      name: of,
      schemaRef: { id: schemaId, contentType: CONTENT_TYPE },
      tags: datasetTags,
    });
    const [path] = answer.json as unknown as string[];
    return { schemaId, datasetId: String(path).replace('@/dataSets/', '') };
  };

  /** A flow of this connection into a new dataset. */
  const addFlow = async (of: 'event' | 'profile', union = true, datasetTags: Json = PROFILE_TAGS) => {
    const target = await addDataset(of, union, datasetTags);
    const source = await make.source(connection);
    const flowId = await make.flow(source, await make.target(target.datasetId, target.schemaId));
    return { ...target, flowId };
  };

  const main = await addFlow(kind, isUnion, tags);
  const url = `${baseUrl}/collection/${String(inletId)}`;

  /** An envelope for a flow, by default the main one. */
  const envelope = (entity: Json | undefined, header: Json = {}, to = main): Json => {
    const schemaRef = { id: to.schemaId, contentType: CONTENT_TYPE };
    return {
      header: { schemaRef, datasetId: to.datasetId, flowId: to.flowId, ...header },
      body: {
        xdmMeta: { schemaRef: (header['schemaRef'] as Json | undefined) ?? schemaRef },
        xdmEntity: entity,
      },
    };
  };

  const post = async (path: string, body: unknown, headers: Json = {}) => {
    const answer = await fetch(path, {
      method: 'POST',
      headers: { authorization: `Bearer ${adobe.token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: answer.status, json: (await answer.json()) as Json };
  };

  return {
    ...main,
    connection,
    inletId: String(inletId),
    url,
    addDataset,
    addFlow,
    envelope,
    /** One message. */
    send: (message: unknown, query = '', headers: Json = {}) => post(url + query, message, headers),
    /** A batch. */
    sendAll: (messages: readonly unknown[]) =>
      post(url.replace('/collection/', '/collection/batch/'), { messages }),
  };
}

/** A simulator with the inlet of a connection. */
export async function setUp(options: SimulatorOptions & SetUp = {}) {
  const { kind, isUnion, tags, params, ...rest } = options;
  const rig = await platform({ warmUpMs: 0, validationDelayMs: 0, ...rest });
  const given = Object.fromEntries(
    Object.entries({ kind, isUnion, tags, params }).filter(([, value]) => value !== undefined),
  );
  return {
    ...rig,
    ...(await connectInlet(rig.adobe, rig.simulator.url, given)),
    /** Waits until nothing is pending any more. */
    settled: () => rig.simulator.until(({ fates }) => fates.pending === 0, AbortSignal.timeout(5_000)),
  };
}
