import { describe, expect, test } from 'vitest';
import type { Seen } from './scripted-server.ts';
import { codeOf, DAY, giveToken, refuse, setUp, tokenOf, wrongSecret } from './token-setup.ts';

const secretOf = (request: Seen): string | null => new URLSearchParams(request.body).get('client_secret');

const accepting =
  (...good: string[]): Parameters<typeof setUp>[0] =>
  (request, response, count) =>
    good.includes(secretOf(request) ?? '') ? giveToken(response, `t${count}`) : wrongSecret(response);

describe('two secrets', () => {
  test('the second is tried when the first is refused, and remembered', async () => {
    const { server, pass, get, outcomes } = await setUp(accepting('second-secret'), {
      clientSecrets: ['first-secret', 'second-secret'],
    });
    expect(tokenOf(await get())).toBe('t2');
    pass(DAY);
    expect(tokenOf(await get())).toBe('t3');
    expect(server.requests.map(secretOf)).toEqual(['first-secret', 'second-secret', 'second-secret']);
    expect(outcomes).toEqual(['secret_failed', 'ok', 'ok']);
  });

  test('the first is tried again when the remembered one is refused', async () => {
    let good = 'second-secret';
    const { server, pass, get } = await setUp(
      (request, response, count) =>
        secretOf(request) === good ? giveToken(response, `t${count}`) : wrongSecret(response),
      { clientSecrets: ['first-secret', 'second-secret'] },
    );
    await get();
    good = 'first-secret';
    pass(DAY);
    expect(tokenOf(await get())).toBe('t4');
    expect(server.requests.map(secretOf).slice(2)).toEqual(['second-secret', 'first-secret']);
  });

  test('a 401 for a wrong secret moves on as well', async () => {
    const { get } = await setUp(
      (request, response) =>
        secretOf(request) === 'second-secret'
          ? giveToken(response, 'good')
          : refuse(response, 'invalid_client', 'invalid client_secret parameter', 401),
      { clientSecrets: ['first-secret', 'second-secret'] },
    );
    expect(tokenOf(await get())).toBe('good');
  });

  test.each([
    ['invalid_client', 'invalid client_id parameter'],
    ['invalid_scope', 'client_secret is fine, the scope is not'],
  ])('%s, %s: another secret is no help', async (error, description) => {
    const { server, get } = await setUp((_, response) => refuse(response, error, description), {
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

  test('no secret at all asks nobody', async () => {
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

  test('that are the same change nothing', async () => {
    const { server, source, get } = await setUp(accepting());
    await get();
    source.setSecrets(['secret-one']);
    expect(codeOf(await get())).toBe('invalid_client');
    expect(server.requests).toHaveLength(1);
  });

  test('that are all empty are not taken', async () => {
    const { server, source, pass, get } = await setUp(accepting('secret-one'));
    source.setSecrets(['']);
    expect(tokenOf(await get())).toBe('t1');
    source.setSecrets([]);
    pass(DAY);
    expect(tokenOf(await get())).toBe('t2');
    expect(server.requests).toHaveLength(2);
  });

  test('keep the cached token', async () => {
    const { server, source, get } = await setUp(accepting('secret-one', 'new-secret'));
    await get();
    source.setSecrets(['new-secret']);
    expect(tokenOf(await get())).toBe('t1');
    expect(server.requests).toHaveLength(1);
  });

  test('given during a mint with the old ones are tried in the same mint', async () => {
    const gate = Promise.withResolvers<void>();
    const { server, source, get } = await setUp(async (request, response, count) => {
      if (count === 1) await gate.promise;
      if (secretOf(request) === 'new-secret') giveToken(response, 'good');
      else wrongSecret(response);
    });
    const waiting = get();
    await server.seen(1);
    source.setSecrets(['new-secret']);
    gate.resolve();
    expect(tokenOf(await waiting)).toBe('good');
  });
});

test('a secret that IMS echoes is blotted out', async () => {
  const { get } = await setUp((_, response) => refuse(response, 'invalid_request', 'bad value secret-one'));
  const answer = await get();
  expect(answer).toHaveProperty('detail', expect.stringContaining('bad value [secret]'));
});

test('the call id for Adobe support is kept', async () => {
  const { get } = await setUp((_, response) =>
    refuse(response, 'invalid_scope', 'no', 400, { 'x-debug-id': 'abc-123' }),
  );
  expect(await get()).toHaveProperty('detail', expect.stringContaining('abc-123'));
});
