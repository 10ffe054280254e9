/* oxlint-disable unicorn/no-thenable -- `then` is a key of the rules' format */
import { describe, expect, it } from 'vitest';
import { type FaultRuleInput, parseFaultRules } from '../../../src/simulator/adobe/fault-script.ts';
import { anEvent, requestToken, client, type Sent, three, withFaults, xdm } from './adobe-client.ts';

function ids(simulator: { landed(): readonly { id?: string }[] }) {
  return simulator.landed().map(({ id }) => id);
}

function statuses(answer: Sent) {
  return answer.json.responses?.map((item) => item.status);
}

async function statusesWithProbability(): Promise<number[]> {
  const { adobe } = await withFaults({ on: 'single', probability: 0.5, then: { status: 500 } });
  const seen: number[] = [];
  for (let turn = 0; turn < 12; turn += 1) seen.push((await adobe.single(three[0])).status);
  return seen;
}

describe('a rule applies to', () => {
  it('a request that no earlier rule of the script matches', async () => {
    const { adobe } = await withFaults(
      { on: 'batch', times: 1, then: { status: 503 } },
      { on: 'inlet', times: 2, then: { status: 500 } },
    );
    const seen: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) seen.push((await adobe.batch(three)).status);
    expect(seen).toEqual([503, 500, 500, 207]);
    expect((await adobe.single(three[0])).status).toBe(200);
  });

  it('requests after the first ones, and only so many', async () => {
    const { simulator, adobe } = await withFaults({ on: 'any', after: 2, times: 1, then: { status: 500 } });
    const seen: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) seen.push((await adobe.single(three[0])).status);
    expect(seen).toEqual([200, 200, 500, 200]);
    expect(simulator.faults()).toMatchObject([{ seen: 4, fired: 1 }]);
  });

  it('a share of the requests, the same ones for the same seed', async () => {
    const first = await statusesWithProbability();
    expect(new Set(first)).toEqual(new Set([200, 500]));
    expect(await statusesWithProbability()).toEqual(first);
  });

  it.each<[string, FaultRuleInput['match']]>([
    ['idPrefix', { idPrefix: 'poi' }],
    ['ids', { ids: ['other', 'poison'] }],
    ['contains', { contains: 'c-poison' }],
    ['flowId', { flowId: 'poisoned-flow' }],
    ['all of several', { idPrefix: 'poison', flowId: 'poisoned-flow' }],
  ])('requests selected by %s', async (_, match) => {
    const { adobe } = await withFaults({ on: 'inlet', match, then: { status: 500 } });
    const poison = xdm(anEvent('poison', 'c-poison'), { flowId: 'poisoned-flow' });
    expect((await adobe.batch(three)).status).toBe(207);
    expect((await adobe.batch([...three, poison])).status).toBe(500);
    expect((await adobe.single(poison)).status).toBe(500);
  });

  it('no request that the platform itself refuses', async () => {
    const { simulator, adobe } = await withFaults({ on: 'inlet', times: 1, then: { status: 500 } });
    expect((await adobe.batch(three, { authorization: '' })).status).toBe(401);
    expect(simulator.faults()).toMatchObject([{ seen: 0 }]);
  });
});

