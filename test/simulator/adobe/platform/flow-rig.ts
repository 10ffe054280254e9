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
