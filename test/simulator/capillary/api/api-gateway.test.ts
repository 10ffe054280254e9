import { describe, expect, it } from 'vitest';
import { unparsable } from '../../../../src/simulator/capillary/api/api-answers.ts';
import { askToken, callApi, withCapillary } from './capillary-caller.ts';

const HEX = /^[0-9a-f]{32}$/;

describe("the gateway of Capillary's API", () => {
  it('answers 401 without a token, with an unknown and with an expired one: XML on v2, JSON on v3', async () => {
    let now = 1_790_000_000_000;
    const { simulator, token } = await withCapillary({ tokenTtlSeconds: 60 }, () => now);
    now += 60_000;
    for (const given of [undefined, 'unknown', token]) {
      const options = given === undefined ? {} : { token: given };
      const v2 = await callApi(simulator, 'GET', '/v2/customers/1', options);
      expect(v2.status).toBe(401);
      expect(v2.headers.get('content-type')).toContain('application/xml');
      expect(v2.text).toContain('<success>false</success><code>401</code><message>');
      const v3 = await callApi(simulator, 'GET', '/v3/nothing', options);
      expect(v3).toMatchObject({ status: 401, json: { data: null, errors: [{ code: 401 }] } });
    }
  });

  it('dates its answers by the clock of the twin', async () => {
    const now = Date.UTC(2026, 9, 1, 9, 15);
    const { simulator, call } = await withCapillary({}, () => now);
    for (const { headers } of [await askToken(simulator), await call('GET', '/v2/nothing')])
      expect(Date.parse(headers.get('date') ?? '')).toBe(now);
  });

  it('takes the token from its own header only', async () => {
    const { simulator, token } = await withCapillary();
    const answer = await callApi(simulator, 'GET', '/v3/nothing', {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(401);
  });

  it('gives every answer a request id of its own', async () => {
    const { simulator, call } = await withCapillary();
    const answers = [
      await askToken(simulator),
      await call('GET', '/v2/nothing'),
      await callApi(simulator, 'GET', '/v2/x'),
    ];
    const ids = answers.map(({ headers }) => headers.get('x-cap-request-id'));
    for (const id of ids) expect(id).toMatch(HEX);
    expect(new Set(ids).size).toBe(3);
  });

  it('has an error shape for each version', async () => {
    const { call } = await withCapillary();
    expect((await call('GET', '/v1.1/nothing')).json).toMatchObject({
      response: { status: { success: 'false', code: 404, success_count: '0' } },
    });
    expect((await call('GET', '/v2/nothing')).json).toEqual({
      errors: [{ status: false, code: 404, message: 'Resource not found' }],
      warnings: [],
    });
    expect((await call('GET', '/v3/nothing')).json).toEqual({
      data: null,
      errors: [{ code: 404, message: 'Resource not found' }],
      warnings: null,
    });
  });

  it('has a blank 400 on v2 for a body that cannot be parsed', () => {
    expect(unparsable('v2')).toEqual({ status: 400, headers: {}, body: '' });
    expect(JSON.parse(unparsable('v1.1').body)).toMatchObject({ response: { status: { code: 300_004 } } });
  });

  it('limits the calls of a key in any 60 s: 429 without a body and without Retry-After', async () => {
    let now = 1_790_000_000_000;
    const { simulator, call } = await withCapillary({ callsPerMinute: 3 }, () => now);
    await call('GET', '/v2/nothing');
    now += 30_000;
    expect((await call('GET', '/v2/nothing')).status).toBe(404);
    const refused = await call('GET', '/v2/nothing');
    expect(refused).toMatchObject({ status: 429, text: '' });
    expect([...refused.headers.keys()].filter((name) => /retry|limit/.test(name))).toEqual([]);
    expect((await askToken(simulator)).status).toBe(429);
    const other = (await askToken(simulator, 'otherKey', 's')).json.data.accessToken;
    expect((await callApi(simulator, 'GET', '/v2/nothing', { token: other })).status).toBe(404);
    now += 30_001;
    expect((await call('GET', '/v2/nothing')).status).toBe(404);
  });

  it('applies faults by method and path, in the shape of the version', async () => {
    const { simulator, call } = await withCapillary();
    simulator.setFaults([
      { on: 'capillary', match: { path: '/v3/oauth' }, times: 1, then: { landed: false } },
      { on: 'capillary', match: { method: 'POST' }, then: { status: 503 } },
    ]);
    const { accessToken } = (await askToken(simulator)).json.data;
    expect((await callApi(simulator, 'GET', '/v3/nothing', { token: accessToken })).status).toBe(401);
    expect(await askToken(simulator)).toMatchObject({ status: 503, json: { errors: [{ code: 4001 }] } });
    expect((await call('GET', '/v3/nothing')).status).toBe(404);
    expect(simulator.faults().map(({ fired }) => fired)).toEqual([1, 1]);
  });

  it('shows its calls under /_sim/capillary', async () => {
    const { simulator, call } = await withCapillary({ orgId: 42 });
    await call('GET', '/v2/nothing');
    await callApi(simulator, 'GET', '/v2/nothing');
    const { json } = await callApi(simulator, 'GET', '/_sim/capillary');
    expect(json).toEqual({
      orgId: 42,
      raised: 0,
      tokens: 1,
      deliveries: { total: 0, delivered: 0, failed: 0, retrying: 0, pending: 0 },
      webhooks: [],
      calls: { 'POST /v3/oauth/token/generate': { 200: 1 }, 'GET /v2/*': { 404: 1, 401: 1 } },
    });
  });
});
