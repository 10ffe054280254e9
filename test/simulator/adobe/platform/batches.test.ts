import { describe, expect, it } from 'vitest';
import { anEvent, type Json } from '../adobe-client.ts';
import { FLOW_SERVICE, itemsOf, setUp } from './flow-rig.ts';

const BATCHES = '/data/foundation/catalog/batches';
const RUNS = `${FLOW_SERVICE}/runs`;

/** A dataset with a batch of two records and then one that failed, with a record of each kind. */
async function withBatches() {
  let now = Date.parse('2026-05-01T00:00:00Z');
  const rig = await setUp({ now: () => now });
  now += 1_000;
  await rig.sendAll([rig.envelope(anEvent('a')), rig.envelope(anEvent('b'))]);
  await rig.settled();
  const between = now;
  now += 1_000;
  await rig.sendAll([
    rig.envelope(anEvent('c')),
    rig.envelope(anEvent('bad', 'c', { timestamp: 'never', eventType: 1 })),
    rig.envelope(undefined),
  ]);
  await rig.settled();
  const list = async (query: string) => {
    const answer = await rig.adobe.get(`${BATCHES}${query}`);
    return Object.entries(answer.json as Record<string, Json>);
  };
  return { ...rig, between, list };
}

describe('batches of Catalog', () => {
  it('are listed by status, dataset and time', async () => {
    const { list, datasetId, between } = await withBatches();
    const all = await list('');
    expect(all.map(([, { status }]) => status)).toEqual(['success', 'success', 'failed']);
    expect(all[0]?.[0]).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(all[0]?.[1]).toMatchObject({
      recordCount: 2,
      failedRecordCount: 0,
      errors: [],
      relatedObjects: [{ type: 'dataSet', id: datasetId }],
    });
    const failed = await list(
      `?status=failed&dataSet=${datasetId}&createdAfter=${between}&orderBy=desc:created`,
    );
    expect(failed).toHaveLength(1);
    expect(failed[0]?.[1]).toMatchObject({
      recordCount: 0,
      failedRecordCount: 2,
      errors: [
        { code: 'DCVS-1105-400', description: '#/timestamp: is not a valid date-time', rows: ['0'] },
        { code: 'DCVS-1104-400', rows: ['0'] },
        { code: 'DCVS-0000-400', description: '#: Payload body is missing xdmEntity', rows: ['1'] },
      ],
    });
    expect(await list(`?status=failed&createdAfter=${between + 60_000}`)).toEqual([]);
    expect(await list('?dataSet=other')).toEqual([]);
  });

  it('are ordered, in pages, and with the members that are asked for', async () => {
    const { list } = await withBatches();
    const ids = async (query: string) => (await list(query)).map(([id]) => id);
    const all = await ids('?orderBy=asc:created');
    expect(await ids('?orderBy=desc:created&limit=1')).not.toEqual(all.slice(0, 1));
    expect(await ids('?orderBy=asc:created&start=1&limit=1')).toEqual(all.slice(1, 2));
    expect((await list('?properties=status,errors&limit=1'))[0]?.[1]).toEqual({
      status: 'success',
      errors: [],
    });
  });

  it('are found by their id', async () => {
    const { adobe, list } = await withBatches();
    const [[id]] = (await list('')) as [[string, Json]];
    expect((await adobe.get(`${BATCHES}/${id}`)).json).toMatchObject({ [id]: { status: 'success' } });
    expect((await adobe.get(`${BATCHES}/none`)).status).toBe(404);
  });
});

describe('the files of a batch', () => {
  it('that failed name the errors of each record', async () => {
    const { adobe, list, simulator } = await withBatches();
    const [[id]] = (await list('?status=failed')) as [[string, Json]];
    const files = await adobe.get(`/data/foundation/export/batches/${id}/failed`);
    const data = files.json['data'] as { name: string; length: string; _links: { self: { href: string } } }[];
    expect(data.map(({ name }) => name)).toEqual([
      '_SUCCESS',
      expect.stringMatching(/^part-00000-.+\.json$/),
    ]);
    expect(files.json['_page']).toEqual({ limit: 100, count: 2 });
    const [, part] = data;
    const { text } = await adobe.get(part?._links.self.href.replace(simulator.url, '') ?? '');
    expect(Buffer.byteLength(text)).toBe(Number(part?.length));
    const [bad, empty] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Json);
    expect(bad).toMatchObject({
      body: { xdmEntity: { _id: 'bad' } },
      _validationErrors: [
        { pointerToViolation: '#/timestamp', schemaLocation: '#/properties/timestamp', keyword: 'format' },
        { keyword: 'type' },
      ],
    });
    expect(empty).toMatchObject({ _validationErrors: [{ message: 'Payload body is missing xdmEntity' }] });
    const path = `/data/foundation/export/batches/${id}/failed?path=none`;
    expect((await adobe.get(path)).status).toBe(404);
  });

  it('that failed for their header have the errors apart', async () => {
    const rig = await setUp({ params: { sourceId: undefined } });
    await rig.send(rig.envelope(anEvent('a')));
    await rig.settled();
    const id = rig.simulator.landed()[0]?.fate?.batchId;
    const base = `/data/foundation/export/batches/${id}/failed`;
    const data = (await rig.adobe.get(base)).json['data'] as { name: string }[];
    const { json } = await rig.adobe.get(`${base}?path=${data[1]?.name}`);
    const message = 'Payload header is missing Source Name';
    expect(json['_errors']).toEqual({ _streamingValidation: [{ message }] });
  });

  it('in the lake have its records', async () => {
    const { adobe, list } = await withBatches();
    const [[id]] = (await list('?status=success')) as [[string, Json]];
    const files = (await adobe.get(`/data/foundation/export/batches/${id}/files`)).json['data'] as Json[];
    expect(files).toMatchObject([{ records: '2', isValid: true }]);
    const path = `/data/foundation/export/files/${String(files[0]?.['dataSetFileId'])}`;
    const parts = (await adobe.get(path)).json['data'] as { name: string }[];
    const { text } = await adobe.get(`${path}?path=${parts[0]?.name}`);
    const ids = text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as Json)['_id']);
    expect(ids).toEqual(['a', 'b']);
    expect((await adobe.get('/data/foundation/export/batches/none/files')).status).toBe(404);
    expect((await adobe.get('/data/foundation/export/files/none')).status).toBe(404);
  });
});

