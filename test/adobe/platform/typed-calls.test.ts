import { describe, expect, test } from 'vitest';
import { createDataset, findDatasets, readDataset } from '../../../src/adobe/platform/catalog.ts';
import { findFlowObjects, readFlowObject, targetDataset } from '../../../src/adobe/platform/flow-service.ts';
import { listNamespaces } from '../../../src/adobe/platform/identity-namespaces.ts';
import { findByTitle, readTenant, readTenantResource } from '../../../src/adobe/platform/schema-registry.ts';
import { sendJson } from '../scripted-server.ts';
import { setUpPlatform } from './platform-rig.ts';

describe('Flow Service', () => {
  test('a list is read to its end, the oldest first', async () => {
    const { server, client } = await setUpPlatform((request, response) => {
      const isSecond = request.url.includes('continuationToken');
      sendJson(response, 200, {
        items: [{ id: isSecond ? 'old' : 'new', name: 'x', createdAt: isSecond ? 1 : 2 }],
        _links: isSecond
          ? {}
          : { next: { href: '/flows?property=name%3D%3Dx&limit=100&continuationToken=a' } },
      });
    });
    const found = await findFlowObjects(client, 'flows', ['name==x']);
    expect(found).toMatchObject({ ok: true, value: [{ id: 'old' }, { id: 'new' }] });
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/data/foundation/flowservice/flows?property=name%3D%3Dx&limit=100',
      '/data/foundation/flowservice/flows?property=name%3D%3Dx&limit=100&continuationToken=a',
    ]);
  });

  test('an object that does not exist is undefined, and a page of something else is a failure', async () => {
    const { client } = await setUpPlatform((request, response) =>
      request.url.endsWith('/absent')
        ? sendJson(response, 404, { type: 'https://ns.adobe.com/aep/errors/FLOW-1439-404', status: 404 })
        : sendJson(response, 200, { hello: 'world' }),
    );
    expect(await readFlowObject(client, 'flows', 'absent')).toEqual({ ok: true, value: undefined });
    expect(await findFlowObjects(client, 'flows', [])).toMatchObject({
      ok: false,
      error: { kind: 'foreign' },
    });
  });
});

describe('Catalog', () => {
  test('answers with objects by id; names that are not the same are left out', async () => {
    const dataset = {
      name: 'x',
      schemaRef: { id: 's' },
      version: '1.0.3',
      tags: { unifiedProfile: ['enabled:true'] },
    };
    const { client } = await setUpPlatform((_, response) =>
      sendJson(response, 200, {
        b: { ...dataset, created: 2 },
        a: { ...dataset, created: 1 },
        c: { name: 'xy' },
      }),
    );
    const found = await findDatasets(client, 'x');
    expect(found).toMatchObject({
      ok: true,
      value: [{ id: 'a' }, { id: 'b', schemaId: 's', version: '1.0.3' }],
    });
    const one = await readDataset(client, 'b');
    expect(one.ok && one.value?.enabled).toEqual(new Set(['unifiedProfile']));
  });

  test('an answer to a POST without an id leaves open whether the dataset was made', async () => {
    const { client } = await setUpPlatform((_, response) => sendJson(response, 200, {}));
    const need = { name: 'x', description: '', schemaId: 's', enabled: [] };
    expect(await createDataset(client, need)).toMatchObject({
      ok: false,
      error: { kind: 'foreign', ambiguous: true },
    });
  });
});

describe('the schema registry', () => {
  test('gets the forms that it needs in Accept, and ids encoded', async () => {
    const { server, client } = await setUpPlatform((request, response) =>
      request.url.endsWith('/stats')
        ? sendJson(response, 200, { tenantId: 'acme' })
        : sendJson(
            response,
            200,
            { $id: 'https://ns.adobe.com/acme/schemas/1', title: 't', results: [] },
            { etag: '"e"' },
          ),
    );
    expect(await readTenant(client)).toEqual({ ok: true, value: '_acme' });
    const read = await readTenantResource(client, 'schemas', 'https://ns.adobe.com/acme/schemas/1');
    expect(read).toMatchObject({ ok: true, value: { title: 't', etag: '"e"' } });
    await findByTitle(client, 'schemas', 'a b');
    const [, one, list] = server.requests;
    expect(one?.url).toContain('/tenant/schemas/https%3A%2F%2Fns.adobe.com%2Facme%2Fschemas%2F1');
    expect(one?.headers.accept).toBe('application/vnd.adobe.xed+json;version=1');
    expect(list?.url).toMatch(/\?property=title%3D%3Da%20b$/);
    expect(list?.headers.accept).toBe('application/vnd.adobe.xed-id+json');
  });
});

test('namespaces without a code are left out', async () => {
  const { client } = await setUpPlatform((_, response) =>
    sendJson(response, 200, [{ id: 6, code: 'Email', name: 'Email', idType: 'Email' }, { id: 7 }]),
  );
  expect(await listNamespaces(client)).toEqual({
    ok: true,
    value: [{ id: 6, code: 'Email', name: 'Email', idType: 'Email' }],
  });
});

describe('the dataset of a target connection', () => {
  test.each([
    [{ params: { dataSetId: '66f0' } }, '66f0'],
    [{ params: { datasetId: '66f0' } }, '66f0'],
    [{ params: {} }, undefined],
    [{}, undefined],
  ])('of %j is %s', (body, expected) => {
    expect(targetDataset({ body })).toBe(expected);
  });
});
