import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { describePlatformError } from '../../../src/adobe/platform/platform-error.ts';
import { sendJson } from '../scripted-server.ts';
import { errorOf, setUpPlatform } from './platform-rig.ts';

const DATASETS = '/data/foundation/catalog/dataSets';
const SCHEMAS = '/data/foundation/schemaregistry/tenant/schemas';
const FLOWS = '/data/foundation/flowservice/flows';

describe('a call', () => {
  test('has the headers of the gateway, and the body of a write as JSON', async () => {
    const { server, client } = await setUpPlatform((_, response) =>
      sendJson(response, 201, ['@/dataSets/66f0'], { etag: '"1-a"', 'x-request-id': 'r1' }),
    );
    const answer = await client.post(DATASETS, { name: 'events' });
    expect(answer).toEqual({
      ok: true,
      status: 201,
      body: ['@/dataSets/66f0'],
      etag: '"1-a"',
      requestId: 'r1',
    });
    const [request] = server.requests;
    expect(request).toMatchObject({ method: 'POST', url: DATASETS, body: '{"name":"events"}' });
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer t1',
      'x-api-key': 'client-1',
      'x-gw-ims-org-id': '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg',
      'x-sandbox-name': 'dev',
      'content-type': 'application/json',
      accept: 'application/json',
    });
    expect(request?.headers['user-agent']).toMatch(/^capillary-aep-relay\//);
  });

  test('passes Accept and If-Match on, and accepts an answer without a body', async () => {
    const { server, client } = await setUpPlatform((_, response) => void response.writeHead(204).end());
    const answer = await client.patch(`${FLOWS}/f1`, [{ op: 'add', path: '/name', value: 'x' }], {
      accept: 'application/vnd.adobe.xed+json',
      ifMatch: '"7"',
    });
    expect(answer).toEqual({ ok: true, status: 204, body: undefined });
    expect(server.requests[0]?.headers).toMatchObject({
      accept: 'application/vnd.adobe.xed+json',
      'if-match': '"7"',
    });
  });

  test('shows no token that an answer echoes', async () => {
    const token = 'eyJhbGciOiJSUzI1NiJ9.a-token-of-ims';
    const { client } = await setUpPlatform(
      ({ headers }, response) => void response.writeHead(403).end(`<p>denied: ${headers.authorization}</p>`),
      { tokens: { get: async () => ({ ok: true, token }), reject: () => undefined } },
    );
    const error = errorOf(await client.post(DATASETS, {}));
    expect(error).toMatchObject({ kind: 'foreign', text: 'denied: Bearer [secret]' });
  });

  test('keeps a path of the configured URL in front of its own', async () => {
    const { server, client } = await setUpPlatform((_, response) => sendJson(response, 200, {}));
    const { server: other, client: prefixed } = await setUpPlatform(
      (_, response) => sendJson(response, 200, {}),
      { url: `${server.origin}/aep/` },
    );
    await client.get(DATASETS);
    await prefixed.get(DATASETS);
    expect(server.requests.map(({ url }) => url)).toEqual([DATASETS, `/aep${DATASETS}`]);
    expect(other.requests).toHaveLength(0);
  });

  test('ends with the reason of the signal', async () => {
    const stop = new AbortController();
    const { server, client } = await setUpPlatform(() => undefined, { signal: stop.signal });
    const call = client.get(DATASETS);
    await server.received(1);
    const reason = new Error('stopped');
    stop.abort(reason);
    await expect(call).rejects.toBe(reason);
  });
});

describe('the clock of the platform', () => {
  test.each([
    ['ten minutes ahead', 600_000, 600_000],
    ['ten minutes behind', -600_000, -600_000],
    ['as exact as a header', 1_500, 0],
  ])('is %s', async (_what, ahead, expected) => {
    const now = Date.UTC(2026, 10, 30);
    const date = new Date(now + ahead).toUTCString();
    const { client } = await setUpPlatform((_, response) => sendJson(response, 200, {}, { date }), {
      now: () => now,
    });
    expect(client.clockAheadMs()).toBe(0);
    await client.get(DATASETS);
    expect(client.clockAheadMs()).toBe(expected);
  });
});

