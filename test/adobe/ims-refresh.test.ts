import { describe, expect, test } from 'vitest';
import { giveToken, HOUR, setUp, tokenOf, waitOf } from './token-setup.ts';

const DAY_MARGIN = 0.05 * 86_399_000;

describe('refresh in the background', () => {
  test('serves the old token while it mints, then the new one', async () => {
    const gate = Promise.withResolvers<void>();
    const { server, pass, get, told } = await setUp(async (_, response, count) => {
      if (count === 2) await gate.promise;
      giveToken(response, `t${count}`);
    });
    await get();
    pass(86_399_000 - DAY_MARGIN - 1);
    expect(tokenOf(await get())).toBe('t1');
    expect(server.requests).toHaveLength(1);
    pass(1);
    const during = await Promise.all([get(), get(), get()]);
    expect(during.map(tokenOf)).toEqual(['t1', 't1', 't1']);
    await server.seen(2);
    expect(tokenOf(await get())).toBe('t1');
    gate.resolve();
    await told(2);
    expect(tokenOf(await get())).toBe('t2');
    expect(server.requests).toHaveLength(2);
  });

  test('keeps the old token in use when it fails, and backs off', async () => {
    const { begun, pass, get, told } = await setUp((_, response, count) => {
      if (count === 1 || count === 4) giveToken(response, `t${count}`);
      else response.writeHead(500).end();
    });
    await get();
    pass(23 * HOUR);
    expect(tokenOf(await get())).toBe('t1');
    await told(2);
    expect(tokenOf(await get())).toBe('t1');
    expect(begun()).toBe(2);
    pass(500);
    expect(tokenOf(await get())).toBe('t1');
    await told(3);
    // The token ends before IMS is well: who asks now waits for the mint.
    pass(HOUR);
    expect(tokenOf(await get())).toBe('t4');
  });

  test('is no help once the old token has ended', async () => {
    const { pass, get, told } = await setUp((_, response, count) => {
      if (count === 1) giveToken(response, 't1');
      else response.writeHead(503, { 'retry-after': '3600' }).end();
    });
    await get();
    pass(23.9 * HOUR);
    expect(tokenOf(await get())).toBe('t1');
    await told(2);
    pass(HOUR / 2);
    expect(waitOf(await get())).toBe(HOUR / 2);
  });

  test('a permanent error does not take a valid token away', async () => {
    const { begun, pass, get, told } = await setUp((_, response, count) => {
      if (count === 1) giveToken(response, 't1');
      else response.writeHead(400).end('{"error":"invalid_scope"}');
    });
    await get();
    pass(23.5 * HOUR);
    await get();
    await told(2);
    expect(tokenOf(await get())).toBe('t1');
    expect(begun()).toBe(2);
  });
});
