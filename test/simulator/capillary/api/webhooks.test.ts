import { describe, expect, it } from 'vitest';
import type { PresetWebhook } from '../../../../src/simulator/capillary/api/webhook-store.ts';
import { aWebhook, withCapillary } from './capillary-caller.ts';

const FOREIGN: PresetWebhook = {
  name: 'crm-sync',
  active: true,
  webHookUrl: 'https://crm.example.org/in',
  webHookHeaders: { Authorization: 'Basic of-another-team' },
  eventNames: ['customerAdded'],
  maxAllowedConnections: 5,
};

const LISTED = '/v3/webHooks';

async function withWebhook(webhook = aWebhook(), more = {}) {
  const rig = await withCapillary(more);
  const made = await rig.call('POST', LISTED, { body: webhook });
  const id: string = made.json.data.webHookId;
  return {
    ...rig,
    made,
    id,
    path: `${LISTED}/${id}`,
    get: async () => (await rig.call('GET', LISTED)).json.data,
  };
}

describe('GET /v3/webHooks', () => {
  it('lists the webhooks of all teams, active or not, with header values in clear and possibleValues', async () => {
    const neoDataflows = [{ label: 'Enrich', value: 'flow-1' }];
    const { call } = await withCapillary({
      webhooks: [
        FOREIGN,
        { ...FOREIGN, name: 'old', active: false },
        { ...FOREIGN, name: 'elsewhere', orgId: 9 },
      ],
      neoDataflows,
    });
    const { json, status } = await call('GET', LISTED);
    expect(status).toBe(200);
    expect(json).toMatchObject({ errors: null, warnings: null });
    expect(json.data).toMatchObject([
      {
        name: 'crm-sync',
        active: true,
        webHookHeaders: { Authorization: 'Basic of-another-team' },
        possibleValues: neoDataflows,
      },
      { name: 'old', active: false },
    ]);
  });

  it('needs the right to read webhooks, the others the rights to write, or both', async () => {
    const client = (access: Record<string, readonly ('read' | 'write')[]>) => ({
      clients: [{ key: 'k', secret: 's', access }],
    });
    const reader = await withCapillary(client({ Webhooks: ['read'], Customer: ['write'] }));
    const writer = await withCapillary(client({ Webhooks: ['write'] }));
    const none = await withCapillary(client({ Customer: ['read'] }));
    const statuses = async ({ call }: typeof reader) => [
      (await call('GET', LISTED)).status,
      (await call('POST', LISTED, { body: {} })).status,
      (await call('PUT', `${LISTED}/x`, { body: {} })).status,
      (await call('DELETE', `${LISTED}/x`)).status,
    ];
    expect(await statuses(reader)).toEqual([200, 403, 403, 403]);
    expect(await statuses(writer)).toEqual([403, 400, 403, 403]);
    expect(await statuses(none)).toEqual([403, 403, 403, 403]);
    expect((await none.call('GET', LISTED)).json).toMatchObject({ data: null, errors: [{ code: 4000 }] });
  });
});

