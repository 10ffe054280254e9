import { describe, expect, test } from 'vitest';
import { readClaims } from '../../../src/capillary/api/oauth-token.ts';
import { sendJson } from '../../adobe/scripted-server.ts';
import { jwt, SECRET, startApi } from './api-rig.ts';

const OK = { data: [], errors: null, warnings: null };

describe('the token', () => {
  test('is requested once for all calls that need it at the same time', async () => {
    const { client, tokenRequests } = await startApi((_, response) => sendJson(response, 200, OK));
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.get('/v3/webHooks')));
    expect(answers.every(({ ok }) => ok)).toBe(true);
    expect(tokenRequests()).toHaveLength(1);
  });

  test('is replaced more than 30 s before it expires', async () => {
    const { client, tokenRequests, advance } = await startApi((_, response) => sendJson(response, 200, OK));
    await client.get('/v3/webHooks');
    advance(254_000);
    await client.get('/v3/webHooks');
    expect(tokenRequests()).toHaveLength(1);
    advance(2_000);
    await client.get('/v3/webHooks');
    expect(tokenRequests()).toHaveLength(2);
  });

  test('is used for half of a very short life', async () => {
    const { client, tokenRequests, advance } = await startApi((_, response) => sendJson(response, 200, OK), {
      ttlSeconds: 60,
    });
    await client.get('/v3/webHooks');
    advance(29_000);
    await client.get('/v3/webHooks');
    expect(tokenRequests()).toHaveLength(1);
    advance(2_000);
    await client.get('/v3/webHooks');
    expect(tokenRequests()).toHaveLength(2);
  });

  test.each([401, 498])('is replaced once after a %i', async (status) => {
    const { client, calls, tokenRequests } = await startApi((_, response, count) =>
      count === 1
        ? void response.writeHead(status).end('<response><success>false</success><code>401</code></response>')
        : sendJson(response, 200, OK),
    );
    expect(await client.post('/v3/webHooks', {})).toMatchObject({ ok: true });
    expect(calls().map(({ headers }) => headers['x-cap-api-oauth-token'])).toEqual([
      jwt({ org_id: 100737, jti: 1 }),
      jwt({ org_id: 100737, jti: 2 }),
    ]);
    expect(tokenRequests()).toHaveLength(2);
  });

  test('that is refused again is an error of the configuration', async () => {
    const { client, calls } = await startApi((_, response) => sendJson(response, 401, {}));
    expect(await client.get('/v3/webHooks')).toMatchObject({
      error: { kind: 'unauthorized', status: 401, call: 'GET /v3/webHooks' },
    });
    expect(calls()).toHaveLength(2);
  });
});

describe('a wrong key or secret', () => {
  test('is reported, and not asked for again within a minute', async () => {
    const { client, tokenRequests, advance } = await startApi(() => undefined, {
      token: (_, response) =>
        sendJson(response, 401, { data: null, errors: [{ code: 401, message: `wrong: ${SECRET}` }] }),
    });
    const expected = {
      ok: false,
      error: { kind: 'unauthorized', call: 'POST /v3/oauth/token/generate', text: 'wrong: [secret]' },
    };
    expect(await client.get('/v3/webHooks')).toMatchObject(expected);
    expect(await client.claims()).toMatchObject(expected);
    expect(tokenRequests()).toHaveLength(1);
    advance(61_000);
    await client.claims();
    expect(tokenRequests()).toHaveLength(2);
  });

  test('a temporary failure is tried again', async () => {
    const { client } = await startApi((_, response) => sendJson(response, 200, OK), {
      token: (_, response, count) =>
        count === 1
          ? void response.destroy()
          : sendJson(response, 200, { data: { accessToken: 'opaque', ttlSeconds: '300' }, errors: null }),
    });
    expect(await client.get('/v3/webHooks')).toMatchObject({ ok: true });
  });

  test.each([
    ['a page', (): string => '<html>login</html>'],
    ['no token', (): string => '{"data":{"ttlSeconds":300},"errors":null}'],
    ['a token that no header can hold', (): string => '{"data":{"accessToken":"a b"},"errors":null}'],
  ])('%s is not a token', async (_, body) => {
    const { client, waits } = await startApi(() => undefined, {
      token: (__, response) => void response.writeHead(200).end(body()),
    });
    expect(await client.claims()).toMatchObject({ error: { kind: 'foreign', ambiguous: false } });
    expect(waits).toHaveLength(4);
  });
});

describe('claims', () => {
  test('name the organisation and whether personal data is masked', async () => {
    const { client } = await startApi(() => undefined, {
      claims: { org_id: 100737, has_psi_access: false, default_till: 'till.1' },
    });
    expect(await client.claims()).toEqual({
      ok: true,
      value: { orgId: 100737, seesPersonalData: false, defaultTill: 'till.1' },
    });
  });

  test.each([
    ['opaque', {}],
    ['a.b.c', {}],
    [jwt({ org_id: '100737', has_psi_access: 'true' }), { orgId: 100737, seesPersonalData: true }],
    [jwt({ org_id: 'acme' }), {}],
  ])('of %s', (token, expected) => {
    expect(readClaims(token)).toEqual(expected);
  });
});
