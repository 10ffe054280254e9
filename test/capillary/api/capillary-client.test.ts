import { describe, expect, test } from 'vitest';
import { sendJson } from '../../adobe/scripted-server.ts';
import { KEY, SECRET, startApi } from './api-rig.ts';

const OK = { data: [], errors: null, warnings: null };

describe('a call', () => {
  test('has the token in the header of Capillary and no other credential', async () => {
    const { client, calls, tokenRequests } = await startApi((_, response) => sendJson(response, 200, OK));
    const answer = await client.get('/v3/webHooks', { query: { page: 1, status: undefined, on: true } });
    expect(answer).toMatchObject({ ok: true, status: 200, body: OK, warnings: [] });
    const [call] = calls();
    expect(call).toMatchObject({ method: 'GET', url: '/v3/webHooks?page=1&on=true', body: '' });
    expect(call?.headers['x-cap-api-oauth-token']).toMatch(/^ey/);
    expect(call?.headers.authorization).toBeUndefined();
    expect(call?.headers['user-agent']).toMatch(/^capillary-aep-relay\//);
    expect(tokenRequests()).toHaveLength(1);
    expect(JSON.parse(tokenRequests()[0]?.body ?? '')).toEqual({ key: KEY, secret: SECRET });
  });

  test('keeps the id by which Capillary finds the request, under both of its names', async () => {
    const { client } = await startApi((_, response, count) =>
      sendJson(response, 200, OK, { [count === 1 ? 'X-CAP-REQUEST-ID' : 'X-Cap-Requestid']: `id-${count}` }),
    );
    expect(await client.get('/v3/webHooks')).toMatchObject({ requestId: 'id-1' });
    expect(await client.get('/v2/promotions')).toMatchObject({ requestId: 'id-2' });
  });

  test('sends its body as JSON below the path of the configured URL', async () => {
    const { client, calls } = await startApi((_, response) => sendJson(response, 200, OK));
    await client.post('/v3/webHooks', { name: 'acme' });
    await client.put('/v3/webHooks/1', { name: 'acme' });
    expect(calls()).toMatchObject([
      { method: 'POST', url: '/v3/webHooks', body: '{"name":"acme"}' },
      { method: 'PUT', url: '/v3/webHooks/1', body: '{"name":"acme"}' },
    ]);
  });

  test('returns the warnings of an answer, which can be decisive', async () => {
    const warnings = [{ status: true, code: 8069, message: 'Customer is merged' }];
    const { client } = await startApi((_, response) =>
      sendJson(response, 200, { id: 1, errors: [], warnings }),
    );
    expect(await client.get('/v2/customers/1')).toMatchObject({
      ok: true,
      warnings: [{ code: '8069', text: 'Customer is merged' }],
    });
  });

  test('whose answer is larger than is read fails at once, and says so', async () => {
    const { client, calls } = await startApi((_, response) =>
      sendJson(response, 200, { data: 'x'.repeat(2_000) }),
    );
    const answer = await client.get('/v3/webHooks', { maxBytes: 1_000 });
    expect(answer).toMatchObject({ ok: false, error: { kind: 'foreign', code: 'too-large', status: 200 } });
    expect(calls()).toHaveLength(1);
  });

  test('ends with the signal of the client or its own', async () => {
    const ending = new AbortController();
    const { client, server } = await startApi(() => undefined, { signal: ending.signal });
    const own = new AbortController();
    const given = client.get('/v3/webHooks', { signal: own.signal });
    const other = client.get('/v3/webHooks');
    await server.received(3);
    const reasons = [new Error('gave up'), new Error('stopped')];
    own.abort(reasons[0]);
    await expect(given).rejects.toBe(reasons[0]);
    ending.abort(reasons[1]);
    await expect(other).rejects.toBe(reasons[1]);
  });
});

describe('a read is repeated', () => {
  test.each([
    [500, {}],
    [502, '<html>Bad Gateway</html>'],
    [503, { errors: [{ code: 4001, message: 'authorization status unavailable' }] }],
    [461, {}],
    [521, {}],
  ])('after %i', async (status, body) => {
    const { client, calls, waits } = await startApi((_, response, count) =>
      count < 3
        ? void response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
        : sendJson(response, 200, OK),
    );
    expect(await client.get('/v2/customers/1')).toMatchObject({ ok: true });
    expect(calls()).toHaveLength(3);
    expect(waits).toEqual([1_000, 2_000]);
  });

  test('after a broken connection, and not beyond the number of attempts', async () => {
    const { client, calls } = await startApi((_, response) => void response.destroy());
    const answer = await client.get('/v2/customers/1', { attempts: 3 });
    expect(answer).toMatchObject({ ok: false, error: { kind: 'network', code: 'reset', ambiguous: false } });
    expect(calls()).toHaveLength(3);
  });

  test('not if the answer is final', async () => {
    const { client, calls } = await startApi((_, response) =>
      sendJson(response, 400, { errors: [{ code: 8013, message: 'Invalid identifier' }] }),
    );
    expect(await client.get('/v2/customers/x')).toMatchObject({
      ok: false,
      error: { kind: 'invalid', code: '8013', text: 'invalid identifier' },
    });
    expect(calls()).toHaveLength(1);
  });
});

describe('a write is repeated only if nothing can have been made', () => {
  test.each([
    [429, '', 'throttled', false],
    [503, '{"errors":[{"code":4001,"message":"authorization status unavailable"}]}', 'busy', false],
    [500, '{}', 'unavailable', true],
    [502, '<html>Bad Gateway</html>', 'foreign', true],
    [200, 'not JSON', 'foreign', true],
    [400, '{"errors":[{"code":51003,"message":"no events"}]}', 'invalid', false],
  ])('%i %s', async (status, body, kind, ambiguous) => {
    const { client, calls } = await startApi((_, response) => void response.writeHead(status).end(body));
    const answer = await client.post('/v3/webHooks', {}, { attempts: 3 });
    expect(answer).toMatchObject({ ok: false, error: { kind, ambiguous } });
    expect(calls()).toHaveLength(ambiguous || kind === 'invalid' ? 1 : 3);
  });

  test('a lost answer is ambiguous', async () => {
    const { client, calls } = await startApi((_, response) => void response.destroy());
    expect(await client.post('/v3/webHooks', {})).toMatchObject({
      error: { kind: 'network', ambiguous: true },
    });
    expect(calls()).toHaveLength(1);
  });

  test('a refused connection is not', async () => {
    const { client, server } = await startApi(() => undefined);
    expect(await client.claims()).toMatchObject({ ok: true });
    await server.close();
    expect(await client.post('/v3/webHooks', {}, { attempts: 2 })).toMatchObject({
      error: { kind: 'network', code: 'refused', ambiguous: false },
    });
  });
});

describe('after a 429', () => {
  test('all calls wait as long as Capillary asks for', async () => {
    const { client, calls, waits } = await startApi((_, response, count) =>
      count === 1 ? sendJson(response, 429, {}, { 'retry-after': '20' }) : sendJson(response, 200, OK),
    );
    expect(await client.get('/v3/webHooks')).toMatchObject({ ok: true });
    expect(waits).toEqual([20_000]);
    expect(calls()).toHaveLength(2);
  });

  test('without Retry-After they wait longer each time', async () => {
    const { client, waits } = await startApi((_, response) => sendJson(response, 429, {}));
    expect(await client.get('/v3/webHooks', { attempts: 3 })).toMatchObject({ error: { kind: 'throttled' } });
    await client.get('/v3/webHooks', { attempts: 1 });
    expect(waits).toEqual([5_000, 10_000, 20_000]);
  });

  test('a wait of many minutes is left to the caller', async () => {
    const { client, waits } = await startApi((_, response) =>
      sendJson(response, 429, {}, { 'retry-after': '600' }),
    );
    expect(await client.get('/v3/webHooks')).toMatchObject({
      error: { kind: 'throttled', retryAfterMs: 600_000 },
    });
    expect(waits).toEqual([]);
  });
});

test('no text of an error has a token, or a secret that the body has', async () => {
  const { client } = await startApi((request, response) => {
    const message = `refused ${String(request.headers['x-cap-api-oauth-token'])} ${request.body}`;
    sendJson(response, 400, { errors: [{ code: 300_004, message }] });
  });
  const answer = await client.post(
    '/v3/webHooks',
    { value: 'very-secret' },
    { secrets: ['very-secret', 'refused'] },
  );
  expect(answer).toMatchObject({ error: { text: 'refused [secret] {"value":"[secret]"}' } });
});

describe('the time of an answer', () => {
  const at = Date.UTC(2026, 9, 1, 9, 20, 30, 500);

  async function timeOf(date: string | undefined) {
    const { client, advance } = await startApi((_, response) => {
      response.sendDate = false;
      sendJson(response, 200, OK, date === undefined ? {} : { date });
    });
    advance(at);
    const answer = await client.get('/v3/webHooks');
    return answer.at;
  }

  test('is when the request was sent, or before that what the answer is dated', async () => {
    expect(await timeOf(undefined)).toBe(at);
    expect(await timeOf('Thu, 01 Oct 2026 09:20:31 GMT')).toBe(at);
    // The seconds of the answer began before the request was sent.
    expect(await timeOf('Thu, 01 Oct 2026 09:20:30 GMT')).toBe(at);
    expect(await timeOf('Thu, 01 Oct 2026 09:20:12 GMT')).toBe(Date.UTC(2026, 9, 1, 9, 20, 12));
  });

  test.each(['yesterday', '', 'Thu, 01 Jan 1970 00:00:00 GMT'])('is not "%s"', async (date) => {
    expect(await timeOf(date)).toBe(at);
  });

  test('is that of the last attempt, and a refusal has one too', async () => {
    const { client, advance } = await startApi((_, response, count) => {
      response.sendDate = false;
      sendJson(response, count === 1 ? 521 : 400, { errors: [{ code: 8_013, message: 'x' }] });
    });
    advance(at);
    expect(await client.get('/v2/customers/1')).toMatchObject({ ok: false, at: at + 1_000 });
  });
});

test('errors that a call tolerates are warnings, unless there are others', async () => {
  const errors = [{ code: 8_089, message: 'x' }];
  const { client } = await startApi((_, response, count) =>
    sendJson(response, 200, {
      id: 1,
      errors: count < 3 ? errors : [...errors, { code: 8_015, message: 'y' }],
    }),
  );
  expect(await client.get('/v2/customers/1')).toMatchObject({ ok: false, error: { kind: 'no-loyalty' } });
  const tolerated = ['8089'];
  expect(await client.get('/v2/customers/1', { tolerated })).toMatchObject({
    ok: true,
    warnings: [{ code: '8089' }],
  });
  expect(await client.get('/v2/customers/1', { tolerated })).toMatchObject({ ok: false });
});

test('ids beyond 2^53 keep their digits', async () => {
  const { client } = await startApi((_, response) => void response.end('{"id":12345678901234567890}'));
  expect(await client.get('/v2/customers/1')).toMatchObject({ body: { id: '12345678901234567890' } });
});
