import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  rig.state.token = undefined;
  rig.observed.refusals.length = 0;
});

function bearer(token: string) {
  return { headers: { authorization: `Bearer ${token}` } };
}

const PATHS = [
  ['GET', '/admin/v1/ledger'],
  ['GET', '/admin/v1/intake'],
  ['GET', '/admin/v1/events'],
  ['GET', '/admin/v1/events/x'],
  ['POST', '/admin/v1/events/x/replay'],
  ['GET', '/admin/v1/dead-letters'],
  ['POST', '/admin/v1/dead-letters/replay'],
  ['POST', '/admin/v1/dead-letters/discard'],
  ['GET', '/admin/v1/quarantine'],
  ['POST', '/admin/v1/quarantine/release'],
  ['POST', '/admin/v1/quarantine/discard'],
  ['GET', '/admin/v1/destinations'],
  ['POST', '/admin/v1/destinations/acme-aep/pause'],
  ['POST', '/admin/v1/destinations/acme-aep/resume'],
  ['GET', '/admin'],
  ['GET', '/admin/'],
  ['GET', '/admin/v1/nothing'],
  ['POST', '/admin/v2/ledger'],
] as const;

describe('the token of the admin API', () => {
  it.each(PATHS)('is required for %s %s, from loopback too', async (method, path) => {
    rig.state.token = 'secret';
    const request = method === 'GET' ? rig.get(path) : rig.post(path);
    const { status, headers, body } = await request;
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Bearer');
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(body).toMatchObject({ code: 'unauthorized', detail: expect.stringContaining('admin.token') });
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(rig.observed.refusals).toEqual(['no-token']);
  });

  it('is compared completely', async () => {
    rig.state.token = 'secret';
    const wrong = await rig.get('/admin/v1/ledger', bearer('secret2'));
    expect(wrong).toMatchObject({ status: 401, body: { code: 'wrong-token' } });
    expect(wrong.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect((await rig.get('/admin/v1/ledger', bearer('secret'))).status).toBe(200);
    expect(rig.observed.refusals).toEqual(['wrong-token']);
  });

  it('can be changed without a restart', async () => {
    rig.state.token = 'old';
    expect((await rig.get('/admin/v1/ledger', bearer('old'))).status).toBe(200);
    rig.state.token = 'new';
    expect((await rig.get('/admin/v1/ledger', bearer('old'))).status).toBe(401);
    expect((await rig.get('/admin/v1/ledger', bearer('new'))).status).toBe(200);
  });

  it('hides which paths exist from callers without it', async () => {
    rig.state.token = 'secret';
    const existing = await rig.get('/admin/v1/ledger');
    const missing = await rig.get('/admin/v1/nothing');
    expect(missing.body).toEqual(existing.body);
    expect((await rig.get('/admin/v1/nothing', bearer('secret'))).body.code).toBe('not-found');
  });

  it('is not required for probes and metrics', async () => {
    rig.state.token = 'secret';
    const statuses = ['/livez', '/readyz', '/metrics'].map(async (path) => (await rig.get(path)).status);
    expect(await Promise.all(statuses)).toEqual([200, 200, 200]);
  });

  it('is not required on loopback if none is configured', async () => {
    expect((await rig.get('/admin/v1/ledger')).status).toBe(200);
  });

  it('must be configured for access from other addresses', async () => {
    const ask = (headers = {}) =>
      rig.admin.inject({ url: '/admin/v1/ledger', remoteAddress: '10.0.0.5', headers });
    const answer = await ask({ 'x-forwarded-for': '127.0.0.1' });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(answer.json().detail).toContain('set admin.token');
    expect(rig.observed.refusals).toEqual(['not-loopback']);
    rig.state.token = 'secret';
    expect((await ask({ authorization: 'Bearer secret' })).statusCode).toBe(200);
  });

  it('refuses a web page if none is configured', async () => {
    const origin = { headers: { origin: 'https://evil.example' } };
    expect((await rig.post('/admin/v1/destinations/acme-aep/pause', undefined, origin)).status).toBe(401);
    expect((await rig.get('/admin/v1/destinations')).body.destinations[0].state).toBe('flowing');
  });
});

describe('refusals of the admin port', () => {
  it('answers unknown paths with a problem', async () => {
    for (const path of ['/', '/nothing', '/admin/v1/nothing', '/webhooks']) {
      expect((await rig.get(path)).body).toMatchObject({ status: 404, code: 'not-found' });
    }
  });

  it.each([
    ['POST', '/livez', 'GET, HEAD'],
    ['PUT', '/admin/v1/ledger', 'GET, HEAD'],
    ['GET', '/admin/v1/events/x/replay', 'POST'],
    ['DELETE', '/admin/v1/dead-letters/?reason=x', 'GET, HEAD'],
  ] as const)('answers %s %s with the allowed methods', async (method, url, allow) => {
    const answer = await rig.admin.inject({ method, url, headers: { host: 'localhost' } });
    expect(answer.statusCode).toBe(405);
    expect(answer.headers['allow']).toBe(allow);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({
      code: 'method-not-allowed',
      detail: expect.stringContaining(allow),
    });
    rig.state.token = 'secret';
    const hidden = await rig.admin.inject({ method, url, headers: { host: 'localhost' } });
    expect(hidden.statusCode).toBe(url.startsWith('/admin') ? 401 : 405);
  });

  it('answers an invalid URL with a problem that does not repeat it', async () => {
    const answer = await rig.admin.inject({ url: '/admin/v1/events/%zz' });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'bad-request' });
    expect(answer.body).not.toContain('%zz');
  });

  it.each([
    ['not JSON', '{', 'application/json', 'body: is not JSON'],
    ['a form', 'a=b', 'application/x-www-form-urlencoded', 'Content-Type: application/json'],
    ['plain text', '{}', 'text/plain', 'Content-Type: application/json'],
  ])('refuses a body that is %s', async (_what, raw, type, detail) => {
    const { status, body } = await rig.post('/admin/v1/dead-letters/discard', undefined, {
      raw,
      headers: { 'content-type': type },
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'bad-request', detail: expect.stringContaining(detail) });
  });

  it('refuses a body over 1 MiB', async () => {
    const receipts = ['x'.repeat(1_048_576)];
    expect((await rig.post('/admin/v1/dead-letters/discard', { receipts })).body.code).toBe('body-too-large');
  });

  it.each(['é', 'x'.repeat(65), ''])('refuses the operator %j', async (name) => {
    const { body } = await rig.post('/admin/v1/destinations/acme-aep/resume', undefined, {
      headers: { 'x-relay-operator': name },
    });
    expect(body).toMatchObject({ code: 'bad-request', detail: expect.stringContaining('X-Relay-Operator') });
  });

  it('hides the message of an error', async () => {
    const failure = vi.spyOn(rig.journal, 'ledger').mockRejectedValue(new Error('secret of the store'));
    const { status, body } = await rig.get('/admin/v1/ledger');
    failure.mockRestore();
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(rig.observed.errors).toContain('admin request failed');
  });
});

it('sends headers that restrict browsers to showing data', async () => {
  const { headers } = await rig.get('/admin/v1/ledger');
  expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('strict-transport-security')).toBeNull();
});
