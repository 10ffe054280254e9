import { describe, expect, it } from 'vitest';
import { isNearby } from '../../../../src/simulator/capillary/api/webhook-delivery.ts';
import { until } from '../../../helpers/until.ts';
import { aWebhook } from './capillary-caller.ts';
import { anEvent, ORG, withDelivery } from './delivery-rig.ts';
import { receivingRelay, statuses, type WebhookHandler } from './receiving-relay.ts';

const OK = statuses(200);

function idsOf(webhooks: readonly { readonly body: string }[]): number[] {
  return webhooks.map(({ body }) => Number((JSON.parse(body) as { refId: string }).refId.split('_')[1]));
}

describe('the delivery of events by configured webhooks', () => {
  it('posts the flat event with the headers of the captured request and those of the webhook', async () => {
    const { relay, raise, settled } = await withDelivery(OK);
    raise(1);
    await settled();
    const [webhook] = relay.seen;
    expect(webhook?.method).toBe('POST');
    const {
      host: _host,
      'content-length': _length,
      connection: _connection,
      ...headers
    } = webhook?.headers ?? {};
    expect(headers).toEqual({
      accept: 'text/plain, application/json, */*',
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^Java\//),
      'x-relay-key': 'first',
    });
    expect(JSON.parse(webhook?.body ?? '')).toMatchObject({ eventName: 'transactionAdded', orgId: ORG });
  });

  it('goes to every active webhook that lists the name, and to no other', async () => {
    const { relay, call, twin, raise, settled } = await withDelivery(OK);
    const second = await receivingRelay(OK);
    const add = (name: string, changes: Record<string, unknown>) =>
      call('POST', '/v3/webHooks', { body: aWebhook({ name, webHookUrl: second.url, ...changes }) });
    await add('second', {});
    await add('off', { active: false });
    await add('another-name', { eventNames: ['TransactionAdded', 'customerAdded'] });
    await add('queue', { webHookType: 'QUEUE_INT' });
    raise(1);
    await settled();
    expect([relay.seen.length, second.seen.length]).toEqual([1, 1]);
    expect(twin.log.list(() => true)).toHaveLength(2);
  });

  it("has a child organisation's events only if the webhook listens to them", async () => {
    const { relay, call, twin, path, body, settled } = await withDelivery(OK);
    twin.raise(anEvent(1, { orgId: 5 }));
    await call('PUT', path, { body: { ...body, listenToChildEvents: true } });
    twin.raise(anEvent(2, { orgId: 5 }));
    await settled();
    expect(idsOf(relay.seen)).toEqual([2]);
  });

  it('posts to other teams’ webhooks only if asked to', async () => {
    const other = await receivingRelay(OK);
    const preset = { name: 'crm', active: true, webHookUrl: other.url, eventNames: ['transactionAdded'] };
    const quiet = await withDelivery(OK, { webhooks: [preset] });
    quiet.raise(1);
    await quiet.settled();
    expect(other.seen).toHaveLength(0);
    const loud = await withDelivery(OK, { webhooks: [{ ...preset, delivers: true }] });
    loud.raise(1);
    await loud.settled();
    expect(other.seen).toHaveLength(1);
  });

  it('posts to no host outside, unless it is allowed', async () => {
    const webhook = { webHookUrl: 'https://relay.example.com/webhooks/acme' };
    const { twin, raise, settled } = await withDelivery(OK, { webhook });
    raise(1);
    await settled();
    expect(twin.log.list(() => true)).toMatchObject([
      {
        status: 'FAILED',
        attempts: 11,
        message: 'webhook response:  | the simulator posts to private networks only',
      },
    ]);
  });

  it.each([
    ['https://relay.example.com/x', false],
    ['http://8.8.8.8/x', false],
    ['http://172.32.0.1/x', false],
    ['http://127.0.0.1.example.com/x', false],
    ['http://internal.example.com/x', false],
    ['no URL', false],
    ['http://localhost:1/x', true],
    ['http://127.0.0.1:1/x', true],
    ['http://[::1]:1/x', true],
    ['http://relay:8080/x', true],
    ['http://relay.prod.svc.cluster.local/x', true],
    ['http://host.docker.internal/x', true],
    ['http://10.1.2.3/x', true],
    ['http://172.20.0.2/x', true],
    ['http://192.168.1.2/x', true],
  ])('may go to %s: %s', (url, expected) => {
    expect(isNearby(url, [])).toBe(expected);
    expect(isNearby('https://relay.example.com/x', ['relay.example.com'])).toBe(true);
  });
});

