import { describe, expect, test } from 'vitest';
import { sendToken, sendError, setUp, START, tokenOf, waitOf } from './token-setup.ts';

function failing(status: number, headers: Record<string, string> = {}): Parameters<typeof setUp>[0] {
  return (_, response) => void response.writeHead(status, headers).end();
}

/** The waits of several failures in a row, each retried as soon as it is allowed. */
async function waits(setup: Awaited<ReturnType<typeof setUp>>, times: number): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let time = 0; time < times; time += 1) {
    const wait = waitOf(await setup.get());
    found.push(wait);
    setup.advance(wait ?? 0);
  }
  return found;
}

describe('a temporary fault', () => {
  test('doubles its wait from 1 s to 1 min, with full jitter', async () => {
    const setup = await setUp(failing(500), { jitter: () => 0.5 });
    expect(await waits(setup, 9)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(setup.server.requests).toHaveLength(9);
  });

  test('never waits 0 ms', async () => {
    const setup = await setUp(failing(500), { jitter: () => 0 });
    expect(await waits(setup, 3)).toEqual([250, 250, 250]);
  });

  test('is reported at once during the wait, without a request', async () => {
    const { server, clock, advance, get } = await setUp(failing(500), { jitter: () => 0.999 });
    expect(await get()).toMatchObject({
      ok: false,
      code: 'unavailable',
      permanent: false,
      retryAfterMs: 999,
    });
    advance(400);
    expect(waitOf(await get())).toBe(599);
    expect(server.requests).toHaveLength(1);
    clock.wall -= 1e9;
    clock.monotonic += 599;
    await get();
    expect(server.requests).toHaveLength(2);
  });

  test('is forgotten after a success', async () => {
    const setup = await setUp((_, response, count) => {
      if (count === 4) sendToken(response, 't4', 60);
      else response.writeHead(500).end();
    });
    expect(await waits(setup, 3)).toEqual([500, 1_000, 2_000]);
    expect(tokenOf(await setup.get())).toBe('t4');
    setup.advance(60_000);
    expect(waitOf(await setup.get())).toBe(500);
  });

  test('backs off after a refused connection too', async () => {
    const setup = await setUp(failing(500));
    await setup.server.close();
    expect(await waits(setup, 3)).toEqual([500, 1_000, 2_000]);
    expect(setup.outcomes).toEqual(['network', 'network', 'network']);
  });

  test('an unknown 4xx is `refused` and not permanent', async () => {
    const { get } = await setUp(failing(404));
    expect(await get()).toMatchObject({ code: 'refused', permanent: false, retryAfterMs: 500 });
  });
});

describe('Retry-After', () => {
  test.each([
    [429, 'throttled'],
    [503, 'unavailable'],
  ])('of a %i is respected to the second', async (status, code) => {
    const { server, advance, get } = await setUp(failing(status, { 'retry-after': '7' }));
    expect(await get()).toMatchObject({ code, permanent: false, retryAfterMs: 7_000 });
    advance(6_999);
    expect(waitOf(await get())).toBe(1);
    expect(server.requests).toHaveLength(1);
    advance(1);
    await get();
    expect(server.requests).toHaveLength(2);
  });

  test('may be a date', async () => {
    const date = new Date(START + 90_000).toUTCString();
    const { get } = await setUp(failing(429, { 'retry-after': date }));
    expect(waitOf(await get())).toBe(90_000);
  });

  test.each(['0', 'later', '0.001', new Date(START - 1_000).toUTCString()])(
    'of %s does not shorten the backoff',
    async (value) => {
      const setup = await setUp(failing(429, { 'retry-after': value }));
      expect(await waits(setup, 4)).toEqual([500, 1_000, 2_000, 4_000]);
      expect(setup.server.requests).toHaveLength(4);
    },
  );

  test('that stays the same does not stop the backoff from growing', async () => {
    const setup = await setUp(failing(503, { 'retry-after': '1' }));
    expect(await waits(setup, 5)).toEqual([1_000, 1_000, 2_000, 4_000, 8_000]);
  });
});

describe('a configuration fault', () => {
  test.each(['invalid_client', 'invalid_scope', 'unauthorized_client', 'invalid_request', 'bad_request'])(
    '%s is permanent and retried only after a minute',
    async (error) => {
      const { server, advance, get, outcomes } = await setUp(
        (_, response) => sendError(response, error, 'wrong'),
        {
          jitter: () => 0,
        },
      );
      const answer = { ok: false, code: error, permanent: true, retryAfterMs: 60_000 };
      expect(await get()).toMatchObject(answer);
      expect(await get()).toMatchObject(answer);
      advance(59_999);
      await get();
      expect(server.requests).toHaveLength(1);
      expect(outcomes).toEqual([error]);
      advance(1);
      await get();
      expect(server.requests).toHaveLength(2);
    },
  );

  test('doubles its wait up to 10 min', async () => {
    const setup = await setUp((_, response) => sendError(response, 'invalid_scope', 'wrong'), {
      jitter: () => 0.5,
    });
    expect(await waits(setup, 6)).toEqual([66_000, 132_000, 264_000, 528_000, 600_000, 600_000]);
  });

  test('is counted separately from temporary faults', async () => {
    const setup = await setUp(
      (_, response, count) => {
        if (count === 3) sendError(response, 'invalid_scope', 'wrong');
        else response.writeHead(500).end();
      },
      { jitter: () => 0.5 },
    );
    expect(await waits(setup, 4)).toEqual([500, 1_000, 66_000, 500]);
  });

  test('the same error code in a 500 is not permanent', async () => {
    const { get } = await setUp((_, response) => sendError(response, 'invalid_client', 'oops', 500));
    expect(await get()).toMatchObject({ code: 'unavailable', permanent: false });
  });
});
