import { describe, expect, it } from 'vitest';
import type { FaultRuleInput } from '../../../../src/simulator/adobe/fault-script.ts';
import type { PlatformOptions } from '../../../../src/simulator/adobe/platform/platform-state.ts';
import { ORG, simulate } from '../adobe-client.ts';
import { CLIENT, platformClient } from './platform-client.ts';

const STATS = '/data/foundation/schemaregistry/stats';

async function platform(options: PlatformOptions = {}, faults: FaultRuleInput[] = []) {
  const simulator = await simulate({ platform: options });
  const adobe = await platformClient(simulator);
  simulator.setFaults(faults);
  return { simulator, adobe };
}

describe('the gateway in front of platform.adobe.io', () => {
  it('lets a complete call through, and every answer has a request id', async () => {
    const { adobe, simulator } = await platform({ tenantId: 'tealeaf' });
    const answer = await adobe.get(STATS);
    expect(answer).toMatchObject({ status: 200, json: { tenantId: 'tealeaf', imsOrg: ORG } });
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    const refused = await adobe.get(STATS, { 'x-api-key': '' });
    expect(refused.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(simulator.stats().requests.platform).toEqual({ 200: 1, 403: 1 });
  });

  it.each([
    ['no API key', { 'x-api-key': '' }, 403, '403000'],
    ['no token', { authorization: '' }, 403, '403010'],
    ['an unknown token', { authorization: 'Bearer nonsense' }, 401, '401013'],
    ['the API key of another client', { 'x-api-key': 'other' }, 403, '403003'],
    ['no organisation', { 'x-gw-ims-org-id': '' }, 400, '400003'],
    ['the organisation without @AdobeOrg', { 'x-gw-ims-org-id': 'ABC' }, 403, '403025'],
  ])('refuses %s', async (_name, headers, status, code) => {
    const { adobe } = await platform();
    const answer = await adobe.get(STATS, headers);
    expect(answer).toMatchObject({ status, json: { error_code: code } });
  });

  it('refuses an expired or revoked token', async () => {
    const { adobe, simulator } = await platform();
    simulator.revokeTokens();
    expect((await adobe.get(STATS)).json['error_code']).toBe('401013');
  });

  it('refuses another organisation, and a client without a product profile, with one code', async () => {
    const other = await platform({ imsOrgId: 'AAAA@AdobeOrg' });
    expect(await other.adobe.get(STATS)).toMatchObject({ status: 403, json: { error_code: '403025' } });
    const none = await platform({ permissions: { [CLIENT]: 'none' } });
    expect(await none.adobe.get(STATS)).toMatchObject({ status: 403, json: { error_code: '403025' } });
  });

  it('requires the sandbox, and refuses one that does not exist', async () => {
    const { adobe } = await platform({ sandboxes: ['dev', 'prod'] });
    expect((await adobe.get(STATS)).status).toBe(200);
    expect((await adobe.get(STATS, { 'x-sandbox-name': '' })).status).toBe(400);
    const unknown = await adobe.get(STATS, { 'x-sandbox-name': 'staging' });
    expect(unknown.status).toBe(403);
    expect(unknown.text).toContain('staging');
  });

  it('names the permission that a role lacks', async () => {
    const { adobe } = await platform({ permissions: { [CLIENT]: ['View Datasets'] } });
    const answer = await adobe.get(STATS);
    expect(answer).toMatchObject({ status: 403, json: { status: 403 } });
    expect(answer.text).toContain('View Schemas');
  });

  it('takes other permissions while it runs', async () => {
    const { adobe, simulator } = await platform();
    const set = (body: unknown): Promise<Response> =>
      fetch(`${simulator.url}/_sim/platform/permissions`, { method: 'POST', body: JSON.stringify(body) });
    expect((await set({ [CLIENT]: ['Manage Datasets'] })).status).toBe(200);
    expect((await adobe.get(STATS)).status).toBe(403);
    const wrong = await set({ [CLIENT]: ['Manage Everything'] });
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain(CLIENT);
    expect((await adobe.get(STATS)).status).toBe(403);
    await set({});
    expect((await adobe.get(STATS)).status).toBe(200);
  });

  it('answers 404 for a path that no service has', async () => {
    const { adobe } = await platform();
    expect((await adobe.get('/data/core/nothing')).status).toBe(404);
  });
});

describe('an organisation that begins empty', () => {
  it('has only the inlets of its connections', async () => {
    const simulator = await simulate({ empty: true, requireAuth: false });
    const adobe = await platformClient(simulator);
    const post = async (id: string): Promise<number> => {
      const headers = { 'content-type': 'application/json' };
      const url = `${simulator.url}/collection/${id}`;
      return (await fetch(url, { method: 'POST', headers, body: '{}' })).status;
    };
    expect(await post('a'.repeat(64))).toBe(404);
    const made = await adobe.post('/data/foundation/flowservice/connections', {
      name: 'Tea',
      connectionSpec: { id: 'bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb', version: '1.0' },
      auth: {
        specName: 'Streaming Connection',
        params: { sourceId: 'tea', dataType: 'xdm', name: 'Tea', authenticationRequired: false },
      },
    });
    const connection = simulator.platform.sandbox('dev')?.connections.get(made.json['id'] as string);
    expect(await post(connection?.inletId ?? '')).toBe(400);
  });
});

describe('faults of the platform', () => {
  it('apply to one method and path, and only to calls that the gateway lets through', async () => {
    const { adobe } = await platform({}, [
      {
        on: 'platform',
        match: { method: 'GET', path: STATS },
        times: 1,
        then: { status: 429, retryAfter: 3 },
      },
    ]);
    expect((await adobe.get(STATS, { 'x-api-key': '' })).json['error_code']).toBe('403000');
    expect((await adobe.get('/data/core/nothing')).status).toBe(404);
    const limited = await adobe.get(STATS);
    expect(limited).toMatchObject({ status: 429, json: { error_code: '429050' } });
    expect(limited.headers.get('retry-after')).toBe('3');
    expect((await adobe.get(STATS)).status).toBe(200);
  });

  const NAMESPACES = '/data/core/idnamespace/identities';
  const NAMESPACE = { name: 'Tea', code: 'tea', idType: 'Cross_device' };

  it.each([
    ['an answer that is lost', { reset: 'before', landed: true }, 1],
    ['a failure after the object was made', { status: 503, landed: true }, 1],
    ['the page of a proxy after the object was made', { foreign: 'html', landed: true }, 1],
    ['a failure', { status: 500 }, 0],
    ['a reset', { reset: 'before' }, 0],
    ['a false success', { landed: false }, 0],
  ] as const)('%s: objects made is exact', async (_name, action, made) => {
    const { adobe, simulator } = await platform({}, [
      // oxlint-disable-next-line unicorn/no-thenable -- a key of the rules' format
      { on: 'platform', match: { method: 'POST', path: NAMESPACES, contains: 'tea' }, then: action },
    ]);
    await adobe.post(NAMESPACES, NAMESPACE).catch(() => undefined);
    const custom = simulator.platform.sandbox('dev')?.namespaces.filter((one) => one.custom);
    expect(custom).toHaveLength(made);
  });

  it('a rule for one method or path leaves the others', async () => {
    const { adobe } = await platform({}, [
      { on: 'platform', match: { method: 'PUT' }, then: { status: 500 } },
      { on: 'platform', match: { path: '/data/foundation' }, then: { status: 502 } },
    ]);
    expect((await adobe.get(NAMESPACES)).status).toBe(200);
    expect((await adobe.put(`${NAMESPACES}/6`, NAMESPACE)).status).toBe(500);
    expect((await adobe.get(STATS)).status).toBe(502);
  });

  it('put the page of a proxy in Adobe’s place', async () => {
    const { adobe } = await platform({}, [{ on: 'platform', then: { foreign: 'html' } }]);
    expect((await adobe.get(STATS)).text).toContain('<html>');
  });
});
