import { describe, expect, test } from 'vitest';
import { createTokenSource } from '../../../src/adobe/ims/token-source.ts';
import { sendJson } from '../scripted-server.ts';
import { codeOf, DAY, sendToken, HOUR, jwt, never, sendError, setUp, START, tokenOf } from './token-setup.ts';

describe('a mint', () => {
  test('is one form with every value encoded and the scopes comma separated', async () => {
    const secret = 'p8e-a+b&c=d%/ é';
    const { server, get } = await setUp((_, response) => sendToken(response, 't1'), {
      clientSecrets: [secret],
    });
    expect(await get()).toEqual({ ok: true, token: 't1' });
    const [request] = server.requests;
    expect(request).toMatchObject({ method: 'POST', url: '/ims/token/v3' });
    expect(request?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(request?.headers['user-agent']).toMatch(/^capillary-aep-relay\/\d+\.\d+\.\d+/);
    expect(request?.body).toContain('scope=openid%2CAdobeID');
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'id',
      client_secret: secret,
      scope: 'openid,AdobeID',
    });
  });

  test('is shared by all callers that ask while it runs', async () => {
    const { server, source, outcomes } = await setUp((_, response, count) =>
      sendToken(response, `t${count}`),
    );
    const answers = await Promise.all(Array.from({ length: 100 }, () => source.get(never)));
    expect(new Set(answers.map(tokenOf))).toEqual(new Set(['t1']));
    expect(await source.get(never)).toEqual({ ok: true, token: 't1' });
    expect(server.requests).toHaveLength(1);
    expect(outcomes).toEqual(['ok']);
  });

  test('continues for the others when one caller gives up', async () => {
    const gate = Promise.withResolvers<void>();
    const { server, source } = await setUp(async (_, response) => {
      await gate.promise;
      sendToken(response, 't1');
    });
    const impatient = new AbortController();
    const given = source.get(impatient.signal);
    const other = source.get(never);
    await server.received(1);
    const reason = new Error('gave up');
    impatient.abort(reason);
    await expect(given).rejects.toBe(reason);
    gate.resolve();
    expect(tokenOf(await other)).toBe('t1');
    expect(server.requests).toHaveLength(1);
  });

  test('is not started for a caller that has given up already', async () => {
    const { server, source } = await setUp((_, response) => sendToken(response, 't1'));
    const reason = new Error('too late');
    await expect(source.get(AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.requests).toHaveLength(0);
  });

  test('ends with close(), for waiting callers and later ones', async () => {
    const { server, source } = await setUp(() => undefined);
    const waiting = source.get(never);
    await server.received(1);
    source.close();
    source.close();
    expect(await waiting).toMatchObject({ ok: false, code: 'unavailable', permanent: false });
    expect(await source.get(never)).toMatchObject({ ok: false, code: 'unavailable' });
    expect(server.requests).toHaveLength(1);
  });
});

describe('an answer without a usable token is `unavailable`', () => {
  const cases: [string, Parameters<typeof setUp>[0]][] = [
    ['not JSON', (_, response) => void response.writeHead(200).end('<html>hello</html>')],
    ['no access_token', (_, response) => sendJson(response, 200, { expires_in: 86_399 })],
    ['an access_token that is not a string', (_, response) => sendJson(response, 200, { access_token: 5 })],
    [
      'a token that no header can contain',
      (_, response) => sendJson(response, 200, { access_token: 'a\r\nb' }),
    ],
    ['an array', (_, response) => sendJson(response, 200, [{ access_token: 't1' }])],
    [
      'a body over 64 KB',
      (_, response) => sendJson(response, 200, { access_token: 't1', junk: 'x'.repeat(70_000) }),
    ],
    [
      'a valid body followed by 64 KB',
      (_, response) => void response.writeHead(200).end(`{"access_token":"t1"}${' '.repeat(70_000)}`),
    ],
    ['a redirect', (_, response) => void response.writeHead(302, { location: '/elsewhere' }).end()],
    ['a gateway error', (_, response) => void response.writeHead(502).end('<h1>Bad gateway</h1>')],
  ];
  test.each(cases)('%s', async (_, script) => {
    const { server, get, outcomes } = await setUp(script);
    expect(await get()).toMatchObject({ ok: false, code: 'unavailable', permanent: false });
    expect(outcomes).toEqual(['unavailable']);
    expect(server.requests).toHaveLength(1);
  });
});

