import { describe, expect, test } from 'vitest';
import { registerError, settleWebhook, type WebhookGoal } from '../../../src/cli/register/settle-webhook.ts';
import { mergedWebhook, newWebhook } from '../../../src/cli/register/wanted-webhook.ts';
import { changesOf } from '../../../src/cli/register/webhook-changes.ts';
import { LOST, refused, WANTED, webhooksInMemory } from './webhook-rig.ts';

const GOAL: WebhookGoal = {
  wanted: WANTED,
  create: newWebhook(WANTED),
  differences: (webhook) => changesOf(webhook, WANTED).map(({ field }) => field),
  replace: (webhook) => mergedWebhook(webhook, WANTED),
};

type Client = Parameters<typeof settleWebhook>[0];

const waits: number[] = [];
const settle = (client: Client, goal = GOAL) => settleWebhook(client, goal, async (ms) => waits.push(ms));

describe('a webhook', () => {
  test('is created once, and then left alone', async () => {
    const { client, writes, stored } = webhooksInMemory([]);
    expect(await settle(client)).toMatchObject({
      did: 'created',
      left: [],
      webhook: { consumerGroupId: 'group-of-id-0' },
    });
    expect(await settle(client)).toMatchObject({ did: 'nothing' });
    expect(writes).toHaveLength(1);
    expect(stored.size).toBe(1);
  });

  test('is changed with one PUT', async () => {
    const { client, writes } = webhooksInMemory([{ ...newWebhook(WANTED), maxAllowedConnections: 1 }]);
    expect(await settle(client)).toMatchObject({ did: 'changed' });
    expect(writes).toMatchObject([{ method: 'PUT', path: '/v3/webHooks/id-0' }]);
  });

  test('is not created again if the answer was lost after it was made', async () => {
    const { client, writes, stored } = webhooksInMemory([], ({ land }) => {
      land();
      return LOST;
    });
    expect(await settle(client)).toMatchObject({ did: 'created' });
    expect(writes).toHaveLength(1);
    expect(stored.size).toBe(1);
  });

  test('is created again if the answer was lost before it was made', async () => {
    const { client, stored, OK } = webhooksInMemory([], ({ count, land }) => {
      if (count < 3) return LOST;
      land();
      return OK;
    });
    expect(await settle(client)).toMatchObject({ did: 'created' });
    expect(stored.size).toBe(1);
  });

  test('that another call made at the same time is taken and changed', async () => {
    const rig = webhooksInMemory([], ({ count, land }) => {
      if (count > 1) land();
      else rig.stored.set('id-0', { ...newWebhook(WANTED), maxAllowedConnections: 3 });
      return count > 1 ? rig.OK : refused('51001');
    });
    expect(await settle(rig.client)).toMatchObject({ did: 'changed', webhook: { id: 'id-0' } });
    expect(rig.stored.size).toBe(1);
  });
});

describe('a command that is killed', () => {
  /** Capillary whose caller dies before the call of this number, or right after it. */
  function killedAt(client: Client, call: number, when: 'before' | 'after'): Client {
    let calls = 0;
    const dying =
      <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        calls += 1;
        if (calls === call && when === 'before') throw new Error('killed');
        const answer = await work(...args);
        if (calls === call) throw new Error('killed');
        return answer;
      };
    return { get: dying(client.get), post: dying(client.post), put: dying(client.put) };
  }

  test.each(
    [[], [{ ...newWebhook(WANTED), maxAllowedConnections: 1, kept: true }]].flatMap((objects) =>
      [1, 2, 3].flatMap((call) =>
        (['before', 'after'] as const).map((when) => [objects.length, when, call, objects] as const),
      ),
    ),
  )(
    'with %i webhooks, %s call %i, leaves one webhook when it is run again',
    async (_, when, call, objects) => {
      const { client, stored } = webhooksInMemory(objects);
      await expect(settle(killedAt(client, call, when))).rejects.toThrow('killed');
      await settle(client);
      expect(stored.size).toBe(1);
      expect(await settle(client)).toMatchObject({ did: 'nothing' });
      expect(stored.get('id-0')).toMatchObject({
        maxAllowedConnections: 10,
        ...(objects.length > 0 && { kept: true }),
      });
    },
  );
});

describe('a failure', () => {
  test('that is final is reported after one attempt', async () => {
    const { client, writes } = webhooksInMemory([], () => refused('51003'));
    await expect(settle(client)).rejects.toThrow('POST /v3/webHooks → 400 51003: no');
    expect(writes).toHaveLength(1);
  });

  test('that never lands ends after three attempts', async () => {
    const { client, writes } = webhooksInMemory([], () => LOST);
    await expect(settle(client)).rejects.toThrow('POST /v3/webHooks → reset');
    expect(writes).toHaveLength(3);
  });

  test('an answer that says success is not believed', async () => {
    waits.length = 0;
    const { client, OK } = webhooksInMemory([{ ...newWebhook(WANTED), maxAllowedConnections: 1 }], () => OK);
    await expect(settle(client)).rejects.toThrow('a GET shows other values of maxAllowedConnections');
    expect(waits).toEqual(Array.from({ length: 6 }, () => 1_000));
  });

  test('without a webhook there is nothing to change', async () => {
    const { create, ...goal } = GOAL;
    expect(create).toBeDefined();
    await expect(settle(webhooksInMemory([]).client, goal)).rejects.toThrow(
      'there is no webhook with the name',
    );
  });
});

describe('an optional field', () => {
  const goal = { ...GOAL, optional: new Set(['tillDetailsEnrichmentEnabled']) };

  test('that Capillary leaves as it is does not fail the rest', async () => {
    const present = { ...newWebhook(WANTED), tillDetailsEnrichmentEnabled: false, maxAllowedConnections: 1 };
    const rig = webhooksInMemory([present], () => {
      rig.stored.set('id-0', { ...present, maxAllowedConnections: 10 });
      return rig.OK;
    });
    expect(await settle(rig.client, goal)).toMatchObject({
      did: 'changed',
      left: ['tillDetailsEnrichmentEnabled'],
    });
    expect(rig.writes).toHaveLength(1);
  });
});

test.each(['busy', 'unavailable', 'throttled', 'network', 'unauthorized'] as const)(
  'the error %s says what to do',
  (kind) => {
    expect(
      registerError({ kind, call: 'GET /v3/webHooks', status: 503, text: 'failed', ambiguous: false }).fix,
    ).toBeTruthy();
  },
);
