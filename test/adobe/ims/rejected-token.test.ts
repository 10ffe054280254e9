import { describe, expect, test } from 'vitest';
import { codeOf, sendToken, HOUR, setUp, tokenOf, waitOf } from './token-setup.ts';

const counting: Parameters<typeof setUp>[0] = (_, response, count) => sendToken(response, `t${count}`);

describe('a token that the inlet refuses', () => {
  test('is replaced by one mint, however many callers report it', async () => {
    const { server, source, get } = await setUp(counting);
    await get();
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => {
        source.reject('t1');
        return get();
      }),
    );
    expect(new Set(answers.map(tokenOf))).toEqual(new Set(['t2']));
    source.reject('t1');
    expect(tokenOf(await get())).toBe('t2');
    expect(server.requests).toHaveLength(2);
  });

  test('is ignored unless it is the cached one', async () => {
    const { server, source, get } = await setUp(counting);
    source.reject('t1');
    await get();
    source.reject('another');
    expect(tokenOf(await get())).toBe('t1');
    expect(server.requests).toHaveLength(1);
  });

  test('has no seconds left', async () => {
    const { source, get } = await setUp(counting);
    await get();
    source.reject('t1');
    expect(source.secondsLeft()).toBeUndefined();
  });
});

describe('a broken credential', () => {
  test('waits longer each time if its new tokens are refused at once', async () => {
    const { server, source, advance, get } = await setUp(counting, { jitter: () => 0 });
    const waits: unknown[] = [];
    for (let round = 0; round < 6; round += 1) {
      const token = tokenOf(await get());
      source.reject(token ?? '');
      const wait = waitOf(await get());
      waits.push(wait);
      advance(wait ?? 0);
    }
    // The first refusal causes one mint at once, whose token the second round refuses.
    expect(waits).toEqual([undefined, 5_000, 10_000, 20_000, 40_000, 80_000]);
    expect(server.requests).toHaveLength(6);
    expect(codeOf(await get())).toBeUndefined();
  });

  test('is considered working again once a token has lasted', async () => {
    const { source, advance, get } = await setUp(counting, { jitter: () => 0 });
    await get();
    source.reject('t1');
    await get();
    source.reject('t2');
    expect(await get()).toMatchObject({ code: 'token_refused', permanent: false, retryAfterMs: 5_000 });
    advance(5_000);
    expect(tokenOf(await get())).toBe('t3');
    advance(HOUR);
    source.reject('t3');
    expect(tokenOf(await get())).toBe('t4');
  });

  test('waits if it gets the same token again, then tries it once more', async () => {
    const { server, source, advance, get, outcomes } = await setUp(
      (_, response) => sendToken(response, 'same'),
      {
        jitter: () => 0,
      },
    );
    await get();
    advance(HOUR);
    source.reject('same');
    expect(await get()).toMatchObject({ code: 'token_refused', retryAfterMs: 5_000 });
    expect(await get()).toMatchObject({ code: 'token_refused' });
    expect(server.requests).toHaveLength(2);
    advance(5_000);
    expect(tokenOf(await get())).toBe('same');
    source.reject('same');
    expect(await get()).toMatchObject({ code: 'token_refused', retryAfterMs: 10_000 });
    expect(server.requests).toHaveLength(3);
    expect(outcomes).toEqual(['ok', 'same_token', 'ok']);
  });

  test('is forgotten when an operator retries', async () => {
    const { source, get } = await setUp(counting);
    await get();
    source.reject('t1');
    await get();
    source.reject('t2');
    expect(codeOf(await get())).toBe('token_refused');
    source.retryNow();
    expect(tokenOf(await get())).toBe('t3');
  });

  test('is forgotten with new secrets', async () => {
    const { source, get } = await setUp(counting);
    await get();
    source.reject('t1');
    await get();
    source.reject('t2');
    expect(codeOf(await get())).toBe('token_refused');
    source.setSecrets(['new-secret']);
    expect(tokenOf(await get())).toBe('t3');
  });
});

test('a refusal during a refresh is resolved by that refresh', async () => {
  const gate = Promise.withResolvers<void>();
  const { server, source, advance, get } = await setUp(async (_, response, count) => {
    if (count === 2) await gate.promise;
    sendToken(response, `t${count}`);
  });
  await get();
  advance(23.5 * HOUR);
  await get();
  await server.received(2);
  source.reject('t1');
  const waiting = get();
  gate.resolve();
  expect(tokenOf(await waiting)).toBe('t2');
  expect(server.requests).toHaveLength(2);
});
