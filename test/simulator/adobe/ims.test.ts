import { describe, expect, it } from 'vitest';
import { requestToken, form, mint, simulate } from './adobe-client.ts';

interface TokenAnswer {
  access_token: string;
  expires_in: number;
  token_type: string;
}

function claimsOf(token: string) {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, string>;
}

describe('IMS token', () => {
  it.each([
    ['/ims/token/v3', 86_399],
    ['/ims/token/v2', 86_399],
    ['/ims/token/v1', 86_399_994],
    ['/ims/token', 86_399_994],
  ])('%s returns expires_in %d', async (path, expected) => {
    const simulator = await simulate();
    const answer = await requestToken(simulator, form(), path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-debug-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect((await answer.json()) as TokenAnswer).toMatchObject({
      expires_in: expected,
      token_type: 'bearer',
    });
  });

  it('is a JWT whose times are milliseconds in strings, without exp', async () => {
    const at = Date.parse('2026-02-03T04:05:06Z');
    const token = await mint(await simulate({ now: () => at, tokenTtlMs: 90_000 }));
    expect(token.split('.')).toHaveLength(3);
    const claims = claimsOf(token);
    expect(claims).toMatchObject({
      created_at: String(at),
      expires_in: '90000',
      client_id: 'tealeaf-client',
      type: 'access_token',
      as: 'ims-na1',
    });
    expect(claims).not.toHaveProperty('exp');
  });

  it('accepts scopes separated by spaces, and parameters in the query', async () => {
    const simulator = await simulate();
    expect((await requestToken(simulator, form({ scope: 'openid AdobeID' }))).status).toBe(200);
    const inQuery = await fetch(`${simulator.imsUrl}?${form().toString()}`, { method: 'POST' });
    expect(inQuery.status).toBe(200);
  });

  it('counts mints, and older tokens stay valid', async () => {
    const simulator = await simulate();
    const tokens = [await mint(simulator), await mint(simulator)];
    expect(new Set(tokens).size).toBe(2);
    expect(simulator.stats()).toMatchObject({
      mints: 2,
      activeTokens: 2,
      requests: { ims: { 200: 2 } },
    });
  });
});

describe('IMS refusal', () => {
  const credentials = [
    { clientId: 'tealeaf-client', secrets: ['old', 'new'], scopes: ['openid', 'AdobeID'] },
  ];
  const good = { client_secret: 'new', scope: 'openid AdobeID' };

  it.each([
    [
      'an unknown client',
      { ...good, client_id: 'unknown-client' },
      'invalid_client',
      'invalid client_id parameter',
    ],
    ['a wrong secret', { ...good, client_secret: 'x' }, 'invalid_client', 'invalid client_secret parameter'],
    ['a scope that is not allowed', { ...good, scope: 'openid,admin' }, 'invalid_scope', undefined],
    ['no scope', { ...good, scope: '' }, 'invalid_scope', undefined],
    ['a missing parameter', { ...good, client_secret: '' }, 'invalid_request', undefined],
    ['another grant', { ...good, grant_type: 'password' }, 'unauthorized_client', undefined],
  ])('%s', async (_, fields, error, description) => {
    const simulator = await simulate({ credentials });
    const answer = await requestToken(simulator, form(fields));
    expect(answer.status).toBe(400);
    expect(answer.headers.get('x-debug-id')).toBeTruthy();
    const body = (await answer.json()) as Record<string, string>;
    expect(body.error).toBe(error);
    expect(body.error_description).toContain(description ?? '');
    expect(simulator.stats()).toMatchObject({ mints: 0, requests: { ims: { 400: 1 } } });
  });

  it('does not happen with either of two secrets', async () => {
    const simulator = await simulate({ credentials });
    const statuses = await Promise.all(
      ['old', 'new'].map(async (secret) => {
        const answer = await requestToken(simulator, form({ ...good, client_secret: secret }));
        return answer.status;
      }),
    );
    expect(statuses).toEqual([200, 200]);
  });

  it('detects a scope that was encoded twice', async () => {
    const answer = await requestToken(await simulate(), form({ scope: 'openid%2CAdobeID' }));
    expect(await answer.json()).toMatchObject({ error: 'invalid_scope' });
  });

  it('does not read a form under another content type', async () => {
    const simulator = await simulate();
    const answer = await fetch(simulator.imsUrl, {
      method: 'POST',
      body: form().toString(),
      headers: { 'content-type': 'text/plain' },
    });
    expect(await answer.json()).toMatchObject({ error: 'invalid_request' });
  });
});