describe('POST /v3/webHooks', () => {
  it('assigns ids and attribution, ignores the retries, truncates decimals, and returns names as a set', async () => {
    const webhook = aWebhook({
      eventNames: ['transactionAdded', 'customerAdded', 'transactionAdded'],
      maxAllowedConnections: 7.9,
      noOfRetryAttempts: 10,
      webHookId: 'mine',
    });
    const { made, get } = await withWebhook(webhook, {
      clients: [{ key: 'k', secret: 's', till: 'till-4' }],
    });
    expect(made.status).toBe(200);
    expect(made.json.data).toEqual({
      ...webhook,
      eventNames: ['customerAdded', 'transactionAdded'],
      maxAllowedConnections: 7,
      noOfRetryAttempts: 0,
      awardedReferenceEnrichmentEnabled: false,
      availablePointsBalanceEnrichmentEnabled: false,
      neoEnrichment: {},
      listenToChildEvents: false,
      webHookId: expect.stringMatching(/^[0-9a-f]{24}$/),
      consumerGroupId: expect.stringMatching(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/),
      attribution: {
        createdOn: expect.any(Number),
        createdOnISO: expect.stringMatching(/Z$/),
        lastUpdatedOn: expect.any(Number),
        lastUpdatedOnISO: expect.any(String),
        createdBy: { id: 9001, code: 'till-4', name: 'till-4', type: 'TILL' },
        lastUpdatedBy: { id: 9001, code: 'till-4', name: 'till-4', type: 'TILL' },
      },
    });
    expect(await get()).toEqual([{ ...made.json.data, possibleValues: [] }]);
  });

  it.each([
    ['name', 300_004],
    ['active', 300_004],
    ['eventNames', 51_003],
    ['webHookUrl', 300_004],
    ['webHookType', 300_004],
    ['methodType', 300_004],
    ['webHookHeaders', 300_004],
    ['maxAllowedConnections', 300_004],
    ['customerIdentifiersToBeEnriched', 300_004],
  ])('needs %s: %i', async (name, code) => {
    const { call } = await withCapillary();
    const { [name]: _left, ...body } = aWebhook();
    expect(await call('POST', LISTED, { body })).toMatchObject({
      status: 400,
      json: { data: null, errors: [{ code }] },
    });
    expect((await call('GET', LISTED)).json.data).toEqual([]);
  });

  it.each([
    ['no event', { eventNames: [] }, 51_003],
    ['no connection', { maxAllowedConnections: 0 }, 51_007],
    ['less than one connection', { maxAllowedConnections: 0.9 }, 51_007],
    ['null', { slaInSeconds: null }, 300_004],
    ['headers as a list', { webHookHeaders: [] }, 300_004],
    ['a header that is no text', { webHookHeaders: { 'X-Key': 1 } }, 300_004],
    ['a flag as text', { active: 'true' }, 300_004],
  ])('refuses %s', async (_name, changes, code) => {
    const { call } = await withCapillary();
    const answer = await call('POST', LISTED, { body: aWebhook(changes) });
    expect(answer).toMatchObject({ status: 400, json: { errors: [{ code }] } });
  });

  it('refuses a name that the cluster knows: of the organisation, of another, and of a deleted webhook', async () => {
    const { call, path } = await withWebhook(aWebhook(), { webhooks: [{ ...FOREIGN, orgId: 9 }] });
    await call('DELETE', path);
    for (const name of ['relay', 'crm-sync']) {
      const answer = await call('POST', LISTED, { body: aWebhook({ name }) });
      expect(answer).toMatchObject({ status: 400, json: { data: null, errors: [{ code: 51_001 }] } });
    }
  });

  it('takes event names that do not exist: nothing checks them', async () => {
    const { made } = await withWebhook(aWebhook({ eventNames: ['TransactionAdded'] }));
    expect(made.json.data.eventNames).toEqual(['TransactionAdded']);
  });

  it('refuses what is not JSON', async () => {
    const { call } = await withCapillary();
    expect(await call('POST', LISTED, { body: '{"name":' })).toMatchObject({
      status: 400,
      json: { errors: [{ code: 300_004 }] },
    });
  });
});

