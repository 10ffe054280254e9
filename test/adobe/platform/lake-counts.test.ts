import { describe, expect, it } from 'vitest';
import { listFlowRunsSince } from '../../../src/adobe/platform/flow-runs.ts';
import { readLakeCounts } from '../../../src/adobe/platform/observability.ts';
import type { Script } from '../scripted-server.ts';
import { setUpPlatform } from './platform-rig.ts';

const HOUR = Date.UTC(2026, 9, 1, 8);
const QUERY = { datasetId: 'd-1', from: HOUR, until: HOUR + 7_200_000 };
function answer(body: unknown, status = 200): Script {
  return (_request, response) => void response.writeHead(status).end(JSON.stringify(body));
}

const signal = new AbortController().signal;

describe('the numbers of a dataset', () => {
  it('are read by hours', async () => {
    const dps = {
      '2026-10-01T09:00:00Z': 5,
      '2026-10-01T08:00:00Z': 12,
      odd: 1,
      '2026-10-01T10:00:00Z': '7',
    };
    const body = { metricResponses: [{ metric: 'm', datapoints: [{ groupBy: {}, dps }] }] };
    const { client, server } = await setUpPlatform(answer(body));
    expect(await readLakeCounts(client, QUERY)).toEqual({
      ok: true,
      value: [
        { at: HOUR, records: 12 },
        { at: HOUR + 3_600_000, records: 5 },
      ],
    });
    expect(server.requests[0]?.url).toBe('/data/infrastructure/observability/insights/metrics');
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
      start: '2026-10-01T08:00:00.000Z',
      end: '2026-10-01T10:00:00.000Z',
      granularity: 'hour',
      metrics: [
        {
          name: 'timeseries.ingestion.dataset.recordsuccess.count',
          filters: [{ name: 'dataSetId', value: 'd-1', groupBy: true }],
          aggregator: 'sum',
        },
      ],
    });
  });

  it.each([
    ['no metric', { metricResponses: [] }, []],
    ['no numbers', { metricResponses: [{ metric: 'm', datapoints: [] }] }, []],
  ])('are none with %s', async (_what, body, value) => {
    const { client } = await setUpPlatform(answer(body));
    expect(await readLakeCounts(client, QUERY)).toEqual({ ok: true, value });
  });

  it('are not read from an answer of another form', async () => {
    const { client } = await setUpPlatform(answer({ error: 'x' }));
    expect(await readLakeCounts(client, QUERY)).toMatchObject({ ok: false, error: { kind: 'foreign' } });
  });
});

describe('the runs of a dataflow', () => {
  const run = (id: number) => ({
    id: `r${id}`,
    createdAt: id,
    metrics: {
      durationSummary: { startedAtUTC: id, completedAtUTC: id + 1 },
      recordSummary: { inputRecordCount: 1, outputRecordCount: 1, failedRecordCount: 0 },
      statusSummary: { status: 'success' },
    },
  });

  it('are read page by page until they are too old; one that moves to the next page counts once', async () => {
    const pages = [
      { items: [run(9), run(8)], _links: { next: { href: '/runs?continuationToken=a' } } },
      { items: [run(8), run(7)], _links: { next: { href: '/runs?continuationToken=b' } } },
      { items: [run(2), run(1)], _links: { next: { href: '/runs?continuationToken=c' } } },
    ];
    const { client, server } = await setUpPlatform((_request, response) => {
      response.end(JSON.stringify(pages.shift() ?? { items: [run(0)] }));
    });
    const runs = await listFlowRunsSince(client, 'f-1', 3, signal);
    expect(runs.ok && runs.value.map(({ id, completedAt }) => [id, completedAt])).toEqual([
      ['r7', 8],
      ['r8', 9],
      ['r9', 10],
    ]);
    expect(server.requests.map(({ url }) => url?.split('?')[1])).toEqual([
      'property=flowId%3D%3Df-1&orderby=-createdAt&limit=100',
      'continuationToken=a',
      'continuationToken=b',
    ]);
  });

  it('are not read in part: a page that fails is a failure', async () => {
    const first = { items: [run(9)], _links: { next: { href: '/runs?continuationToken=a' } } };
    const { client } = await setUpPlatform((request, response, count) =>
      (count === 1 ? answer(first) : answer({ error_code: '1' }, 403))(request, response, count),
    );
    expect(await listFlowRunsSince(client, 'f-1', 3, signal)).toMatchObject({
      ok: false,
      error: { kind: 'forbidden' },
    });
  });

  it('end with the reason of the signal', async () => {
    const { client } = await setUpPlatform(answer({ items: [] }));
    const reason = new Error('stopped');
    await expect(listFlowRunsSince(client, 'f-1', 3, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
