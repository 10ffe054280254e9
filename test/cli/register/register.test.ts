import { describe, expect, test } from 'vitest';
import { RECOMMENDED_EVENTS } from '../../../src/capillary/recommended-events.ts';
import { KEY } from '../../helpers/relay-process.ts';
import { CLIENTS, ORG, registerRig, SECRET, WEBHOOK } from './register-rig.ts';

/** What another team has: its webhook must never change. */
const OTHER = {
  name: 'other-team',
  active: true,
  webHookUrl: 'https://other.example.com/hook',
  webHookHeaders: { Authorization: 'Basic b3RoZXI6c2VjcmV0' },
  eventNames: ['customerAdded'],
  maxAllowedConnections: 5,
};

describe('a new webhook', () => {
  test('is planned, made, and then left alone', async () => {
    const { register, webhooks, writes } = await registerRig({ webhooks: [OTHER] });
    const [other] = webhooks();
    const plan = await register('plan');
    expect(plan).toMatchObject({ code: 3, err: '' });
    expect(plan.out).toContain(`acme: to be created: a webhook, organisation ${ORG}`);
    for (const text of [WEBHOOK.url, RECOMMENDED_EVENTS[0], 'webHookHeaders.X-Relay-Key', 'add Instore'])
      expect(plan.out).toContain(text);
    expect(plan.out).not.toContain(KEY);
    expect(writes()).toBe(0);

    const made = await register('apply');
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(made.out).toMatch(
      /^acme: created: webhook acme-aep-relay \([0-9a-f]{24}, consumer group [0-9a-f-]{36}\)/,
    );
    const [first, webhook] = webhooks();
    expect(first).toEqual(other);
    expect(webhook?.fields).toEqual({
      name: 'acme-aep-relay',
      active: true,
      webHookUrl: WEBHOOK.url,
      webHookType: 'HTTP',
      methodType: 'POST',
      webHookHeaders: { 'X-Relay-Key': KEY },
      eventNames: [...RECOMMENDED_EVENTS].toSorted(),
      maxAllowedConnections: 10,
      slaInSeconds: 0,
      customerIdentifiersToBeEnriched: ['Instore', 'cardnumbers'],
      tillDetailsEnrichmentEnabled: true,
      storeDetailsEnrichmentEnabled: true,
      awardedReferenceEnrichmentEnabled: false,
      availablePointsBalanceEnrichmentEnabled: false,
      neoEnrichment: {},
      listenToChildEvents: false,
    });

    expect(await register('apply')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^acme: unchanged/),
    });
    expect(await register('plan')).toMatchObject({ code: 0, out: expect.stringMatching(/^acme: unchanged/) });
    expect(writes()).toBe(1);
    expect(webhooks()).toHaveLength(2);
  });

  test.each([true, false])('is one, also if the answer is lost (made: %s)', async (landed) => {
    const { twin, register, webhooks } = await registerRig();
    twin.setFaults([
      {
        on: 'capillary',
        times: 1,
        match: { method: 'POST', path: '/v3/webHooks' },
        then: { reset: 'before', landed },
      },
    ]);
    expect(await register('apply')).toMatchObject({ code: 0, out: expect.stringContaining('acme: created') });
    expect(webhooks()).toHaveLength(1);
  });

  test('waits if Capillary asks for it', async () => {
    const { twin, register, webhooks } = await registerRig();
    twin.setFaults([{ on: 'capillary', times: 1, then: { status: 429, retryAfter: '0.05' } }]);
    expect(await register('apply')).toMatchObject({ code: 0, err: expect.stringContaining('waiting 1 s') });
    expect(webhooks()).toHaveLength(1);
  });
});

