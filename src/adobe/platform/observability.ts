import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { PlatformClient, PlatformResult } from './platform-client.ts';
import { objectsOf, readAnswer } from './typed-answer.ts';

const METRICS = '/data/infrastructure/observability/insights/metrics';

/**
 * Records of a dataset that reached the data lake.
 * Source: docs/platforms/adobe.md#counts
 */
const RECORDS_IN_LAKE = 'timeseries.ingestion.dataset.recordsuccess.count';

export interface LakeCountQuery {
  readonly datasetId: string;
  /** Epoch ms, inclusive. */
  readonly from: number;
  /** Epoch ms, exclusive. */
  readonly until: number;
}

/** Records that reached the lake within an hour. */
export interface LakeCount {
  /** Epoch ms of its beginning. */
  readonly at: number;
  readonly records: number;
}

function pointsOf(datapoint: JsonObject): LakeCount[] {
  const { dps } = datapoint;
  if (!isJsonObject(dps)) return [];
  return Object.entries(dps).flatMap(([time, records]) => {
    const at = Date.parse(time);
    return Number.isNaN(at) || typeof records !== 'number' ? [] : [{ at, records }];
  });
}

function countsIn(body: JsonValue | undefined): LakeCount[] | undefined {
  const metrics = isJsonObject(body) ? objectsOf(body['metricResponses']) : undefined;
  const datapoints = metrics?.flatMap((metric) => objectsOf(metric['datapoints']) ?? []);
  return datapoints?.flatMap(pointsOf).toSorted((left, right) => left.at - right.at);
}

/**
 * How many records of a dataset reached the data lake, by hours; those without any are omitted.
 * Source: docs/platforms/adobe.md#counts
 */
export async function readLakeCounts(
  client: PlatformClient,
  { datasetId, from, until }: LakeCountQuery,
): Promise<PlatformResult<readonly LakeCount[]>> {
  const answer = await client.post(METRICS, {
    start: new Date(from).toISOString(),
    end: new Date(until).toISOString(),
    granularity: 'hour',
    metrics: [
      {
        name: RECORDS_IN_LAKE,
        filters: [{ name: 'dataSetId', value: datasetId, groupBy: true }],
        aggregator: 'sum',
      },
    ],
  });
  return readAnswer(answer, `POST ${METRICS}`, countsIn);
}
