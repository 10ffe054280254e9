import { describe, expect, it } from 'vitest';
import { listBatches } from '../../../src/adobe/platform/batches.ts';
import { readIdentityDescriptors } from '../../../src/adobe/platform/descriptors.ts';
import { listFailedFiles, readFailedRecords } from '../../../src/adobe/platform/failed-records.ts';
import { listFlowRuns } from '../../../src/adobe/platform/flow-runs.ts';
import { readEvents, readProfile } from '../../../src/adobe/platform/profile-access.ts';
import type { Script } from '../scripted-server.ts';
import { setUpPlatform } from './platform-rig.ts';

function text(body: string, status = 200): Script {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };
}

function json(body: unknown, status = 200): Script {
  return text(JSON.stringify(body), status);
}

describe('batches', () => {
  it('are read with counts and errors', async () => {
    const { client, server } = await setUpPlatform(
      json({
        b1: {
          status: 'failed',
          created: 1_000,
          completed: 2_000,
          recordCount: 0,
          failedRecordCount: 3,
          errors: [{ code: 'DCVS-1104-400', description: 'type', rows: [0, 1, 2] }],
        },
        b2: { status: 'SUCCESS', created: 500, metrics: { outputRecordCount: 7 } },
      }),
    );
    expect(await listBatches(client, { datasetId: 'd 1', status: 'failed', createdAfter: 400 })).toEqual({
      ok: true,
      value: {
        isComplete: true,
        batches: [
          {
            id: 'b1',
            status: 'failed',
            createdAt: 1_000,
            completedAt: 2_000,
            records: 0,
            failedRecords: 3,
            errors: [{ code: 'DCVS-1104-400', description: 'type' }],
          },
          {
            id: 'b2',
            status: 'success',
            createdAt: 500,
            completedAt: undefined,
            records: 7,
            failedRecords: undefined,
            errors: [],
          },
        ],
      },
    });
    expect(server.requests[0]?.url).toBe(
      '/data/foundation/catalog/batches?dataSet=d+1&status=failed&createdAfter=400&orderBy=desc%3Acreated&limit=100&start=0',
    );
  });

  it('are read page by page, up to a thousand', async () => {
    const page = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`b${index}`, { status: 'failed' }]),
    );
    const { client, server } = await setUpPlatform(json(page));
    const list = await listBatches(client, { datasetId: 'd', createdAfter: 0 });
    expect(list).toMatchObject({ ok: true, value: { isComplete: false } });
    expect(server.requests).toHaveLength(10);
    expect(server.requests.at(-1)?.url).toContain('start=900');
  });

  it('that cannot be read are a failure', async () => {
    const { client } = await setUpPlatform(json(['b1']));
    expect(await listBatches(client, { datasetId: 'd', createdAfter: 0 })).toMatchObject({
      ok: false,
      error: { kind: 'foreign' },
    });
  });
});

describe('failed records', () => {
  it('are listed by file, without the marker of completeness', async () => {
    const { client } = await setUpPlatform(
      json({
        data: [
          { name: '_SUCCESS', length: '0' },
          { name: 'part-0.json', length: '1800' },
        ],
      }),
    );
    expect(await listFailedFiles(client, 'b/1')).toEqual({
      ok: true,
      value: [{ name: 'part-0.json', bytes: 1_800 }],
    });
  });

  const violation = {
    message: '[x] is not a valid date-time',
    keyword: 'format',
    pointerToViolation: '#/timestamp',
    causingExceptions: [],
  };

  it.each([
    [
      'one document per line',
      `${JSON.stringify({ body: { xdmEntity: { _id: 'e-1' } }, _validationErrors: [violation] })}\n` +
        `no JSON\n${JSON.stringify({ _errors: { _streamingValidation: [{ code: 'DCVS-1106-400', message: 'enum' }] } })}\n`,
      [
        [{ message: '[x] is not a valid date-time', pointer: '#/timestamp' }],
        [{ code: 'DCVS-1106-400', message: 'enum' }],
      ],
    ],
    [
      'one document for the file, with nested causes',
      JSON.stringify(
        { _validationErrors: [{ message: '1 schema violations found', causingExceptions: [violation] }] },
        undefined,
        2,
      ),
      [[{ message: '[x] is not a valid date-time', pointer: '#/timestamp' }]],
    ],
    [
      'the errors of batch ingestion',
      JSON.stringify({ _corrupt_record: '{', _errors: [{ code: '1401', message: 'Row is corrupted' }] }),
      [[{ code: '1401', message: 'Row is corrupted' }]],
    ],
  ])('are read from %s', async (_what, file, errors) => {
    const { client, server } = await setUpPlatform(text(file));
    const read = await readFailedRecords(client, 'b1', 'part 0.json');
    expect(read.ok && read.value.map((record) => record.errors)).toEqual(errors);
    expect(server.requests[0]?.url).toBe('/data/foundation/export/batches/b1/failed?path=part%200.json');
  });

  it('are not read from a page of a proxy', async () => {
    const { client } = await setUpPlatform(text('<html>Log in</html>'));
    expect(await readFailedRecords(client, 'b1', 'p')).toMatchObject({
      ok: false,
      error: { kind: 'foreign' },
    });
  });
});

