import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import {
  createFlowObject,
  enableFlow,
  type FlowKind,
  type FlowObject,
  readFlowObject,
  SPECS,
} from '../../adobe/platform/flow-service.ts';
import type { RecordClass } from '../../xdm/standard-groups.ts';
import { CONNECTION, locateFlowObject } from './connection-steps.ts';
import { findMapping } from './mapping-step.ts';
import { isMarked, markedName } from './object-marker.ts';
import { type Difference, type Looked, type Step, valueOf } from './provision-step.ts';
import { configuredId, isLocated, type Located, sectionOf, type StepContext } from './step-context.ts';

const NAMES = { event: 'Capillary loyalty events', profile: 'Capillary loyalty profiles' } as const;

function textAt(value: JsonValue | undefined, ...path: readonly string[]): string | undefined {
  let node: JsonValue | undefined = value;
  for (const key of path) node = isJsonObject(node) ? node[key] : undefined;
  return typeof node === 'string' ? node : undefined;
}

function idsIn({ body }: FlowObject, key: 'sourceConnectionIds' | 'targetConnectionIds'): string[] {
  const ids = body[key];
  return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
}

/** The dataflow of a record, which also names its source and its target. */
export function locateFlow(context: StepContext, record: RecordClass) {
  const id = configuredId(context, record, 'flowId');
  return locateFlowObject(context, 'flows', {
    key: `flow:${record}`,
    name: markedName(NAMES[record], context.destination.name),
    what: 'dataflow',
    configured: id === undefined ? undefined : { id, key: `${sectionOf(record)}.flowId` },
  });
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
  const { client, state, destination } = context;
  const key = `${end.step}:${record}`;
  const flow = await locateFlow(context, record);
  const [id] = isLocated(flow) ? idsIn(flow.object, end.member) : [];
  const object = id === undefined ? undefined : valueOf(await readFlowObject(client, end.service, id));
  if (object === undefined) {
    const name = markedName(NAMES[record], destination.name);
    return locateFlowObject(context, end.service, { key, name, what: end.kind });
  }
  const known = state.object(key);
  const isOurs = (known?.by === 'made' && known.id === object.id) || isMarked(object.name, destination.name);
  return { object, isOurs };
}

function foundEnd(
  { object, isOurs }: Located<FlowObject>,
  fault: { readonly what: string; readonly fix: string } | undefined,
): Looked {
  if (fault !== undefined) return { state: 'blocked', ...fault };
  return { state: 'found', id: object.id, name: object.name, isOurs, differences: [] };
}

/** What a person does about a dataflow that is connected to something else: it stays so. */
function reconnect({ missing }: StepContext, record: RecordClass, { id }: FlowObject, other: string): string {
  const section = sectionOf(record);
  return missing.has(`${section}.flowId`)
    ? `delete the dataflow with the ${section === 'events' ? 'events' : 'profile records'} in AEP, or rename it and ${id}; then run the command again: it makes another one`
    : `correct ${section}.flowId or ${other}`;
}

export function sourceStep(context: StepContext, record: RecordClass): Step {
  const { client, destination, ids } = context;
  const name = markedName(NAMES[record], destination.name);
  return {
    key: `source:${record}`,
    kind: 'source connection',
    name,
    look: async () => {
      const located = await locateEnd(context, record, SOURCE);
      if (!isLocated(located)) return located;
      const base = textAt(located.object.body, 'baseConnectionId');
      const expected = ids.get(CONNECTION);
      const isOther = expected !== undefined && base !== expected;
      const fix = reconnect(context, record, located.object, 'inletUrl');
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
  const name = markedName(NAMES[record], destination.name);
  const schema = (): string => ids.get(`schema:${record}`) ?? '';
  return {
    key: `target:${record}`,
    kind: 'target connection',
    name,
    look: async () => {
      const located = await locateEnd(context, record, TARGET);
      if (!isLocated(located)) return located;
      const { body } = located.object;
      const dataset = textAt(body, 'params', 'dataSetId') ?? textAt(body, 'params', 'datasetId');
      const expected = ids.get(`dataset:${record}`);
      const isOther = expected !== undefined && dataset !== expected;
      const fix = reconnect(context, record, located.object, `${sectionOf(record)}.datasetId`);
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
  const what = `it is ${object.state}: AEP takes its data and drops them`;
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
  const name = markedName(NAMES[record], destination.name);
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
        changedAt: object.updatedAt,
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