describe('runs of a flow', () => {
  it('count its records, and are filtered by flow and status', async () => {
    const { adobe, flowId, list } = await withBatches();
    const runs = itemsOf(await adobe.get(`${RUNS}?property=flowId==${flowId}`));
    const [, second] = runs;
    expect(runs).toMatchObject([
      {
        flowId,
        metrics: {
          recordSummary: { inputRecordCount: 2, outputRecordCount: 2, failedRecordCount: 0 },
          statusSummary: { status: 'success' },
        },
      },
      {
        metrics: {
          recordSummary: { inputRecordCount: 3, outputRecordCount: 1, failedRecordCount: 2 },
          statusSummary: { status: 'success', errors: [{ code: 'DCVS-1105-400' }, {}, {}] },
        },
      },
    ]);
    const [[batchId]] = (await list('?status=failed')) as [[string, Json]];
    expect(JSON.stringify(second)).toContain(batchId);
    const failed = `property=metrics.statusSummary.status==Failed`;
    expect(itemsOf(await adobe.get(`${RUNS}?property=flowId==${flowId}&${failed}`))).toEqual([]);
    expect(itemsOf(await adobe.get(`${RUNS}?property=flowId==none`))).toEqual([]);
    const one = await adobe.get(`${RUNS}/${String(second?.['id'])}`);
    expect(itemsOf(one)).toEqual([second]);
    expect((await adobe.get(`${RUNS}/none`)).status).toBe(404);
  });

  it('are failed if all records are, which the flow shows too', async () => {
    const rig = await setUp();
    await rig.send(rig.envelope(anEvent('bad', 'c', { timestamp: 'never' })));
    await rig.settled();
    const failed = itemsOf(await rig.adobe.get(`${RUNS}?property=metrics.statusSummary.status==Failed`));
    expect(failed).toMatchObject([{ flowId: rig.flowId }]);
    const flow = await rig.adobe.get(`${FLOW_SERVICE}/flows/${rig.flowId}`);
    expect(itemsOf(flow)).toMatchObject([{ lastRunDetails: { id: failed[0]?.['id'], state: 'failed' } }]);
  });

  it('do not show what the flow lost', async () => {
    const rig = await setUp({ warmUpMs: 300_000 });
    await rig.send(rig.envelope(anEvent('a')));
    await rig.settled();
    expect(itemsOf(await rig.adobe.get(RUNS))).toEqual([]);
  });
});

describe('the numbers of Observability Insights', () => {
  const METRICS = '/data/infrastructure/observability/insights/metrics';
  const query = (datasetId: string, more: Json = {}): Json => ({
    start: '2026-05-01T00:00:00Z',
    end: '2026-05-01T01:00:00Z',
    granularity: 'hour',
    metrics: [
      {
        name: 'timeseries.ingestion.dataset.recordsuccess.count',
        filters: [{ name: 'dataSetId', value: datasetId, groupBy: true }],
        aggregator: 'sum',
      },
    ],
    ...more,
  });

  it('count the records of a dataset that reached the lake', async () => {
    const { adobe, datasetId } = await withBatches();
    const answer = await adobe.post(METRICS, query(datasetId));
    expect(answer.json).toMatchObject({
      metricResponses: [
        { datapoints: [{ groupBy: { dataSetId: datasetId }, dps: { '2026-05-01T00:00:00Z': 3 } }] },
      ],
    });
    const other = await adobe.post(METRICS, query('none'));
    expect(other.json).toMatchObject({ metricResponses: [{ datapoints: [] }] });
  });

  it.each([
    ['no time', { start: 'soon' }],
    ['an unknown granularity', { granularity: 'second' }],
  ])('are refused with %s', async (_what, more) => {
    const { adobe, datasetId } = await withBatches();
    expect((await adobe.post(METRICS, query(datasetId, more))).status).toBe(400);
  });
});