describe('no answer at all is `network`', () => {
  test('when IMS hangs', async () => {
    const { get } = await setUp(() => undefined, { timeoutMs: 50 });
    const answer = await get();
    expect(answer).toMatchObject({ ok: false, code: 'network', permanent: false });
    expect(answer).toHaveProperty('detail', expect.stringContaining('timeout'));
  });

  test('when IMS hangs in the middle of its answer', async () => {
    const { get } = await setUp(
      (_, response) => void response.writeHead(200, { 'content-length': '100' }).write('{"access_'),
      { timeoutMs: 50 },
    );
    expect(codeOf(await get())).toBe('network');
  });

  test('when nothing listens on the port', async () => {
    const { server, get } = await setUp(() => undefined);
    await server.close();
    expect(await get()).toHaveProperty('detail', expect.stringContaining('refused'));
  });

  test('when the other side does not use TLS', async () => {
    const { server } = await setUp(() => undefined);
    const source = createTokenSource({
      url: server.origin.replace('http:', 'https:'),
      clientId: 'id',
      clientSecrets: ['secret-one'],
      scopes: [],
    });
    const answer = await source.get(never);
    source.close();
    expect(answer).toMatchObject({ ok: false, code: 'network' });
    expect(answer).toHaveProperty('detail', expect.stringContaining('tls'));
  });
});

describe('lifetime', () => {
  test('a token is used until it expires, then another one is minted', async () => {
    const { server, source, advance, get } = await setUp((_, response, count) =>
      sendToken(response, `t${count}`, 60),
    );
    await get();
    expect(source.secondsLeft()).toBe(60);
    advance(29_000);
    expect(tokenOf(await get())).toBe('t1');
    expect(server.requests).toHaveLength(1);
    advance(31_000);
    expect(source.secondsLeft()).toBeUndefined();
    expect(tokenOf(await get())).toBe('t2');
  });

  test('both units of expires_in give the same lifetime', async () => {
    const seconds = await setUp((_, response) => sendToken(response, 't', 86_399));
    const millis = await setUp((_, response) => sendToken(response, 't', 86_399_000));
    await seconds.get();
    await millis.get();
    expect(seconds.source.secondsLeft()).toBe(86_399);
    expect(millis.source.secondsLeft()).toBe(86_399);
  });

  test('a local clock that is hours off does not matter', async () => {
    const token = jwt({ created_at: String(START - 20 * HOUR), expires_in: String(DAY) });
    const { source, get } = await setUp((_, response) => sendToken(response, token, 86_399));
    await get();
    expect(source.secondsLeft()).toBe(86_399);
  });

  test('an unusable lifetime counts as five minutes and is reported', async () => {
    const { source, get, outcomes } = await setUp((_, response) => sendToken(response, 't1', 'soon'));
    await get();
    expect(source.secondsLeft()).toBe(300);
    expect(outcomes).toEqual(['ok_lifetime_unknown']);
  });

  test.each(['wall', 'monotonic'] as const)('the %s clock alone can expire it', async (clockName) => {
    const { clock, get } = await setUp((_, response, count) => sendToken(response, `t${count}`));
    await get();
    clock[clockName] += DAY;
    // The other clock was set back, or has stopped.
    if (clockName === 'monotonic') clock.wall -= 30 * DAY;
    expect(tokenOf(await get())).toBe('t2');
  });

  test('no seconds are left without a token', async () => {
    const { source } = await setUp((_, response) => sendError(response, 'invalid_scope', 'no'));
    expect(source.secondsLeft()).toBeUndefined();
  });
});