describe('drift', () => {
  test('is named by the plan, and corrected with all else kept', async () => {
    const { register, json, webhooks, twin, writes } = await registerRig();
    await register('apply');
    const [webhook] = webhooks();
    if (webhook === undefined) throw new Error('no webhook');
    const byHand = {
      ...webhook.fields,
      active: false,
      webHookHeaders: { 'x-relay-key': 'old-value', Authorization: 'Basic kept' },
      eventNames: [...RECOMMENDED_EVENTS.filter((name) => name !== 'pointsExpired'), 'badgeEarned'],
      maxAllowedConnections: 3,
      slaInSeconds: 60,
      customerIdentifiersToBeEnriched: ['WeChat'],
      tillDetailsEnrichmentEnabled: false,
      awardedReferenceEnrichmentEnabled: true,
      availablePointsBalanceEnrichmentEnabled: true,
      neoEnrichment: { label: 'flow', value: 'f1' },
      listenToChildEvents: true,
    };
    twin.capillary.webhooks.replace(webhook, byHand, 'somebody');

    const plan = await json('plan');
    expect(plan.code).toBe(3);
    expect(plan.sources).toMatchObject([
      {
        source: 'acme',
        action: 'change',
        webhook: { name: 'acme-aep-relay', active: false },
        changes: [
          { field: 'active', now: 'false', wanted: 'true' },
          { field: 'webHookHeaders.X-Relay-Key', now: 'another value' },
          { field: 'eventNames', missing: ['pointsExpired'], additional: ['badgeEarned'] },
          { field: 'maxAllowedConnections', now: '3', wanted: '10' },
          { field: 'customerIdentifiersToBeEnriched', wanted: 'add Instore, cardnumbers' },
          { field: 'tillDetailsEnrichmentEnabled', now: 'false', wanted: 'true' },
        ],
        findings: [{ check: 'active', level: 'warn' }],
      },
    ]);
    const table = await register('plan');
    expect(table.out).toMatch(/eventNames +20 events +add pointsExpired; remove badgeEarned/);
    for (const text of [JSON.stringify(plan), table.out])
      for (const secret of ['old-value', 'Basic kept', KEY, SECRET]) expect(text).not.toContain(secret);

    expect(await register('apply')).toMatchObject({ code: 0, out: expect.stringContaining('acme: changed') });
    expect(webhooks()).toHaveLength(1);
    expect(webhooks()[0]?.fields).toEqual({
      ...byHand,
      active: true,
      webHookHeaders: { Authorization: 'Basic kept', 'X-Relay-Key': KEY },
      eventNames: [...RECOMMENDED_EVENTS].toSorted(),
      maxAllowedConnections: 10,
      customerIdentifiersToBeEnriched: ['WeChat', 'Instore', 'cardnumbers'],
      tillDetailsEnrichmentEnabled: true,
    });
    expect(await register('plan')).toMatchObject({ code: 0 });
    expect(writes()).toBe(2);
  });

  test.each([true, false])('is corrected also if the answer is lost (made: %s)', async (landed) => {
    const { twin, register, configure, webhooks } = await registerRig();
    await register('apply');
    await configure({ webhook: { ...WEBHOOK, maxConnections: 17 } });
    twin.setFaults([
      {
        on: 'capillary',
        times: 1,
        match: { method: 'PUT' },
        then: { status: 502, body: 'Bad Gateway', landed },
      },
    ]);
    expect(await register('apply')).toMatchObject({ code: 0 });
    expect(webhooks().map(({ fields }) => fields.maxAllowedConnections)).toEqual([17]);
  });

  test('shows no user name, password or query of a URL', async () => {
    const { register, webhooks, twin } = await registerRig();
    await register('apply');
    const [webhook] = webhooks();
    if (webhook === undefined) throw new Error('no webhook');
    const webHookUrl =
      'https://user:pass-of-a-gateway@relay.example.com/webhooks/acme?code=code-of-a-gateway';
    twin.capillary.webhooks.replace(webhook, { ...webhook.fields, webHookUrl }, 'somebody');
    for (const words of [['plan'], ['plan', '--json'], ['apply', '--json']]) {
      const { out, err } = await register(...words);
      expect(out).toContain('https://relay.example.com/webhooks/acme?…');
      expect(out + err).not.toContain('of-a-gateway');
    }
    expect(webhooks()[0]?.fields.webHookUrl).toBe(WEBHOOK.url);
  });

  test('of the header on an active webhook is for `rotate`', async () => {
    const { register, webhooks, twin } = await registerRig();
    await register('apply');
    const [webhook] = webhooks();
    if (webhook === undefined) throw new Error('no webhook');
    const webHookHeaders = { 'X-Relay-Key': 'former-value' };
    twin.capillary.webhooks.replace(webhook, { ...webhook.fields, webHookHeaders }, 'somebody');
    const plan = await register('plan');
    expect(plan).toMatchObject({ code: 3, out: expect.stringContaining('use `register rotate`') });
    expect(plan.out).not.toContain('former-value');
    expect((await register('apply')).out).not.toContain('register rotate');
  });
});