describe('a refused token', () => {
  test('is replaced once, for a write too', async () => {
    const { server, client, rejected } = await setUpPlatform((request, response) =>
      request.headers.authorization === 'Bearer t1'
        ? sendJson(response, 401, { error_code: '401013', message: 'Oauth token is not valid' })
        : sendJson(response, 201, { id: 'f1' }),
    );
    expect(await client.post(FLOWS, {})).toMatchObject({ ok: true, body: { id: 'f1' } });
    expect(rejected).toEqual(['t1']);
    expect(server.requests).toHaveLength(2);
  });

  test('is an error when the new one is refused too', async () => {
    const { server, client, waits } = await setUpPlatform((_, response) =>
      sendJson(response, 401, { error_code: '401013', message: 'Oauth token is not valid' }),
    );
    const error = errorOf(await client.get(FLOWS));
    expect(error).toMatchObject({ kind: 'unauthorized', status: 401, code: '401013', ambiguous: false });
    expect(server.requests).toHaveLength(2);
    expect(waits).toEqual([]);
  });

  test('without a token nothing is sent, and IMS is named', async () => {
    const { server, client } = await setUpPlatform((_, response) => sendJson(response, 200, {}), {
      tokens: {
        get: async () => ({
          ok: false,
          code: 'invalid_client',
          detail: 'IMS answered 400: invalid_client',
          permanent: true,
          retryAfterMs: 60_000,
        }),
        reject: () => undefined,
      },
    });
    expect(errorOf(await client.get(FLOWS))).toEqual({
      kind: 'token',
      call: 'token of IMS',
      code: 'invalid_client',
      text: 'IMS answered 400: invalid_client',
      ambiguous: false,
    });
    expect(server.requests).toHaveLength(0);
  });
});

describe('another attempt', () => {
  test('of a read after 429, 503, a broken connection and the page of a proxy', async () => {
    const seen: string[] = [];
    const { client, waits } = await setUpPlatform(
      (_, response, count) => {
        if (count === 1)
          return sendJson(response, 429, { error_code: '429050', message: 'Too many requests' });
        if (count === 2)
          return sendJson(response, 503, { title: 'busy', status: 503 }, { 'retry-after': '7' });
        if (count === 3) return void response.destroy();
        if (count === 4) return void response.writeHead(502).end('<html>bad gateway</html>');
        return sendJson(response, 200, { items: [] });
      },
      { onWait: (_, { kind }) => seen.push(kind) },
    );
    expect(await client.get(FLOWS)).toMatchObject({ ok: true });
    expect(waits).toEqual([1_000, 7_000, 4_000, 8_000]);
    expect(seen).toEqual(['throttled', 'unavailable', 'network', 'foreign']);
  });

  test('ends after five, and does not wait for hours', async () => {
    const { server, client, waits } = await setUpPlatform((_, response) =>
      sendJson(response, 503, { title: 'busy', status: 503 }),
    );
    expect(errorOf(await client.get(FLOWS)).kind).toBe('unavailable');
    expect(server.requests).toHaveLength(5);
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000]);

    const patient = await setUpPlatform((_, response) =>
      sendJson(response, 429, { error_code: '429050', message: 'x' }, { 'retry-after': '3600' }),
    );
    expect(errorOf(await patient.client.get(FLOWS)).kind).toBe('throttled');
    expect(patient.server.requests).toHaveLength(1);
  });

  test('of a write only after 429 and where there was no connection', async () => {
    const { server, client } = await setUpPlatform((_, response, count) =>
      count === 1
        ? sendJson(response, 429, { error_code: '429050', message: 'x' }, { 'retry-after': '1' })
        : sendJson(response, 201, { id: 'f1' }),
    );
    expect(await client.post(FLOWS, {})).toMatchObject({ ok: true });
    expect(server.requests).toHaveLength(2);

    const absent = await setUpPlatform(() => undefined);
    await absent.server.close();
    const error = errorOf(await absent.client.post(FLOWS, {}));
    expect(error).toMatchObject({ kind: 'network', code: 'refused', ambiguous: false });
    expect(absent.waits).toEqual([1_000, 2_000, 4_000, 8_000]);
  });

  test.each<[what: string, answer: (response: ServerResponse) => void]>([
    ['a broken connection', (response) => void response.destroy()],
    ['a 503', (response) => sendJson(response, 503, { title: 'busy', status: 503 })],
    ['the page of a proxy', (response) => void response.writeHead(200).end('<html>sign in</html>')],
    ['a half answer', (response) => void response.writeHead(201).end('{"id": "f')],
  ])('of a write is for the caller to decide after %s', async (_what, answer) => {
    const { server, client, waits } = await setUpPlatform((_, response) => answer(response));
    expect(errorOf(await client.post(FLOWS, {})).ambiguous).toBe(true);
    expect(server.requests).toHaveLength(1);
    expect(waits).toEqual([]);
  });
});

