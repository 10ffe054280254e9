import type { JsonObject } from '../../capillary/json.ts';
import {
  createFlowObject,
  enableFlow,
  type FlowKind,
  type FlowObject,
  findFlowObjects,
  readFlowObject,
  SPECS,
  targetDataset,
} from '../../adobe/platform/flow-service.ts';
import { textIn } from '../../adobe/platform/typed-answer.ts';
import type { RecordClass } from '../../xdm/standard-groups.ts';
import { CONNECTION, locateFlowObject, locateSource } from './connection-steps.ts';
import { changedAtOf } from './dataflow-settle.ts';
import { findMapping } from './mapping-step.ts';
import { recordName } from './object-names.ts';
import { type Difference, type Looked, type Step, valueOf } from './provision-step.ts';
import {
  configuredId,
  idKey,
  isLocated,
  isOwn,
  type Located,
  type StepContext,
  type Unlocated,
} from './step-context.ts';

function idsIn({ body }: FlowObject, key: 'sourceConnectionIds' | 'targetConnectionIds'): string[] {
  const ids = body[key];
  return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
}

/**
 * The dataflow of a record, which also names its source and its target. Without the state file it
 * is found by its source connection if somebody has renamed it.
 */
async function locateFlow(
  context: StepContext,
  record: RecordClass,
): Promise<Located<FlowObject> | Unlocated> {
  const located = await locateFlowObject(context, 'flows', {
    key: `flow:${record}`,
    name: recordName(record, context.destination.name),
    what: 'dataflow',
    configured: configuredId(context, record, 'flowId'),
  });
  if (isLocated(located) || located.state === 'blocked') return located;
  const source = await locateSource(context, record);
  if (source === undefined) return located;
  const filter = `sourceConnectionIds[]==${source.id}`;
  const [object] = valueOf(await findFlowObjects(context.client, 'flows', [filter]));
  return object === undefined ? located : { object, isOurs: false };
}

/** One end of a dataflow. */
interface FlowEnd {
  readonly step: 'source' | 'target';
  readonly kind: 'source connection' | 'target connection';
  readonly service: Extract<FlowKind, 'sourceConnections' | 'targetConnections'>;
  readonly member: 'sourceConnectionIds' | 'targetConnectionIds';
}

const SOURCE: FlowEnd = {
  step: 'source',
  kind: 'source connection',
  service: 'sourceConnections',
  member: 'sourceConnectionIds',
};
const TARGET: FlowEnd = {
  step: 'target',
  kind: 'target connection',
  service: 'targetConnections',
  member: 'targetConnectionIds',
};

/** The end that the dataflow has, or one that was made for a dataflow that does not exist yet. */
async function locateEnd(context: StepContext, record: RecordClass, end: FlowEnd) {
  const { client, destination } = context;
  const key = `${end.step}:${record}`;
  const flow = await locateFlow(context, record);
  const [id] = isLocated(flow) ? idsIn(flow.object, end.member) : [];
  const object = id === undefined ? undefined : valueOf(await readFlowObject(client, end.service, id));
  if (object === undefined) {
    const name = recordName(record, destination.name);
    return locateFlowObject(context, end.service, { key, name, what: end.kind });
  }
  return { object, isOurs: isOwn(context, key, object) };
}

function foundEnd(
  { object, isOurs }: Located<FlowObject>,
  fault: { readonly what: string; readonly fix: string } | undefined,
): Looked {
  if (fault !== undefined) return { state: 'blocked', ...fault };
  return { state: 'found', id: object.id, name: object.name, isOurs, differences: [] };
}

/**
 * What a person does about a dataflow that is connected to something else: it stays so.
 * @param use how the configuration names what the dataflow is connected to
 */
function reconnect(
  { missing }: StepContext,
  record: RecordClass,
  { id }: FlowObject,
  key: string,
  use: string,
): string {
  const flowKey = idKey(record, 'flowId');
  return missing.has(flowKey)
    ? `write ${use}, or delete the dataflow and its ${key === 'inletUrl' ? 'source' : 'target'} connection ${id} in AEP and run the same command again: it makes others`
    : `correct ${flowKey} or ${key}`;
}