describe('an answer', () => {
  it.each([[400], [401], [403], [404], [410]])('of %i is final', async (status) => {
    const { relay, twin, raise, settled } = await withDelivery(statuses(status, 200));
    raise(1);
    await settled();
    expect(relay.seen).toHaveLength(1);
    expect(twin.log.list(() => true)).toMatchObject([{ status: 'FAILED', responseStatus: status }]);
  });

  it.each([[429], [500], [503]])('of %i is repeated until the event is accepted', async (status) => {
    const { relay, twin, raise, settled } = await withDelivery(statuses(status, status, 202));
    raise(1);
    await settled();
    expect(idsOf(relay.seen)).toEqual([1, 1, 1]);
    expect(twin.log.list(() => true)).toMatchObject([{ status: 'SUCCESS', attempts: 3 }]);
  });

  it('that does not come in time, or is no answer, is repeated', async () => {
    const silent: WebhookHandler = (response, _webhook, count) => {
      if (count === 0) return;
      if (count === 1) response.destroy();
      else response.end('{}');
    };
    const { relay, twin, raise, settled } = await withDelivery(silent, { responseTimeoutMs: 50 });
    raise(1);
    await settled();
    expect(relay.seen).toHaveLength(3);
    expect(twin.log.list(() => true)).toMatchObject([{ status: 'SUCCESS', attempts: 3 }]);
  });

  it('that fails eleven times is the last: the event is given up after ten repeats', async () => {
    const { relay, twin, raise, settled } = await withDelivery(statuses(503));
    raise(1);
    await settled();
    expect(relay.seen).toHaveLength(11);
    expect(twin.log.list(() => true)).toMatchObject([
      { status: 'FAILED', attempts: 11, responseStatus: 503 },
    ]);
  });
});

describe('a repeat', () => {
  it('waits twice as long each time, up to 60 s, whatever Retry-After says', async () => {
    const waits: number[] = [];
    const { relay, twin, raise, settled } = await withDelivery(
      (response) => {
        const [record] = twin.log.list(() => true);
        if (record?.nextAttemptAt !== undefined)
          waits.push(record.nextAttemptAt - (record.lastAttemptAt ?? 0));
        response.writeHead(503, { 'retry-after': '3600' }).end();
      },
      { retryScale: 0.0001 },
    );
    raise(1);
    await settled();
    const [record] = twin.log.list(() => true);
    waits.push((record?.nextAttemptAt ?? 0) - (record?.lastAttemptAt ?? 0));
    expect(relay.seen).toHaveLength(11);
    const seconds = waits.map((wait) => Math.round(wait * 10));
    expect(seconds).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]);
  });

  it('has the header and the URL that the webhook has by then', async () => {
    const second = await receivingRelay(OK);
    const { relay, call, path, body, raise, settled } = await withDelivery(statuses(503), {
      retryScale: 0.01,
    });
    raise(1);
    await until(() => relay.seen.length > 0);
    const changes = { webHookUrl: second.url, webHookHeaders: { 'x-relay-key': 'second' } };
    await call('PUT', path, { body: { ...body, ...changes } });
    await settled();
    expect(second.seen.map(({ headers }) => headers['x-relay-key'])).toEqual(['second']);
  });

  it('holds up the events behind it, as many connections as the webhook has', async () => {
    let isOpen = false;
    const gated: WebhookHandler = (response) => {
      response.writeHead(isOpen ? 200 : 503).end();
    };
    const { relay, raise, settled } = await withDelivery(gated, {
      retryScale: 0.001,
      webhook: { maxAllowedConnections: 2 },
    });
    raise(1, 2, 3, 4);
    await until(() => relay.seen.length >= 6);
    expect(new Set(idsOf(relay.seen))).toEqual(new Set([1, 2]));
    isOpen = true;
    await settled();
    expect(new Set(idsOf(relay.seen))).toEqual(new Set([1, 2, 3, 4]));
  });
});