describe('a fault of the whole answer', () => {
  it('a status has the platform’s own body, and nothing lands', async () => {
    const { simulator, adobe } = await withFaults({ on: 'batch', then: { status: 503, retryAfter: 7 } });
    const answer = await adobe.batch(three);
    expect(answer.headers.get('retry-after')).toBe('7');
    expect(answer.json).toMatchObject({ status: 503, title: 'Service unavailable' });
    expect(simulator.stats()).toMatchObject({ landed: 0, requests: { batch: { 503: 1 } } });
  });

  it('the given body and headers are sent', async () => {
    const { adobe } = await withFaults(
      { on: 'batch', times: 1, then: { status: 403, body: '' } },
      {
        on: 'batch',
        then: {
          status: 429,
          retryAfter: 'Wed, 21 Oct 2099 07:28:00 GMT',
          headers: { 'X-Why': 'test' },
          body: { a: 1 },
        },
      },
    );
    expect(await adobe.batch(three)).toMatchObject({ status: 403, text: '' });
    const throttled = await adobe.batch(three);
    expect(throttled.json).toEqual({ a: 1 });
    expect(throttled.headers.get('x-why')).toBe('test');
    expect(throttled.headers.get('retry-after')).toBe('Wed, 21 Oct 2099 07:28:00 GMT');
  });

  it.each([
    ['html', 200, 'text/html; charset=utf-8', /^<html>/],
    ['text', 503, 'text/plain', /^upstream connect error/],
    ['empty', 204, null, /^$/],
    ['object', 200, 'application/json; charset=utf-8', /^\{\}$/],
    ['error', 400, 'application/json; charset=utf-8', /^\{"error":".+"\}$/],
  ] as const)('the %s of a proxy with %i, and nothing lands', async (foreign, status, contentType, text) => {
    const { simulator, adobe } = await withFaults({ on: 'inlet', then: { status, foreign } });
    const answer = await adobe.batch(three);
    expect(answer).toMatchObject({ status, text: expect.stringMatching(text) });
    expect(answer.headers.get('content-type')).toBe(contentType);
    expect(simulator.stats()).toMatchObject({ landed: 0 });
  });

  it('a proxy’s answer although the messages land', async () => {
    const { simulator, adobe } = await withFaults({ on: 'batch', then: { foreign: 'html', landed: true } });
    expect((await adobe.batch(three)).status).toBe(200);
    expect(ids(simulator)).toEqual(['a', 'b', 'c']);
  });

  it('the platform’s own error document with a given text', async () => {
    const { adobe } = await withFaults({ on: 'batch', then: { status: 400, problem: 'dataset not found' } });
    expect((await adobe.batch(three)).json).toMatchObject({
      status: 400,
      type: expect.stringContaining('ns.adobe.com'),
      report: { message: 'dataset not found' },
    });
  });

  it.each([
    [{ problem: 'no' }, 'problem needs a status'],
    [{ status: 400, foreign: 'html' as const, problem: 'no' }, 'foreign excludes'],
  ])('refuses a rule with %j', (then, message) => {
    expect(() => parseFaultRules([{ on: 'inlet', then }])).toThrow(message);
  });

  it('a lost answer: the messages land although it fails', async () => {
    const { simulator, adobe } = await withFaults({
      on: 'batch',
      times: 1,
      then: { status: 500, landed: true },
    });
    expect((await adobe.batch(three)).status).toBe(500);
    expect(ids(simulator)).toEqual(['a', 'b', 'c']);
    await adobe.batch(three);
    expect(simulator.stats()).toMatchObject({ landed: 6, distinctIds: 3, duplicates: 3 });
  });

  it('a false success: the answer is good although nothing lands', async () => {
    const { simulator, adobe } = await withFaults({ on: 'batch', then: { landed: false } });
    expect((await adobe.batch(three)).json.responses).toHaveLength(3);
    expect(simulator.stats().landed).toBe(0);
  });

  it('a reset before the answer', async () => {
    const { simulator, adobe } = await withFaults({ on: 'batch', then: { reset: 'before', landed: true } });
    await expect(adobe.batch(three)).rejects.toThrow('fetch failed');
    expect(simulator.stats()).toMatchObject({ landed: 3, requests: { batch: { reset: 1 } } });
  });

  it('a reset within the body, after the head was received', async () => {
    const { simulator } = await withFaults({ on: 'single', then: { reset: 'mid-body' } });
    const adobe = await client(simulator);
    const answer = await fetch(simulator.inletUrl(), {
      method: 'POST',
      body: JSON.stringify(three[0]),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${adobe.token}` },
    });
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow('terminated');
    expect(simulator.stats().landed).toBe(0);
  });

  it('a reset within the body of a success', async () => {
    const { simulator, adobe } = await withFaults({ on: 'batch', then: { reset: 'mid-body', landed: true } });
    await expect(adobe.batch(three)).rejects.toThrow('terminated');
    expect(simulator.stats().landed).toBe(3);
  });

  it('no answer until the client gives up', async () => {
    const { simulator, adobe } = await withFaults({ on: 'batch', times: 1, then: { hang: true } });
    const clientAbort = new AbortController();
    const hanging = fetch(simulator.inletUrl().replace('/collection/', '/collection/batch/'), {
      method: 'POST',
      body: JSON.stringify({ messages: three }),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${adobe.token}` },
      signal: clientAbort.signal,
    });
    await simulator.until((stats) => stats.requests.batch.hang === 1);
    clientAbort.abort();
    await expect(hanging).rejects.toThrow('aborted');
    expect((await adobe.batch(three)).status).toBe(207);
  });

  it('a delay: the messages land before it', async () => {
    const { simulator, adobe } = await withFaults({ on: 'batch', then: { delayMs: 40 } });
    const answer = adobe.batch(three);
    const stats = await simulator.until(({ landed }) => landed === 3);
    expect(stats.requests.batch).toEqual({});
    expect((await answer).status).toBe(207);
  });

  it('a delay that is longer than the client waits', async () => {
    const { simulator, adobe } = await withFaults({ on: 'single', then: { delayMs: 600_000 } });
    const clientAbort = new AbortController();
    const waiting = fetch(simulator.inletUrl(), {
      method: 'POST',
      body: JSON.stringify(three[0]),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${adobe.token}` },
      signal: clientAbort.signal,
    });
    await simulator.until(({ landed }) => landed === 1);
    clientAbort.abort();
    await expect(waiting).rejects.toThrow('aborted');
    await simulator.until((stats) => stats.requests.single.gone === 1 && stats.concurrent === 0);
  });
});

describe('a fault of single messages', () => {
  it.each<[string, FaultRuleInput['then']['items'], (number | undefined)[]]>([
    ['all', { which: 'all', status: 500 }, [500, 500, 500]],
    ['the first', { which: 'first', status: 400 }, [400, undefined, undefined]],
    ['the last', { which: 'last', status: 429 }, [undefined, undefined, 429]],
    ['certain positions', { which: [0, 2], status: 400 }, [400, undefined, 400]],
    ['those that match', { which: { match: { ids: ['b'] } }, status: 400 }, [undefined, 400, undefined]],
    ['a whole fraction', { which: { fraction: 1 }, status: 400 }, [400, 400, 400]],
    ['no fraction', { which: { fraction: 0 }, status: 400 }, [undefined, undefined, undefined]],
  ])('%s', async (_, items, expected) => {
    const { simulator, adobe } = await withFaults({ on: 'batch', then: { items } });
    const answer = await adobe.batch(three);
    expect(answer.status).toBe(207);
    expect(statuses(answer)).toEqual(expected);
    expect(ids(simulator)).toEqual(['a', 'b', 'c'].filter((__, index) => expected[index] === undefined));
  });

  it('the other key, its own message and no xactionId', async () => {
    const { adobe } = await withFaults({
      on: 'batch',
      then: { items: { which: 'first', status: 400, key: 'statusCode', message: 'no', omitXaction: true } },
    });
    expect((await adobe.batch(three)).json.responses?.[0]).toEqual({ statusCode: 400, message: 'no' });
  });

  it('the messages can land anyway', async () => {
    const { simulator, adobe } = await withFaults({
      on: 'batch',
      then: { items: { which: 'all', status: 500, lands: true } },
    });
    await adobe.batch(three);
    expect(simulator.stats()).toMatchObject({ landed: 3, refused: 3 });
  });

  it('a poison message fails alone too', async () => {
    const poison = { which: { match: { ids: ['b'] } }, status: 400, message: 'poison' };
    const { adobe } = await withFaults({ on: 'inlet', then: { items: poison } });
    expect(statuses(await adobe.batch(three))).toEqual([undefined, 400, undefined]);
    expect(await adobe.single(three[1])).toMatchObject({
      status: 400,
      json: { report: { message: 'poison' } },
    });
    expect((await adobe.single(three[0])).status).toBe(200);
  });
});

describe('a fault of IMS', () => {
  it('throttling with Retry-After', async () => {
    const { simulator } = await withFaults({ on: 'ims', times: 1, then: { status: 429, retryAfter: 3 } });
    const answer = await requestToken(simulator);
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('3');
    expect(answer.headers.get('x-debug-id')).toBeTruthy();
    expect((await requestToken(simulator)).status).toBe(200);
  });

  it('a token that the inlet does not accept', async () => {
    const { simulator } = await withFaults({ on: 'ims', then: { landed: false } });
    const adobe = await client(simulator);
    expect((await adobe.batch(three)).status).toBe(401);
    expect(simulator.stats()).toMatchObject({ mints: 1, activeTokens: 1 });
  });
});