export function sourceStep(context: StepContext, record: RecordClass): Step {
  const { client, destination, ids } = context;
  const name = recordName(record, destination.name);
  return {
    key: `source:${record}`,
    kind: 'source connection',
    name,
    look: async () => {
      const located = await locateEnd(context, record, SOURCE);
      if (!isLocated(located)) return located;
      const base = textIn(located.object.body, 'baseConnectionId');
      const expected = ids.get(CONNECTION);
      const isOther = expected !== undefined && base !== expected;
      const use = `the inlet of the connection ${base} as inletUrl`;
      const fix = reconnect(context, record, located.object, 'inletUrl', use);
      const what = `the dataflow reads from the connection ${base ?? 'none'}, not ${expected}`;
      return foundEnd(located, isOther ? { what, fix } : undefined);
    },
    make: async () =>
      valueOf(
        await createFlowObject(client, 'sourceConnections', {
          name,
          baseConnectionId: ids.get(CONNECTION) ?? '',
          connectionSpec: { id: SPECS.streaming, version: '1.0' },
        }),
      ),
  };
}

export function targetStep(context: StepContext, record: RecordClass): Step {
  const { client, destination, ids } = context;
  const name = recordName(record, destination.name);
  const schema = (): string => ids.get(`schema:${record}`) ?? '';
  return {
    key: `target:${record}`,
    kind: 'target connection',
    name,
    look: async () => {
      const located = await locateEnd(context, record, TARGET);
      if (!isLocated(located)) return located;
      const dataset = targetDataset(located.object);
      const expected = ids.get(`dataset:${record}`);
      const isOther = expected !== undefined && dataset !== expected;
      const key = idKey(record, 'datasetId');
      const fix = reconnect(context, record, located.object, key, `\`${key}: ${dataset}\``);
      const what = `the dataflow writes to the dataset ${dataset ?? 'none'}, not ${expected}`;
      return foundEnd(located, isOther ? { what, fix } : undefined);
    },
    make: async () =>
      valueOf(
        await createFlowObject(client, 'targetConnections', {
          name,
          data: { schema: { id: schema(), version: 'application/vnd.adobe.xed-full+json;version=1.0' } },
          params: { dataSetId: ids.get(`dataset:${record}`) ?? '' },
          connectionSpec: { id: SPECS.dataLake, version: '1.0' },
        }),
      ),
  };
}

function stateDifferences({ client }: StepContext, { object, isOurs }: Located<FlowObject>): Difference[] {
  if (object.state === undefined || object.state === 'enabled') return [];
  const what = `it is ${object.state}: AEP accepts its records and drops them`;
  const change = async (): Promise<void> => {
    valueOf(await enableFlow(client, object));
  };
  return isOurs ? [{ what, change }] : [{ what, fix: 'enable the dataflow in AEP, under Sources' }];
}

/** The specification of a dataflow, and its mapping if the relay forwards the payload. */
async function specOf(context: StepContext, record: RecordClass): Promise<JsonObject> {
  if (context.destination.format === 'xdm') return { flowSpec: { id: SPECS.xdmFlow, version: '1.0' } };
  const set = await findMapping(context, record);
  const params = { mappingId: set?.id ?? '', mappingVersion: set?.version ?? 0 };
  return {
    flowSpec: { id: SPECS.mappedFlow, version: '1.0' },
    transformations: [{ name: 'Mapping', params }],
  };
}

export function flowStep(context: StepContext, record: RecordClass): Step {
  const { client, destination, ids } = context;
  const name = recordName(record, destination.name);
  return {
    key: `flow:${record}`,
    kind: 'dataflow',
    name,
    look: async () => {
      const located = await locateFlow(context, record);
      if (!isLocated(located)) return located;
      const { object, isOurs } = located;
      const differences = stateDifferences(context, located);
      return {
        state: 'found',
        id: object.id,
        name: object.name,
        isOurs,
        differences,
        changedAt: changedAtOf(object, client.clockAheadMs()),
      };
    },
    make: async () =>
      valueOf(
        await createFlowObject(client, 'flows', {
          name,
          ...(await specOf(context, record)),
          sourceConnectionIds: [ids.get(`source:${record}`) ?? ''],
          targetConnectionIds: [ids.get(`target:${record}`) ?? ''],
        }),
      ),
  };
}
