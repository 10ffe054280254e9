import { describe, expect, test } from 'vitest';
import {
  createWebhook,
  listWebhooks,
  offeredEvents,
  replaceWebhook,
} from '../../../src/capillary/api/webhooks.ts';
import { sendJson } from '../../adobe/scripted-server.ts';
import { startApi } from './api-rig.ts';

const WEBHOOK = {
  webHookId: '66f0000000000000000000a1',
  name: 'acme-aep-relay',
  active: true,
  webHookUrl: 'https://relay.example.com/webhooks/acme',
  webHookType: 'HTTP',
  methodType: 'POST',
  eventNames: ['customerAdded', 'pointsIssued'],
  webHookHeaders: { 'X-Relay-Key': 'value-of-the-header' },
  maxAllowedConnections: 10,
  consumerGroupId: '7b1d0c5e-0000-4000-8000-000000000001',
  possibleValues: [{ label: 'none', value: 'none' }],
};

describe('the list of webhooks', () => {
  test('has those that have an id, with all that Capillary sent', async () => {
    const { client } = await startApi((_, response) =>
      sendJson(response, 200, {
        data: [WEBHOOK, { name: 'without id' }, null],
        errors: null,
        warnings: null,
      }),
    );
    expect(await listWebhooks(client)).toEqual({
      ok: true,
      value: [
        {
          id: WEBHOOK.webHookId,
          name: 'acme-aep-relay',
          active: true,
          url: WEBHOOK.webHookUrl,
          type: 'HTTP',
          eventNames: WEBHOOK.eventNames,
          identifiers: [],
          headers: WEBHOOK.webHookHeaders,
          consumerGroupId: WEBHOOK.consumerGroupId,
          object: WEBHOOK,
        },
      ],
    });
  });

  test('of another form is no list, and never an empty one', async () => {
    const { client } = await startApi((_, response) => sendJson(response, 200, { data: null, errors: null }));
    expect(await listWebhooks(client)).toMatchObject({
      ok: false,
      error: { kind: 'foreign', call: 'GET /v3/webHooks', text: 'an answer without a list of webhooks' },
    });
  });

  test('tolerates headers of another form', async () => {
    const odd = { webHookId: 'a', webHookHeaders: ['x'], active: 'yes' };
    const { client } = await startApi((_, response) =>
      sendJson(response, 200, { data: [odd], errors: null }),
    );
    expect(await listWebhooks(client)).toMatchObject({
      value: [{ id: 'a', headers: {}, active: false, name: '' }],
    });
  });
});

test('a webhook is created with a POST and replaced with a PUT', async () => {
  const { client, calls } = await startApi((_, response) =>
    sendJson(response, 200, { data: WEBHOOK, errors: null }),
  );
  expect(await createWebhook(client, { name: 'a' })).toEqual({ ok: true, value: undefined });
  expect(await replaceWebhook(client, 'a/b', { name: 'a' })).toEqual({ ok: true, value: undefined });
  expect(calls()).toMatchObject([
    { method: 'POST', url: '/v3/webHooks', body: '{"name":"a"}' },
    { method: 'PUT', url: '/v3/webHooks/a%2Fb', body: '{"name":"a"}' },
  ]);
});

test('an error that echoes the object does not show the values of its headers', async () => {
  const { client } = await startApi((request, response) =>
    sendJson(response, 400, { errors: [{ code: 300_004, message: request.body }] }),
  );
  const answers = [await createWebhook(client, WEBHOOK), await replaceWebhook(client, 'a', WEBHOOK)];
  for (const answer of answers) {
    expect(answer).toMatchObject({ ok: false, error: { code: '300004' } });
    expect(JSON.stringify(answer)).not.toContain('value-of-the-header');
  }
});

describe('the events that are offered', () => {
  test('are those that are active', async () => {
    const data = [
      { eventName: 'customerAdded', active: true },
      { eventName: 'old', active: false },
      'pointsIssued',
    ];
    const { client } = await startApi((_, response) => sendJson(response, 200, { data, errors: null }));
    expect(await offeredEvents(client)).toEqual(['customerAdded', 'pointsIssued']);
  });

  test.each([
    [404, {}],
    [500, {}],
    [200, { data: [], errors: null }],
    [200, { data: null, errors: null }],
  ])('are unknown after %i %j', async (status, body) => {
    const { client, calls } = await startApi((_, response) => sendJson(response, status, body));
    expect(await offeredEvents(client)).toBeUndefined();
    expect(calls()).toHaveLength(1);
  });
});
