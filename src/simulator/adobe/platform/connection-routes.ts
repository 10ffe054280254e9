import { randomBytes } from 'node:crypto';
import type { JsonObject } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import {
  baseConnectionIds,
  idsAt,
  invalidBody,
  objectAt,
  specProblem,
  targetOf,
  textAt,
} from './flow-body.ts';
import { collectionRoutes, type FlowCollection, objectOf } from './flow-collection.ts';
import { FLOW_SERVICE, flowProblem } from './flow-problem.ts';
import type { PlatformCall, PlatformRoute } from './platform-route.ts';
import type { Sandbox, TwinConnection, TwinFlowObject } from './sandbox.ts';

/**
 * The connection specifications of the streaming HTTP API and of the data lake
 * (docs/platforms/adobe.md#flow-service).
 */
const STREAMING_SPEC = 'bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb';
const DATA_LAKE_SPEC = 'c604ff05-7f1a-43c0-8e18-33bf874cb11c';

type Accepted = { readonly body: JsonObject } | Answer;

function acceptConnection(body: JsonObject): Accepted {
  const problem = specProblem(body, 'connectionSpec', [STREAMING_SPEC]);
  if (problem) return problem;
  const auth = objectAt(body, 'auth');
  if (auth.specName !== 'Streaming Connection') {
    return flowProblem('1415-400', `The auth spec '${textAt(auth, 'specName') ?? ''}' could not be found.`);
  }
  const { dataType, authenticationRequired = false } = objectAt(auth, 'params');
  if (dataType !== 'xdm' && dataType !== 'raw') {
    return invalidBody('auth.params.dataType must be xdm or raw.');
  }
  if (typeof authenticationRequired !== 'boolean') {
    return invalidBody('auth.params.authenticationRequired must be a boolean.');
  }
  return { body };
}

/** The connection makes its inlet, whose address only GET shows. */
function withInlet({ body, inletId }: TwinConnection, { headers }: PlatformCall): JsonObject {
  const auth = objectAt(body, 'auth');
  const params = objectAt(auth, 'params');
  const inletUrl = `http://${headers.host ?? ''}/collection/${inletId}`;
  const { authenticationRequired = false } = params;
  return { auth: { ...auth, params: { ...params, authenticationRequired, inletUrl, inletId } } };
}

function flowsFrom(connectionId: string, sandbox: Sandbox): TwinFlowObject[] {
  return [...sandbox.flows.values()].filter((flow) =>
    baseConnectionIds(flow, sandbox).includes(connectionId),
  );
}

const CONNECTIONS: FlowCollection<TwinConnection> = {
  name: 'connections',
  objects: ({ connections }) => connections,
  accept: acceptConnection,
  make: (object) => ({ ...object, inletId: randomBytes(32).toString('hex') }),
  shown: withInlet,
  keep: ({ id }, { sandbox }) => {
    if (flowsFrom(id, sandbox).length === 0) return undefined;
    const text = `The base connection with the ID ${id} is being used in one or more flows.`;
    return flowProblem('1418-400', text);
  },
  onDelete: ({ inletId }, { deletedInlets }) => deletedInlets.add(inletId),
};

/** A flow needs its source and target connections as long as it exists. */
function usedByFlow(member: string): FlowCollection<TwinFlowObject>['keep'] {
  return ({ id }, { sandbox }) =>
    [...sandbox.flows.values()].some(({ body }) => idsAt(body, member).includes(id))
      ? flowProblem('1447-400', `Found active flows containing id ${id}.`)
      : undefined;
}

function acceptSource(body: JsonObject, { sandbox }: PlatformCall): Accepted {
  const problem = specProblem(body, 'connectionSpec', [STREAMING_SPEC]);
  if (problem) return problem;
  const base = textAt(body, 'baseConnectionId') ?? '';
  if (sandbox.connections.has(base)) return { body };
  return flowProblem('1101-404', `Resource with given id does not exist: ${base}`);
}

function inheritedFrom({ body }: TwinFlowObject): JsonObject {
  const id = textAt(body, 'baseConnectionId');
  const connectionSpec = objectAt(body, 'connectionSpec');
  return id === undefined ? {} : { inheritedAttributes: { baseConnection: { id, connectionSpec } } };
}

const SOURCES: FlowCollection<TwinFlowObject> = {
  name: 'sourceConnections',
  objects: ({ sourceConnections }) => sourceConnections,
  accept: acceptSource,
  make: (object) => object,
  shown: inheritedFrom,
  keep: usedByFlow('sourceConnectionIds'),
  onDelete: () => undefined,
};

/** The schema of a target connection has to be that of its dataset. */
function acceptTarget(body: JsonObject, { sandbox }: PlatformCall): Accepted {
  const problem = specProblem(body, 'connectionSpec', [DATA_LAKE_SPEC]);
  if (problem) return problem;
  const { datasetId, schemaId } = targetOf({ body });
  if (datasetId === '') return invalidBody('params.dataSetId is missing.');
  const dataset = sandbox.datasets.get(datasetId);
  if (!dataset) return flowProblem('1101-404', `Resource with given id does not exist: ${datasetId}`);
  if (dataset.schemaId === schemaId) return { body };
  const text = `Error while matching schema in target dataset ${datasetId} with schema ${schemaId}.`;
  return flowProblem('1425-400', text);
}

const TARGETS: FlowCollection<TwinFlowObject> = {
  name: 'targetConnections',
  objects: ({ targetConnections }) => targetConnections,
  accept: acceptTarget,
  make: (object) => object,
  shown: () => ({}),
  keep: usedByFlow('targetConnectionIds'),
  onDelete: () => undefined,
};

function testConnection(call: PlatformCall): Answer {
  const found = objectOf(call, CONNECTIONS);
  return 'status' in found ? found : jsonAnswer(200, { result: true });
}

/** Base, source and target connections of Flow Service (docs/platforms/adobe.md#flow-service). */
export const CONNECTION_ROUTES: readonly PlatformRoute[] = [
  ...collectionRoutes(CONNECTIONS),
  {
    method: 'GET',
    path: `${FLOW_SERVICE}/connections/:id/test`,
    permission: 'View Sources',
    answer: testConnection,
  },
  ...collectionRoutes(SOURCES),
  ...collectionRoutes(TARGETS),
];