describe('PUT /v3/webHooks/{webHookId}', () => {
  it('resets what the body omits', async () => {
    const { call, path, get } = await withWebhook();
    const { name, webHookUrl, maxAllowedConnections } = aWebhook();
    await call('PUT', path, {
      body: { name, webHookUrl, maxAllowedConnections, eventNames: ['tierUpgraded'] },
    });
    expect(await get()).toMatchObject([
      {
        active: false,
        eventNames: ['tierUpgraded'],
        webHookHeaders: {},
        customerIdentifiersToBeEnriched: [],
        tillDetailsEnrichmentEnabled: false,
        storeDetailsEnrichmentEnabled: false,
        slaInSeconds: 0,
      },
    ]);
  });

  it('answers with the old method and connections; a following GET has the new ones', async () => {
    const { call, path, get, made } = await withWebhook();
    const changes = { methodType: 'PUT', maxAllowedConnections: 20, webHookUrl: 'http://127.0.0.1:1/new' };
    const answer = await call('PUT', path, { body: aWebhook(changes) });
    expect(answer.json.data).toMatchObject({
      methodType: 'POST',
      maxAllowedConnections: 10,
      webHookUrl: changes.webHookUrl,
    });
    const { webHookId, consumerGroupId } = made.json.data;
    expect(await get()).toMatchObject([{ ...changes, webHookId, consumerGroupId }]);
  });

  it('keeps the name, and needs name, URL, connections and an event', async () => {
    const { call, path, get } = await withWebhook();
    await call('PUT', path, { body: aWebhook({ name: 'other' }) });
    expect(await get()).toMatchObject([{ name: 'relay' }]);
    for (const [changes, code] of [
      [{ name: undefined }, 300_004],
      [{ webHookUrl: undefined }, 300_004],
      [{ maxAllowedConnections: undefined }, 300_004],
      [{ eventNames: undefined }, 51_003],
      [{ neoEnrichment: null }, 300_004],
    ] as const) {
      const answer = await call('PUT', path, { body: aWebhook(changes) });
      expect(answer).toMatchObject({ status: 400, json: { errors: [{ code }] } });
    }
  });

  it("does not find another organisation's webhook", async () => {
    const { simulator, call } = await withCapillary({ webhooks: [{ ...FOREIGN, orgId: 9 }] });
    const [foreign] = simulator.capillary.webhooks.list(9);
    expect((await call('PUT', `${LISTED}/${foreign?.id}`, { body: aWebhook() })).status).toBe(404);
    expect((await call('DELETE', `${LISTED}/${foreign?.id}`)).status).toBe(404);
  });

  it('changes nothing if a fault prevents it, and is done if only its answer is lost', async () => {
    const { simulator, call, path, get } = await withWebhook();
    const fault = { on: 'capillary', match: { method: 'PUT', path: '/v3/webHooks/' }, times: 1 } as const;
    const put = (maxAllowedConnections: number) =>
      call('PUT', path, { body: aWebhook({ maxAllowedConnections }) });
    simulator.setFaults([{ ...fault, then: { status: 500 } }]);
    expect((await put(20)).status).toBe(500);
    simulator.setFaults([{ ...fault, then: { landed: false } }]);
    expect((await put(20)).status).toBe(200);
    expect(await get()).toMatchObject([{ maxAllowedConnections: 10 }]);
    simulator.setFaults([{ ...fault, then: { reset: 'before', landed: true } }]);
    await expect(put(30)).rejects.toThrow('fetch failed');
    expect(await get()).toMatchObject([{ maxAllowedConnections: 30 }]);
  });
});

describe('DELETE /v3/webHooks/{webHookId}', () => {
  it('deactivates: the webhook stays in the list and can be activated again', async () => {
    const { call, path, get } = await withWebhook();
    await call('PUT', path, { body: aWebhook({ maxAllowedConnections: 20 }) });
    const answer = await call('DELETE', path);
    expect(answer.json.data).toMatchObject({ active: false, maxAllowedConnections: 10 });
    expect(await get()).toMatchObject([{ active: false, maxAllowedConnections: 20 }]);
    await call('PUT', path, { body: aWebhook() });
    expect(await get()).toMatchObject([{ active: true }]);
  });
});

describe('GET /v3/webHooks/eventMetaData', () => {
  it('lists the event names, and has a schema for each', async () => {
    const { call } = await withCapillary();
    const { json } = await call('GET', `${LISTED}/eventMetaData`);
    expect(json.data).toContainEqual({ active: true, eventName: 'CouponIssue' });
    const one = await call('GET', `${LISTED}/eventMetaData/CouponIssue`);
    expect(one.json.data.schema.properties.eventName).toEqual({ type: 'string', const: 'CouponIssue' });
    expect((await call('GET', `${LISTED}/eventMetaData/couponIssue`)).status).toBe(404);
  });
});

describe('POST /_sim/reset', () => {
  it('keeps webhooks unless objects=true; then those from the start are back', async () => {
    const { simulator, call, get } = await withWebhook(aWebhook(), { webhooks: [FOREIGN] });
    await call('POST', '/_sim/reset');
    expect(await get()).toHaveLength(2);
    await call('POST', '/_sim/reset?objects=true');
    expect(await get()).toMatchObject([{ name: 'crm-sync' }]);
    expect(simulator.capillary.calls.size).toBe(1);
  });
});