describe('the webhook of the same URL under another name', () => {
  test('is used, with a warning, and keeps its name', async () => {
    const { register, webhooks, configure } = await registerRig();
    await configure({ webhook: { ...WEBHOOK, name: 'by-hand' } });
    await register('apply');
    await configure({});
    const plan = await register('plan');
    expect(plan.code).toBe(0);
    expect(plan.out).toContain(
      'a webhook of the name by-hand posts to https://relay.example.com/webhooks/acme',
    );
    expect(await register('apply')).toMatchObject({ code: 0 });
    expect(webhooks().map(({ fields }) => fields.name)).toEqual(['by-hand']);
  });

  test('beside that of the name is reported and left alone', async () => {
    const { register, webhooks, configure, twin } = await registerRig();
    await configure({ webhook: { ...WEBHOOK, name: 'second' } });
    await register('apply');
    const [second] = webhooks();
    if (second === undefined) throw new Error('no webhook');
    twin.capillary.webhooks.create(ORG, { ...second.fields, name: WEBHOOK.name }, 'somebody');
    await configure({});
    const plan = await register('plan');
    expect(plan.out).toContain(`the webhook second (${second.id}) posts to the same URL`);
    await register('apply');
    expect(webhooks()[0]).toEqual(second);
  });
});

describe('pause', () => {
  test('makes it inactive and changes nothing else; apply resumes it', async () => {
    const { register, webhooks, writes, configure } = await registerRig();
    await register('apply');
    const [before] = webhooks();
    await configure({ webhook: { ...WEBHOOK, maxConnections: 17 } });
    expect(await register('pause')).toMatchObject({
      code: 0,
      out: expect.stringContaining('is inactive: events'),
    });
    expect(webhooks()[0]?.fields).toEqual({ ...before?.fields, active: false });
    expect(await register('pause')).toMatchObject({
      code: 0,
      out: expect.stringContaining('was inactive already'),
    });
    expect(writes()).toBe(2);
    await register('apply');
    expect(webhooks()[0]?.fields).toEqual({ ...before?.fields, maxAllowedConnections: 17 });
  });

  test('fails without a webhook', async () => {
    const { register, webhooks } = await registerRig();
    expect(await register('pause')).toMatchObject({
      code: 1,
      out: expect.stringContaining('there is no webhook'),
    });
    expect(webhooks()).toEqual([]);
  });
});

