import { describe, expect, test } from 'vitest';
import { sendToken, HOUR, setUp, tokenOf, waitOf } from './token-setup.ts';

const DAY_MARGIN = 0.05 * 86_399_000;

describe('background refresh', () => {
  test('returns the old token during the mint, then the new one', async () => {
    const gate = Promise.withResolvers<void>();
    const { server, advance, get, outcomesReported } = await setUp(async (_, response, count) => {
      if (count === 2) await gate.promise;
      sendToken(response, `t${count}`);
    });
    await get();
    advance(86_399_000 - DAY_MARGIN - 1);
    expect(tokenOf(await get())).toBe('t1');
    expect(server.requests).toHaveLength(1);
    advance(1);
    const during = await Promise.all([get(), get(), get()]);
    expect(during.map(tokenOf)).toEqual(['t1', 't1', 't1']);
    await server.received(2);
    expect(tokenOf(await get())).toBe('t1');
    gate.resolve();
    await outcomesReported(2);
    expect(tokenOf(await get())).toBe('t2');
    expect(server.requests).toHaveLength(2);
  });

  test('keeps the old token in use if it fails, and backs off', async () => {
    const { requestsStarted, advance, get, outcomesReported } = await setUp((_, response, count) => {
      if (count === 1 || count === 4) sendToken(response, `t${count}`);
      else response.writeHead(500).end();
    });
    await get();
    advance(23 * HOUR);
    expect(tokenOf(await get())).toBe('t1');
    await outcomesReported(2);
    expect(tokenOf(await get())).toBe('t1');
    expect(requestsStarted()).toBe(2);
    advance(500);
    expect(tokenOf(await get())).toBe('t1');
    await outcomesReported(3);
    // The token expires before IMS recovers, so this call waits for the mint.
    advance(HOUR);
    expect(tokenOf(await get())).toBe('t4');
  });

  test('does not help once the old token has expired', async () => {
    const { advance, get, outcomesReported } = await setUp((_, response, count) => {
      if (count === 1) sendToken(response, 't1');
      else response.writeHead(503, { 'retry-after': '3600' }).end();
    });
    await get();
    advance(23.9 * HOUR);
    expect(tokenOf(await get())).toBe('t1');
    await outcomesReported(2);
    advance(HOUR / 2);
    expect(waitOf(await get())).toBe(HOUR / 2);
  });

  test('a permanent error does not invalidate a valid token', async () => {
    const { requestsStarted, advance, get, outcomesReported } = await setUp((_, response, count) => {
      if (count === 1) sendToken(response, 't1');
      else response.writeHead(400).end('{"error":"invalid_scope"}');
    });
    await get();
    advance(23.5 * HOUR);
    await get();
    await outcomesReported(2);
    expect(tokenOf(await get())).toBe('t1');
    expect(requestsStarted()).toBe(2);
  });
});
