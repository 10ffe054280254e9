import { describe, expect, test } from 'vitest';
import type { ReceivedRequest } from '../scripted-server.ts';
import { codeOf, DAY, sendToken, sendError, setUp, tokenOf, sendWrongSecret } from './token-setup.ts';

function secretOf(request: ReceivedRequest): string | null {
  return new URLSearchParams(request.body).get('client_secret');
}

function accepting(...good: string[]): Parameters<typeof setUp>[0] {
  return (request, response, count) =>
    good.includes(secretOf(request) ?? '') ? sendToken(response, `t${count}`) : sendWrongSecret(response);
}

describe('two secrets', () => {
  test('the second is tried when the first is refused, and remembered', async () => {
    const { server, advance, get, outcomes } = await setUp(accepting('second-secret'), {
      clientSecrets: ['first-secret', 'second-secret'],
    });
    expect(tokenOf(await get())).toBe('t2');
    advance(DAY);
    expect(tokenOf(await get())).toBe('t3');
    expect(server.requests.map(secretOf)).toEqual(['first-secret', 'second-secret', 'second-secret']);
    expect(outcomes).toEqual(['secret_failed', 'ok', 'ok']);
  });

  test('the first is tried again when the remembered one is refused', async () => {
    let good = 'second-secret';
    const { server, advance, get } = await setUp(
      (request, response, count) =>
        secretOf(request) === good ? sendToken(response, `t${count}`) : sendWrongSecret(response),
      { clientSecrets: ['first-secret', 'second-secret'] },
    );
    await get();
    good = 'first-secret';
    advance(DAY);
    expect(tokenOf(await get())).toBe('t4');
    expect(server.requests.map(secretOf).slice(2)).toEqual(['second-secret', 'first-secret']);
  });

  test('a 401 for a wrong secret leads to the next secret as well', async () => {
    const { get } = await setUp(
      (request, response) =>
        secretOf(request) === 'second-secret'
          ? sendToken(response, 'good')
          : sendError(response, 'invalid_client', 'invalid client_secret parameter', 401),
      { clientSecrets: ['first-secret', 'second-secret'] },
    );
    expect(tokenOf(await get())).toBe('good');
  });

  test.each([
    ['invalid_client', 'invalid client_id parameter'],
    ['invalid_scope', 'client_secret is fine, the scope is not'],
  ])('%s, %s: no other secret is tried', async (error, description) => {
    const { server, get } = await setUp((_, response) => sendError(response, error, description), {
      clientSecrets: ['first-secret', 'second-secret'],
    });
    expect(await get()).toMatchObject({ ok: false, code: error, permanent: true });
    expect(server.requests).toHaveLength(1);
  });

  test('both refused: permanent, each tried once', async () => {
    const { server, get } = await setUp(accepting(), { clientSecrets: ['first-secret', 'second-secret'] });
    const answer = await get();
    expect(answer).toMatchObject({ ok: false, code: 'invalid_client', permanent: true });
    expect(await get()).toMatchObject({ ok: false, code: 'invalid_client' });
    expect(server.requests).toHaveLength(2);
  });

  test('without any secret no request is sent', async () => {
    const { server, get } = await setUp(accepting(), { clientSecrets: [''] });
    expect(await get()).toMatchObject({ ok: false, code: 'invalid_client', permanent: true });
    expect(server.requests).toHaveLength(0);
  });
});

describe('new secrets', () => {
  test('end the backoff when they differ, and are tried in their own order', async () => {
    const { server, source, get } = await setUp(accepting('new-secret', 'next-secret'));
    expect(codeOf(await get())).toBe('invalid_client');
    source.setSecrets(['new-secret', 'next-secret']);
    expect(tokenOf(await get())).toBe('t2');
    expect(secretOf(server.requests[1]!)).toBe('new-secret');
  });

  test('change nothing if they are the same', async () => {
    const { server, source, get } = await setUp(accepting());
    await get();
    source.setSecrets(['secret-one']);
    expect(codeOf(await get())).toBe('invalid_client');
    expect(server.requests).toHaveLength(1);
  });

  test('are ignored if all are empty', async () => {
    const { server, source, advance, get } = await setUp(accepting('secret-one'));
    source.setSecrets(['']);
    expect(tokenOf(await get())).toBe('t1');
    source.setSecrets([]);
    advance(DAY);
    expect(tokenOf(await get())).toBe('t2');
    expect(server.requests).toHaveLength(2);
  });

  test('do not affect the cached token', async () => {
    const { server, source, get } = await setUp(accepting('secret-one', 'new-secret'));
    await get();
    source.setSecrets(['new-secret']);
    expect(tokenOf(await get())).toBe('t1');
    expect(server.requests).toHaveLength(1);
  });

  test('set during a mint are tried in the same mint', async () => {
    const gate = Promise.withResolvers<void>();
    const { server, source, get } = await setUp(async (request, response, count) => {
      if (count === 1) await gate.promise;
      if (secretOf(request) === 'new-secret') sendToken(response, 'good');
      else sendWrongSecret(response);
    });
    const waiting = get();
    await server.received(1);
    source.setSecrets(['new-secret']);
    gate.resolve();
    expect(tokenOf(await waiting)).toBe('good');
  });
});

test('a secret that IMS echoes is redacted', async () => {
  const { get } = await setUp((_, response) =>
    sendError(response, 'invalid_request', 'bad value secret-one'),
  );
  const answer = await get();
  expect(answer).toHaveProperty('detail', expect.stringContaining('bad value [secret]'));
});

test('the call id for Adobe support is reported', async () => {
  const { get } = await setUp((_, response) =>
    sendError(response, 'invalid_scope', 'no', 400, { 'x-debug-id': 'abc-123' }),
  );
  expect(await get()).toHaveProperty('detail', expect.stringContaining('abc-123'));
});