describe('an error', () => {
  test.each([
    ['of the gateway', 400, { error_code: '400003', message: 'header missing' }, 'invalid', '400003'],
    [
      'of the schema registry',
      409,
      {
        type: 'http://ns.adobe.com/aep/errors/XDM-1521-409',
        title: 'Title exists',
        status: 409,
        detail: 'x',
      },
      'conflict',
      'XDM-1521-409',
    ],
    ['of Flow Service', 412, { errorCode: '1404-412', message: 'stale' }, 'stale', '1404-412'],
    [
      'of Identity',
      409,
      { code: 'NAMESPACE_CODE_CONFLICT', message: 'exists' },
      'conflict',
      'NAMESPACE_CODE_CONFLICT',
    ],
    ['that is a 404', 404, { title: 'Not found', status: 404 }, 'not-found', undefined],
  ])('%s has its code and kind', async (_what, status, body, kind, code) => {
    const { client } = await setUpPlatform((_, response) =>
      sendJson(response, status, body, { 'x-request-id': 'r7' }),
    );
    const error = errorOf(await client.post(SCHEMAS, {}));
    expect(error).toMatchObject({ kind, status, requestId: 'r7', ambiguous: false });
    expect(error.code).toBe(code);
    expect(describePlatformError(error)).toContain('x-request-id r7');
  });

  test.each([
    ['POST', SCHEMAS, 'Manage Schemas'],
    ['GET', SCHEMAS, 'View Schemas'],
    ['GET', DATASETS, 'View Datasets'],
    ['POST', DATASETS, 'Manage Datasets'],
    ['POST', FLOWS, 'Manage Sources'],
    ['POST', '/data/core/idnamespace/identities', 'Manage Identity Namespaces'],
  ] as const)('403 to %s %s names the permission', async (method, path, permission) => {
    const { client } = await setUpPlatform((_, response) =>
      sendJson(response, 403, { error_code: '403027', message: 'User is not authorized' }),
    );
    const answer = method === 'GET' ? await client.get(path) : await client.post(path, {});
    const { gap, kind } = errorOf(answer);
    expect(kind).toBe('forbidden');
    expect(gap?.permission).toBe(permission);
    expect(gap?.fix).toContain(`add ${permission}`);
    expect(gap?.fix).toContain('Permissions > Roles');
  });

  test('403 names the product profile, the API key and the sandbox', async () => {
    const messages: Readonly<Record<string, string>> = {
      '403025': 'Profile is not valid',
      '403003': 'Api Key is invalid',
      '403999': 'no access to sandbox dev',
    };
    const { client } = await setUpPlatform((request, response) => {
      const code = request.url.slice(-6);
      sendJson(response, 403, { error_code: code, message: messages[code] });
    });
    const gapOf = async (code: string) => errorOf(await client.get(`${FLOWS}?${code}`)).gap;
    expect((await gapOf('403025'))?.fix).toMatch(/AEP-Default-All-Users.*compare imsOrgId/);
    expect((await gapOf('403003'))?.fix).toContain('ims.clientId');
    expect((await gapOf('403999'))?.missing).toContain('the sandbox dev');
  });

  test('the page of a proxy is named as such, and never shows a token', async () => {
    const { client } = await setUpPlatform(
      (_, response) =>
        void response
          .writeHead(403, { 'content-type': 'text/html' })
          .end('<html><b>Blocked</b> by policy</html>'),
    );
    const error = errorOf(await client.get(FLOWS));
    expect(error).toMatchObject({ kind: 'foreign', text: 'Blocked by policy' });
    expect(error.gap).toBeUndefined();
    expect(describePlatformError(error)).toBe(
      "GET /data/foundation/flowservice/flows → 403: Blocked by policy (not Adobe's answer)",
    );
  });
});