describe('nothing is written', () => {
  test('to another organisation', async () => {
    const { register, configure, writes } = await registerRig();
    await configure({ orgIds: [1] });
    for (const words of ['plan', 'apply', 'pause'])
      expect(await register(words)).toMatchObject({
        code: 1,
        out: expect.stringContaining(
          `the API client belongs to the organisation ${ORG}, but orgIds of the source has 1`,
        ),
      });
    expect(writes()).toBe(0);
  });

  test('without the right to write, which is named', async () => {
    const readOnly = [
      { ...CLIENTS[0], key: 'northKey', secret: SECRET, access: { Webhooks: ['read' as const] } },
    ];
    const { register, webhooks } = await registerRig({ clients: readOnly });
    expect(await register('plan')).toMatchObject({ code: 3 });
    expect(await register('apply')).toMatchObject({
      code: 1,
      out: expect.stringMatching(
        /lacks Write on Webhooks[^]*fix: in Capillary, give the access group of the API client Write on Webhooks \(/,
      ),
    });
    expect(webhooks()).toEqual([]);
  });

  test('with a header that the source refuses, before anything is changed', async () => {
    const { register, configure, writes } = await registerRig();
    const header = { name: 'X-Relay-Key', value: 'no-verifier-accepts-it' };
    await configure({ webhook: { ...WEBHOOK, header } });
    const refused = await register('apply');
    expect(refused).toMatchObject({ code: 1, out: expect.stringContaining('nothing was changed') });
    expect(refused.out).not.toContain(header.value);
    await configure({});
    await register('apply');
    await configure({ webhook: { ...WEBHOOK, header } });
    expect(await register('apply')).toMatchObject({ code: 1 });
    expect(writes()).toBe(1);
  });

  test('with a name that another organisation of the cluster has', async () => {
    const { register, webhooks } = await registerRig({ webhooks: [{ name: WEBHOOK.name, orgId: 500_123 }] });
    expect(await register('apply')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/51001[^]*write another name into webhook\.name/),
    });
    expect(webhooks()).toEqual([]);
  });

  test('with a wrong secret, which is not shown', async () => {
    const { register, configure, twin } = await registerRig();
    const api = { url: twin.capillaryUrl, key: 'northKey', secret: 'wrong-secret-of-the-client' };
    await configure({ api });
    const { code, out, err } = await register('apply');
    expect(code).toBe(1);
    expect(out).toContain('POST /v3/oauth/token/generate → 401');
    expect(out + err).not.toContain('wrong-secret-of-the-client');
  });

  test('without a source that has both keys', async () => {
    const { register, configure } = await registerRig();
    expect(await register('plan', '--source', 'other')).toMatchObject({
      code: 2,
      err: expect.stringContaining('there is no source with the name other; the sources are acme'),
    });
    await configure({ webhook: undefined });
    expect(await register('plan')).toMatchObject({ code: 2, err: expect.stringContaining('no source has') });
  });
});

describe('warnings', () => {
  test.each<[string, object, RegExp]>([
    ['of http', { url: 'http://relay.example.com/webhooks/acme' }, /is not https/],
    ['of the path', { url: 'https://relay.example.com/hook' }, /does not end with \/webhooks\/acme/],
    [
      'of the header',
      { header: { name: 'X-Relay-Key', value: 'no-verifier' } },
      /no verifier of the source accepts/,
    ],
    [
      'of an event',
      { events: ['customeradded'] },
      /customeradded is not offered[^]*did you mean customerAdded\?/,
    ],
  ])('%s', async (_, webhook, expected) => {
    const { register, configure } = await registerRig();
    await configure({ webhook: { ...WEBHOOK, ...webhook } });
    expect(await register('plan')).toMatchObject({ code: 3, out: expect.stringMatching(expected) });
  });

  test('of masked personal data, and of events without a list at Capillary', async () => {
    const { register, configure, twin } = await registerRig({
      clients: [{ key: 'northKey', secret: SECRET, psiAccess: false }],
    });
    await configure({ webhook: { ...WEBHOOK, events: ['customeradded'] } });
    twin.setFaults([
      { on: 'capillary', match: { path: '/v3/webHooks/eventMetaData' }, then: { status: 404, body: {} } },
    ]);
    const { out } = await register('plan');
    expect(out).toContain('has_psi_access');
    expect(out).toContain('customeradded is no public event name');
  });
});
