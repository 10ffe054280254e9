import { describe, expect, test } from 'vitest';
import type { ApiAnswer } from '../../../src/capillary/api/api-answer.ts';
import type { CapillaryClient } from '../../../src/capillary/api/capillary-client.ts';
import { StoreError } from '../../../src/journal/journal.ts';
import { anEvent } from '../../simulator/capillary/api/delivery-rig.ts';
import { sourceRig, START } from './source-rig.ts';

const MINUTE_MS = 60_000;
type Client = Pick<CapillaryClient, 'get'>;

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** The client, but the calls from `first` on are answered otherwise. */
function failingFrom(client: Client, first: number, answer: ApiAnswer): Client {
  let calls = 0;
  return {
    get: async (path, options) => {
      calls += 1;
      return calls < first ? client.get(path, options) : answer;
    },
  };
}

const AWAY: ApiAnswer = {
  ok: false,
  error: {
    kind: 'network',
    call: 'GET /v3/events',
    code: 'refused',
    text: 'nobody answers',
    ambiguous: false,
  },
};

describe('a failure of Capillary', () => {
  test('in the middle ends the run, and the next one finds what one run would have found', async () => {
    const rig = await sourceRig();
    rig.behave((body) => (/request-\d*5"/.test(body) ? 'down' : 'ok'));
    rig.raise(...numbers(130));
    await rig.settled();
    rig.pass(30 * MINUTE_MS);
    const failing = await rig.run({}, { sharedClient: () => failingFrom(rig.client, 9, AWAY) });
    expect(failing).toMatchObject({
      state: 'failing',
      problem: {
        code: 'network',
        detail: expect.stringContaining('nobody answers'),
        fix: expect.any(String),
      },
    });
    expect(failing).not.toHaveProperty('lastRunAt');
    const report = await rig.run();
    expect(report).toMatchObject({
      state: 'ok',
      sums: { sent: 130, accepted: 117, recovered: 13, unrecoverable: 0, missing: 0 },
    });
    expect(report).not.toHaveProperty('problem');
    expect(rig.observed).toMatchObject({ runs: ['failed', 'ok'], recovered: 13 });
    expect(rig.observed.found).toEqual({ 'given-up relay-unreachable': 13 });
  });

  test('a missing right is named with its fix', async () => {
    const clients = [{ key: 'northKey', secret: 'northSecret', access: { Webhooks: ['write' as const] } }];
    const rig = await sourceRig({ capillary: { clients } }).catch(() => undefined);
    if (rig === undefined) throw new Error('the webhook could not be made');
    expect(await rig.run()).toMatchObject({
      state: 'failing',
      problem: { code: 'forbidden', fix: expect.stringContaining('Read on Webhooks') },
    });
  });

  test('the limit of calls ends the run once it has been waited for', async () => {
    const rig = await sourceRig({ capillary: { callsPerMinute: 3 } });
    expect(await rig.run()).toMatchObject({ state: 'failing', problem: { code: 'throttled' } });
    expect(rig.observed.calls['throttled']).toBe(1);
  });

  test('a webhook that does not exist is named with its fix', async () => {
    const rig = await sourceRig({ webhook: { name: 'another' } });
    expect(await rig.run()).toMatchObject({
      problem: { code: 'no-webhook', fix: 'capillary-relay register apply --source acme' },
    });
  });

  test('a source without a webhook too', async () => {
    const rig = await sourceRig({ source: { webhook: undefined } });
    expect(await rig.run()).toMatchObject({ problem: { code: 'no-webhook', fix: expect.any(String) } });
  });

  test('without a client of an enricher is that of its own client', async () => {
    const rig = await sourceRig();
    rig.raise(1, 2);
    await rig.settled();
    rig.pass(30 * MINUTE_MS);
    expect(await rig.run({}, { sharedClient: () => undefined })).toMatchObject({ sums: { accepted: 2 } });
  });
});

describe('the store', () => {
  test('without space ends the run before anything is taken', async () => {
    const rig = await sourceRig();
    rig.twin.addToLog(anEvent(1), { generatedAt: START, status: 'FAILED' });
    rig.pass(30 * MINUTE_MS);
    const refusal = {
      code: 'store-full',
      detail: 'the store has reached store.maxBytes',
      retryAfter: 30,
    } as const;
    const full = { refusal: () => undefined, admit: async () => refusal };
    expect(await rig.run({}, { admission: full })).toMatchObject({
      state: 'failing',
      problem: { code: 'store-full', fix: expect.any(String) },
    });
    expect(await rig.accepted()).toEqual([]);
    expect(await rig.run()).toMatchObject({ state: 'ok', sums: { sent: 1, recovered: 1 } });
  });

  test('that fails is thrown, and the next run takes the event', async () => {
    const rig = await sourceRig();
    rig.twin.addToLog(anEvent(1), { generatedAt: START, status: 'FAILED' });
    rig.pass(30 * MINUTE_MS);
    const journal = {
      ...rig.journal,
      append: () => Promise.reject(new StoreError('the disk is gone')),
    };
    await expect(rig.run({}, { journal })).rejects.toThrow('the disk is gone');
    expect(rig.observed.runs).toEqual(['failed']);
    expect(await rig.run()).toMatchObject({ sums: { sent: 1, recovered: 1 } });
  });
});

test('a run ends with the reason of its signal', async () => {
  const rig = await sourceRig();
  rig.raise(...numbers(10));
  await rig.settled();
  rig.pass(30 * MINUTE_MS);
  const ending = new AbortController();
  const client: Client = {
    get: async (path, options) => {
      if (path.endsWith('/logs')) ending.abort(new Error('the relay stops'));
      return rig.client.get(path, options);
    },
  };
  const reconciler = rig.open({ sharedClient: () => client });
  await expect(reconciler.run({}, ending.signal)).rejects.toThrow('the relay stops');
  expect(await rig.run()).toMatchObject({ state: 'ok', sums: { sent: 10, accepted: 10 } });
});
