import { describe, expect, it } from 'vitest';
import { simulate } from '../../adobe/adobe-client.ts';
import { askToken, callApi, claimsOf, withCapillary } from './capillary-caller.ts';

const CLIENT = { key: 'northKey', secret: 'northSecret' };

describe('POST /v3/oauth/token/generate', () => {
  it('gives any client a token if none is configured, with the documented claims', async () => {
    const simulator = await simulate({ capillary: { orgId: 500_123, tokenTtlSeconds: 120 } });
    const answer = await askToken(simulator, 'anyKey', 'anySecret');
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      data: { accessToken: expect.any(String), ttlSeconds: 120 },
      errors: null,
      warnings: null,
    });
    const token: string = answer.json.data.accessToken;
    const claims = claimsOf(token);
    expect(claims).toMatchObject({
      client_id: 'anyKey',
      client_key: 'anyKey',
      org_id: 500_123,
      token_use: 'access',
      has_psi_access: true,
      default_till: 'relay.till',
    });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(120);
    expect(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({
      alg: 'RS256',
    });
  });

  it('refuses a wrong key, a wrong secret, a missing one and a form, and names no value', async () => {
    const simulator = await simulate({ capillary: { clients: [CLIENT] } });
    for (const [key, secret] of [
      ['northKey', 'wrong-one'],
      ['otherKey', 'northSecret'],
      ['northKey', ''],
    ]) {
      const answer = await askToken(simulator, key, secret);
      expect(answer.status).toBe(401);
      expect(answer.json).toMatchObject({ data: null, errors: [{ code: 401 }] });
      expect(answer.text).not.toContain('wrong-one');
    }
    const form = await callApi(simulator, 'POST', '/v3/oauth/token/generate', {
      body: 'key=northKey&secret=northSecret',
    });
    expect(form).toMatchObject({ status: 400, json: { errors: [{ code: 300_004 }] } });
  });

  it('gives each call a new token and keeps the older ones valid', async () => {
    const { simulator, token, call } = await withCapillary();
    const second = (await askToken(simulator)).json.data.accessToken;
    expect(second).not.toBe(token);
    expect((await call('GET', '/v2/nothing')).status).toBe(404);
    expect((await callApi(simulator, 'GET', '/v2/nothing', { token: second })).status).toBe(404);
  });

  it('returns the same token for 30 s if the switch for reuse is on, with its whole life as ttlSeconds', async () => {
    let now = 1_790_000_000_000;
    const { simulator, token } = await withCapillary({ tokenReuse: true }, () => now);
    now += 29_000;
    const again = (await askToken(simulator)).json.data;
    expect(again).toEqual({ accessToken: token, ttlSeconds: 300 });
    now += 2_000;
    expect((await askToken(simulator)).json.data.accessToken).not.toBe(token);
  });

  it('says in the token whether personal data is masked, and the organisation of the client', async () => {
    const { token } = await withCapillary({
      clients: [{ ...CLIENT, psiAccess: false, orgId: 7, till: 'till-9' }],
    });
    expect(claimsOf(token)).toMatchObject({ has_psi_access: false, org_id: 7, default_till: 'till-9' });
  });
});