it('flow runs have counts and errors', async () => {
  const { client, server } = await setUpPlatform(
    json({
      items: [
        {
          id: 'r1',
          createdAt: 1,
          metrics: {
            durationSummary: { startedAtUTC: 5 },
            recordSummary: { inputRecordCount: 10, outputRecordCount: 8, failedRecordCount: 2 },
            statusSummary: { status: 'Failed', errors: [{ code: 'C-1', message: 'why' }] },
          },
        },
        { id: 'r2', createdAt: 7 },
      ],
    }),
  );
  const runs = await listFlowRuns(client, 'f-1');
  expect(runs.ok && runs.value).toEqual([
    {
      id: 'r1',
      startedAt: 5,
      completedAt: undefined,
      status: 'failed',
      inputRecords: 10,
      outputRecords: 8,
      failedRecords: 2,
      errors: [{ code: 'C-1', message: 'why' }],
    },
    {
      id: 'r2',
      startedAt: 7,
      completedAt: undefined,
      status: '',
      inputRecords: 0,
      outputRecords: 0,
      failedRecords: 0,
      errors: [],
    },
  ]);
  expect(server.requests[0]?.url).toContain('/runs?property=flowId%3D%3Df-1&orderby=-createdAt&limit=100');
});

describe('profile access', () => {
  const identity = { namespace: 'capillaryId', id: 'a b' };

  it('reads a profile by an identity', async () => {
    const { client, server } = await setUpPlatform(
      json({
        X: {
          entityId: 'X',
          entity: { person: {}, loyalty: { points: 1 } },
          lastModifiedAt: '2026-01-01T00:00:00Z',
        },
      }),
    );
    const read = await readProfile(client, identity, ['loyalty.points', 'person']);
    expect(read.ok && read.value).toEqual({
      entity: { person: {}, loyalty: { points: 1 } },
      modifiedAt: Date.UTC(2026, 0, 1),
      sources: [],
    });
    expect(server.requests[0]?.url).toBe(
      '/data/core/ups/access/entities?schema.name=_xdm.context.profile&entityId=a+b&entityIdNS=capillaryId&fields=loyalty.points%2Cperson',
    );
  });

  it.each([
    ['nothing', json({})],
    ['an empty entity of 1970', json({ X: { entity: {}, lastModifiedAt: '1970-01-01T00:00:00Z' } })],
    ['404', json({ status: 404, title: 'Not found' }, 404)],
  ])('finds no profile in %s', async (_what, answer) => {
    const { client } = await setUpPlatform(answer);
    expect(await readProfile(client, identity)).toEqual({ ok: true, value: undefined });
  });

  it('reads the events of an identity', async () => {
    const { client, server } = await setUpPlatform(
      json({
        children: [
          { entityId: 'e-1', timestamp: 12, entity: { eventType: 'x' } },
          { timestamp: 5, entity: { _id: 'e-2' } },
        ],
      }),
    );
    const events = await readEvents(client, identity, { from: 1, to: 20, limit: 5 });
    expect(events.ok && events.value).toEqual([
      { id: 'e-1', timestamp: 12, entity: { eventType: 'x' } },
      { id: 'e-2', timestamp: 5, entity: { _id: 'e-2' } },
    ]);
    expect(server.requests[0]?.url).toContain(
      'relatedEntityId=a+b&relatedEntityIdNS=capillaryId&orderby=-timestamp&limit=5&startTime=1&endTime=20',
    );
  });

  it('finds no events of an unknown identity', async () => {
    const { client } = await setUpPlatform(json({ status: 404, title: 'Not found' }, 404));
    expect(await readEvents(client, identity)).toEqual({ ok: true, value: [] });
  });
});

describe('identity descriptors', () => {
  const own = {
    '@type': 'xdm:descriptorIdentity',
    'xdm:sourceSchema': 's1',
    'xdm:sourceProperty': '/_acme/id',
    'xdm:namespace': 'capillaryId',
    'xdm:isPrimary': true,
  };
  const expected = [{ schemaId: 's1', property: '/_acme/id', namespace: 'capillaryId', isPrimary: true }];

  it.each([
    ['a list', [own, { ...own, 'xdm:sourceSchema': 's2' }]],
    ['pages', { results: [own, { ...own, '@type': 'xdm:alternateDisplayInfo' }] }],
    ['lists by type', { 'xdm:descriptorIdentity': [own] }],
  ])('are read from %s', async (_what, body) => {
    const { client } = await setUpPlatform(json(body));
    expect(await readIdentityDescriptors(client, 's1')).toEqual({ ok: true, value: expected });
  });

  it('are unknown if only links were sent', async () => {
    const { client } = await setUpPlatform(json({ 'xdm:descriptorIdentity': ['/tenant/descriptors/1'] }));
    expect(await readIdentityDescriptors(client, 's1')).toMatchObject({ ok: false });
  });
});