describe('a webhook', () => {
  it('gets as many events at a time as it allows', async () => {
    let open = 0;
    let most = 0;
    const slow: WebhookHandler = (response) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.end('{}');
      }, 10);
    };
    const { relay, raise, settled } = await withDelivery(slow, { webhook: { maxAllowedConnections: 3 } });
    raise(1, 2, 3, 4, 5, 6, 7, 8, 9);
    await settled();
    expect(relay.seen).toHaveLength(9);
    expect(most).toBe(3);
  });

  it('gets nothing while it is inactive: queued events wait, those raised meanwhile are lost', async () => {
    const deactivated = Promise.withResolvers<void>();
    const { relay, call, twin, path, body, raise, settled } = await withDelivery(
      (response, _webhook, count) => {
        if (count > 0) response.end('{}');
        else void deactivated.promise.then(() => response.writeHead(503).end());
      },
      { webhook: { maxAllowedConnections: 1 } },
    );
    raise(1, 2);
    await until(() => relay.seen.length === 1);
    await call('DELETE', path);
    deactivated.resolve();
    raise(3);
    await until(() => twin.log.list(({ responseStatus }) => responseStatus === 503).length === 1);
    // Time in which an attempt would arrive.
    for (const _call of Array.from({ length: 10 })) await call('GET', '/v3/webHooks');
    expect(relay.seen).toHaveLength(1);
    await call('PUT', path, { body });
    await settled();
    expect(idsOf(relay.seen)).toEqual([1, 1, 2]);
  });

  it('can get delivered events once more', async () => {
    const { relay, twin, raise, settled } = await withDelivery(OK, { duplicates: 1 });
    raise(1, 2);
    await settled();
    await until(() => relay.seen.length === 4);
    expect(idsOf(relay.seen).toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2]);
    expect(twin.log.list(() => true)).toMatchObject([{ attempts: 1 }, { attempts: 1 }]);
  });

  it('gets nothing more after a reset', async () => {
    const { relay, simulator, twin, raise, settled } = await withDelivery((response, _webhook, count) => {
      if (count > 0) response.writeHead(count < 4 ? 503 : 200).end();
    });
    raise(1);
    await until(() => relay.seen.length === 1);
    simulator.reset();
    expect(twin.log.list(() => true)).toEqual([]);
    raise(2);
    await settled();
    expect(idsOf(relay.seen)).toEqual([1, 2, 2, 2, 2]);
  });
});

describe('POST /_sim/capillary/events', () => {
  it('raises flat events, and refuses anything else', async () => {
    const { relay, call, settled } = await withDelivery(OK);
    const events = [JSON.parse(anEvent(7).body) as unknown];
    expect((await call('POST', '/_sim/capillary/events', { body: events })).json).toEqual({ raised: 1 });
    await until(() => relay.seen.length === 1);
    await settled();
    for (const body of [{}, [{ data: {} }], 'x']) {
      const answer = await call('POST', '/_sim/capillary/events', { body });
      expect(answer).toMatchObject({ status: 400, json: { error: 'bad-events' } });
    }
    const { json, text } = await call('GET', '/_sim/capillary');
    expect(json).toMatchObject({
      raised: 1,
      deliveries: { total: 1, delivered: 1 },
      webhooks: [
        { name: 'relay', headerNames: ['X-Relay-Key', 'Content-Type'], deliveries: { delivered: 1 } },
      ],
    });
    expect(text).not.toContain('first');
  });
});
