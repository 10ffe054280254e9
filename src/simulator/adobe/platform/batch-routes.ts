import type { JsonObject } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import { sandboxId } from './flow-collection.ts';
import type { PlatformCall, PlatformRoute } from './platform-route.ts';
import { olderError } from './registry-errors.ts';
import type { TwinBatch } from './sandbox.ts';

const BATCHES = '/data/foundation/catalog/batches';
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** A batch as Catalog shows it (docs/platforms/adobe.md#batches). */
function viewOf(batch: TwinBatch, { sandbox }: PlatformCall): JsonObject {
  const { status, createdAt, completedAt, records, bytes } = batch;
  const flow = sandbox.flows.get(batch.flowId);
  const count = records.length;
  return {
    imsOrg: flow?.imsOrgId ?? '',
    sandboxId: sandboxId(sandbox.name),
    created: createdAt,
    createdClient: 'acp_foundation_push',
    createdUser: 'acp_foundation_push@AdobeID',
    updatedUser: 'acp_foundation_push@AdobeID',
    updated: completedAt,
    started: createdAt,
    completed: completedAt,
    status,
    recordCount: status === 'failed' ? 0 : count,
    failedRecordCount: status === 'failed' ? count : 0,
    size: bytes,
    errors: batch.errors.map(({ code, description, rows }) => ({ code, description, rows: [...rows] })),
    relatedObjects: [{ type: 'dataSet', id: batch.datasetId }],
    metrics: {},
    tags: { flowId: [batch.flowId] },
    version: '1.0.1',
  };
}

type Condition = (batch: TwinBatch, value: string) => boolean;

/** The filters of the query that the twin knows; others have no effect. */
const FILTERS: Readonly<Record<string, Condition>> = {
  status: (batch, value) => value.split(',').includes(batch.status),
  dataSet: (batch, value) => value.split(',').includes(batch.datasetId),
  batch: (batch, value) => value.split(',').includes(batch.id),
  createdAfter: (batch, value) => batch.createdAt > Number(value),
  createdBefore: (batch, value) => batch.createdAt < Number(value),
};

/** `desc:created`; without a direction, ascending. */
function inOrder(batches: readonly TwinBatch[], orderBy: string | null): readonly TwinBatch[] {
  const [direction, field] = orderBy?.includes(':') ? orderBy.split(':') : ['asc', orderBy];
  if (field !== 'created' && field !== 'updated' && field !== 'completed') return batches;
  const timeOf = ({ createdAt, completedAt }: TwinBatch): number =>
    field === 'created' ? createdAt : completedAt;
  const sign = direction === 'desc' ? -1 : 1;
  return batches.toSorted((left, right) => sign * (timeOf(left) - timeOf(right)));
}

function numberIn(query: URLSearchParams, name: string, absent: number): number {
  const value = Number(query.get(name) ?? absent);
  return Number.isInteger(value) && value >= 0 ? value : absent;
}

/** The members that `properties` names, or all. */
function narrowed(view: JsonObject, properties: string | null): JsonObject {
  if (properties === null || properties === '') return view;
  const names = properties.split(',');
  return Object.fromEntries(Object.entries(view).filter(([name]) => names.includes(name)));
}

function list(call: PlatformCall): Answer {
  const { sandbox, query } = call;
  const conditions = Object.entries(FILTERS).flatMap(([name, condition]) => {
    const value = query.get(name);
    return value === null ? [] : [(batch: TwinBatch) => condition(batch, value)];
  });
  const found = sandbox.batches.filter((batch) => conditions.every((condition) => condition(batch)));
  const start = numberIn(query, 'start', 0);
  const limit = Math.min(numberIn(query, 'limit', DEFAULT_LIMIT), MAX_LIMIT);
  const page = inOrder(found, query.get('orderBy')).slice(start, start + limit);
  const views = page.map(
    (batch) => [batch.id, narrowed(viewOf(batch, call), query.get('properties'))] as const,
  );
  return jsonAnswer(200, Object.fromEntries(views));
}

/** The batch that the path names, or the answer that there is none. */
export function batchOf({ sandbox, params }: PlatformCall): { readonly batch: TwinBatch } | Answer {
  const batch = sandbox.batches.find(({ id }) => id === params.id);
  return batch ? { batch } : olderError(404, 'NotFoundError', 'Object not found');
}

function get(call: PlatformCall): Answer {
  const found = batchOf(call);
  if ('status' in found) return found;
  return jsonAnswer(200, { [found.batch.id]: viewOf(found.batch, call) });
}

/** Batches of Catalog, by id (docs/platforms/adobe.md#batches). */
export const BATCH_ROUTES: readonly PlatformRoute[] = [
  { method: 'GET', path: BATCHES, permission: 'View Datasets', answer: list },
  { method: 'GET', path: `${BATCHES}/:id`, permission: 'View Datasets', answer: get },
];
