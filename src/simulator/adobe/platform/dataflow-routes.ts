import type { JsonObject } from '../../../capillary/json.ts';
import type { Answer } from '../exchange.ts';
import {
  baseConnectionIds,
  connectionParams,
  idsAt,
  invalidBody,
  mappingOf,
  objectAt,
  specProblem,
  targetOf,
} from './flow-body.ts';
import { collectionRoutes, type FlowCollection, objectOf, touch } from './flow-collection.ts';
import { versionProblem } from './flow-patch.ts';
import { runStatus } from './flow-run-routes.ts';
import { FLOW_SERVICE, flowProblem } from './flow-problem.ts';
import type { PlatformCall, PlatformRoute } from './platform-route.ts';
import type { Sandbox, TwinFlowObject } from './sandbox.ts';

/**
 * The flow specifications of streaming to the data lake (docs/platforms/adobe.md#flow-service).
 */
const PLAIN_SPEC = 'd8a6f005-7eaf-4153-983e-e8574508b877';
const MAPPING_SPEC = 'c1a19761-d2c7-4702-b9fa-fe91f0613e81';

type Accepted = { readonly body: JsonObject } | Answer;

/** A list of ids that all exist. */
function idsProblem(
  body: JsonObject,
  member: string,
  objects: ReadonlyMap<string, TwinFlowObject>,
): Answer | undefined {
  const ids = idsAt(body, member);
  if (ids.length === 0) return invalidBody(`${member} is missing.`);
  const missing = ids.find((id) => !objects.has(id));
  if (missing === undefined) return undefined;
  return flowProblem('1101-404', `Resource with given id does not exist: ${missing}`);
}

/** The mapping set of a flow exists and writes the schema of its dataset. */
function mappingProblem(body: JsonObject, sandbox: Sandbox): Answer | undefined {
  const mapping = mappingOf(body);
  if (!mapping) return invalidBody('transformations needs a Mapping with params.mappingId.');
  const set = sandbox.mappingSets.get(mapping.id);
  if (!set) return flowProblem('1419-400', `Error while validating mapping with id ${mapping.id}.`);
  if (set.version !== mapping.version) {
    return flowProblem('1412-400', 'Invalid Mapping Version in request.');
  }
  const written = objectAt(objectAt(set, 'outputSchema'), 'schemaRef').id;
  for (const id of idsAt(body, 'targetConnectionIds')) {
    const target = sandbox.targetConnections.get(id);
    if (target && targetOf(target).schemaId !== written) {
      const text = `Error while matching schema in target dataset with schema in mapping ${mapping.id}.`;
      return flowProblem('1425-400', text);
    }
  }
  return undefined;
}

/** Raw data needs a flow with a mapping. */
function isRaw(flow: Pick<TwinFlowObject, 'body'>, sandbox: Sandbox): boolean {
  return baseConnectionIds(flow, sandbox).some((id) => {
    const connection = sandbox.connections.get(id);
    return connection !== undefined && connectionParams(connection).dataType === 'raw';
  });
}

function acceptFlow(body: JsonObject, { sandbox }: PlatformCall): Accepted {
  if (body.state !== undefined) {
    return flowProblem('1410-400', '`State` is not allowed in the create flow request.');
  }
  const problem =
    specProblem(body, 'flowSpec', [PLAIN_SPEC, MAPPING_SPEC]) ??
    idsProblem(body, 'sourceConnectionIds', sandbox.sourceConnections) ??
    idsProblem(body, 'targetConnectionIds', sandbox.targetConnections);
  if (problem) return problem;
  const hasMapping = objectAt(body, 'flowSpec').id === MAPPING_SPEC;
  if (!hasMapping && isRaw({ body }, sandbox)) {
    return invalidBody(`raw data needs a mapping and flowSpec ${MAPPING_SPEC}.`);
  }
  return (hasMapping ? mappingProblem(body, sandbox) : undefined) ?? { body };
}

/** The connections of a flow and its last run, which GET shows in it. */
function shown(flow: TwinFlowObject, { sandbox, headers }: PlatformCall): JsonObject {
  const { id, body, createdAt, updatedAt } = flow;
  const [baseId = ''] = baseConnectionIds(flow, sandbox);
  const base = sandbox.connections.get(baseId);
  const options = base && { inletUrl: `http://${headers.host ?? ''}/collection/${base.inletId}` };
  const connections = (member: string, objects: ReadonlyMap<string, TwinFlowObject>): JsonObject[] =>
    idsAt(body, member).map((item) => ({
      id: item,
      connectionSpec: objectAt(objects.get(item)?.body, 'connectionSpec'),
    }));
  const run = sandbox.runs.findLast(({ flowId }) => flowId === id);
  return {
    ...(options ? { options } : {}),
    inheritedAttributes: {
      sourceConnections: connections('sourceConnectionIds', sandbox.sourceConnections),
      targetConnections: connections('targetConnectionIds', sandbox.targetConnections),
    },
    runs: `/runs?property=flowId==${id}`,
    lastOperation: { started: createdAt, updated: updatedAt, operation: 'create' },
    ...(run
      ? {
          lastRunDetails: {
            id: run.id,
            state: runStatus(run),
            startedAtUTC: run.startedAt,
            completedAtUTC: run.completedAt,
          },
        }
      : {}),
  };
}

const FLOWS: FlowCollection<TwinFlowObject> = {
  name: 'flows',
  objects: ({ flows }) => flows,
  accept: acceptFlow,
  make: (object) => object,
  shown,
  keep: () => undefined,
  onDelete: () => undefined,
};

const STATES: Readonly<Record<string, TwinFlowObject['state']>> = { enable: 'enabled', disable: 'disabled' };

/** `POST …/action?op=enable`: the state of a flow changes in no other way. */
function act(call: PlatformCall): Answer {
  const found = objectOf(call, FLOWS);
  if ('status' in found) return found;
  const { object } = found;
  const stale = versionProblem(call, object, false);
  if (stale) return stale;
  const op = (call.query.get('op') ?? '').toLowerCase();
  const state = STATES[op];
  if (state === undefined) return flowProblem('1434-400', `Unsupported operation '${op}' received.`);
  if (object.state === state) {
    return flowProblem('1422-400', `The action ${op} cannot be applied on the current state ${state}.`);
  }
  object.state = state;
  return touch(object, call.now);
}

/** Dataflows (docs/platforms/adobe.md#flow-service). */
export const DATAFLOW_ROUTES: readonly PlatformRoute[] = [
  ...collectionRoutes(FLOWS),
  { method: 'POST', path: `${FLOW_SERVICE}/flows/:id/action`, permission: 'Manage Sources', answer: act },
];
