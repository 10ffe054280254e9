import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import type { PlatformCall, PlatformRoute } from './platform-route.ts';
import type { TwinBatch } from './sandbox.ts';

/** ms of each granularity (docs/platforms/adobe.md#counts). */
const GRANULARITIES: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** What the twin counts, by the name of the metric. */
const METRICS: Readonly<Record<string, (batch: TwinBatch) => number>> = {
  'timeseries.ingestion.dataset.recordsuccess.count': ({ status, records }) =>
    status === 'success' ? records.length : 0,
  'timeseries.ingestion.dataset.batchfailed.count': ({ status }) => (status === 'failed' ? 1 : 0),
};

function problem(message: string): Answer {
  return jsonAnswer(400, {
    type: 'http://ns.adobe.com/aep/errors/INOBS-1001-400',
    title: 'Bad Request',
    status: 400,
    detail: message,
  });
}

function listOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

interface Query {
  readonly from: number;
  readonly until: number;
  readonly stepMs: number;
}

function answerOf(metric: JsonObject, { from, until, stepMs }: Query, { sandbox }: PlatformCall): JsonObject {
  const name = textOf(metric['name']);
  const valueOf = METRICS[name] ?? (() => 0);
  const datasetIds = listOf(metric['filters'])
    .filter((filter) => filter['name'] === 'dataSetId')
    .map((filter) => textOf(filter['value']));
  const own = sandbox.batches.filter(
    ({ createdAt, datasetId }) =>
      createdAt >= from && createdAt < until && (datasetIds.length === 0 || datasetIds.includes(datasetId)),
  );
  const datapoints = [...Map.groupBy(own, ({ datasetId }) => datasetId)].map(([datasetId, batches]) => {
    const steps = Map.groupBy(batches, ({ createdAt }) => Math.floor(createdAt / stepMs) * stepMs);
    const dps = [...steps].map(([at, all]) => [
      `${new Date(at).toISOString().slice(0, 19)}Z`,
      all.reduce((sum, batch) => sum + valueOf(batch), 0),
    ]);
    return { groupBy: { dataSetId: datasetId }, dps: Object.fromEntries(dps) as JsonObject };
  });
  return { metric: name, filters: metric['filters'] ?? [], datapoints };
}

function metrics(call: PlatformCall): Answer {
  const body = isJsonObject(call.body) ? call.body : {};
  const [from, until] = [Date.parse(textOf(body['start'])), Date.parse(textOf(body['end']))];
  const stepMs = GRANULARITIES[textOf(body['granularity']).toLowerCase()];
  if (Number.isNaN(from) || Number.isNaN(until)) return problem('start and end must be date-times.');
  if (stepMs === undefined) return problem('granularity must be minute, hour or day.');
  const metricResponses = listOf(body['metrics']).map((metric) =>
    answerOf(metric, { from, until, stepMs }, call),
  );
  return jsonAnswer(200, {
    metricResponses,
    _page: { totalCount: metricResponses.length, count: metricResponses.length },
  });
}

/** The numbers of Observability Insights (docs/platforms/adobe.md#counts). */
export const OBSERVABILITY_ROUTES: readonly PlatformRoute[] = [
  {
    method: 'POST',
    path: '/data/infrastructure/observability/insights/metrics',
    permission: 'View Observability Insights',
    answer: metrics,
  },
];
