import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../src/telemetry/log.ts';

type Line = Record<string, unknown>;

/** A logger and the lines it has written. */
function logging(level: 'trace' | 'info' = 'trace') {
  const texts: string[] = [];
  const log = createLogger({ level, destination: { write: (text) => void texts.push(text) } });
  const last = () => JSON.parse(texts.at(-1) ?? '') as Line;
  return { log, texts, last };
}

const token = 'eyJhbGciOiJSUzI1NiJ9.eyJpZCI6IjE3In0.c2lnbmF0dXJl';

describe('createLogger', () => {
  it('writes one JSON object per line with name, level name and ISO time', () => {
    const { log, texts, last } = logging();
    log.info({ source: 'acme', n: 1 }, 'webhook');
    expect(texts[0]).toMatch(/^\{.*\}\n$/);
    expect(last()).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      name: 'capillary-aep-relay',
      source: 'acme',
      n: 1,
      msg: 'webhook',
    });
  });

  it('writes nothing below its level', () => {
    const { log, texts } = logging('info');
    log.debug('no');
    expect(texts).toEqual([]);
  });

  it.each([
    [{ authorization: 's3cret' }],
    [{ Authorization: 's3cret' }],
    [{ request: { headers: { 'x-relay-key': 's3cret' } } }],
    [{ a: { b: { c: { d: { e: { 'proxy-authorization': 's3cret' } } } } } }],
    [{ client_secret: 's3cret', clientSecrets: ['s3cret'], passwords: ['s3cret'] }],
    [{ verify: [{ type: 'header', values: ['s3cret', 's3cret'] }] }],
    [{ 'x-api-key': 's3cret', access_token: 's3cret', 'Set-Cookie': ['s3cret'] }],
    [{ body: { person: 's3cret' } }],
    [{ body: Buffer.from('s3cret') }],
    [{ rawHeaders: ['X-Relay-Key', 's3cret'] }],
    [{ payload: '{"person":"s3cret"}' }],
    [{ text: 'sent with Bearer s3cret-token' }],
    [{ url: 'https://user:s3cret@example.com/path' }],
    [{ query: 'grant_type=x&client_secret=s3cret&scope=y' }],
    [{ list: [{ deep: ['whsec_s3cret'] }] }],
  ])('redacts secrets in fields: %j', (fields) => {
    const { log, texts } = logging();
    log.info(fields, 'line');
    log.child(fields).info('line');
    log.child({ a: 1 }).child({ request: fields }, {}).warn('line');
    expect(texts).toHaveLength(3);
    for (const text of texts) {
      expect(text).not.toContain('s3cret');
      expect(text).not.toContain(Buffer.from('s3cret').toString('hex'));
      expect(text).not.toContain(JSON.stringify([...Buffer.from('s3cret')]).slice(1, -1));
      expect(text).toContain('[redacted]');
      expect(text).toMatch(/^\{.*"msg":"line"\}\n$/);
    }
  });

  it('redacts secrets in messages', () => {
    const { log, texts } = logging();
    log.info(`token ${token} refused`);
    log.info('called %s with Basic %s', 'https://a:pw-secret@b.c', 'dXNlcjpwdy1zZWNyZXQ=');
    log.error(new Error(`password=pw-secret&x=1 and Bearer ${token}`));
    for (const text of texts) expect(text).not.toMatch(/eyJ|pw-secret|dXNlcj/);
    expect(texts[0]).toContain('token [redacted] refused');
    expect(texts[2]).toContain('password=[redacted]&x=1 and Bearer [redacted]');
  });

  it('does not redact numbers, booleans and counts under such keys', () => {
    const { log, last } = logging();
    log.info({
      config: { tokens: '2 secrets', token: '1 secret', values: 3, secret: null, signature: true },
    });
    expect(last()['config']).toEqual({
      tokens: '2 secrets',
      token: '1 secret',
      values: 3,
      secret: null,
      signature: true,
    });
  });

  it('logs type, message, code, stack and causes of an error, and nothing of its request', () => {
    const { log, last } = logging();
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const error = Object.assign(new TypeError('fetch failed', { cause }), {
      code: 'UND_ERR',
      request: { body: 'person' },
      response: 'person',
      headers: { authorization: 'person' },
      body: 'person',
    });
    log.error({ err: error }, 'delivery failed');
    expect(last()['err']).toEqual({
      type: 'TypeError',
      code: 'UND_ERR',
      message: 'fetch failed',
      stack: error.stack,
      cause: { type: 'Error', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED', stack: cause.stack },
    });
    log.error(error);
    expect(last()).toMatchObject({ msg: 'fetch failed', err: { code: 'UND_ERR' } });
    expect(JSON.stringify(last())).not.toContain('person');
  });

  it('logs the errors of an AggregateError, and limits the chain of causes', () => {
    const { log, last } = logging();
    const errors = Array.from({ length: 9 }, (_, n) => Object.assign(new Error(`n${n}`), { code: n }));
    log.error({ err: new AggregateError(errors, 'all failed') });
    const { errors: logged } = last()['err'] as { errors: Line[] };
    expect(logged.map(({ message, code }) => `${String(message)} ${String(code)}`)).toEqual([
      'n0 0',
      'n1 1',
      'n2 2',
      'n3 3',
      'n4 4',
    ]);
    const loop = new Error('loop');
    loop.cause = loop;
    log.error({ err: loop });
    expect(JSON.stringify(last()).match(/"message":"loop"/g)).toHaveLength(4);
  });

  it.each([
    ['a text', { type: 'string', message: 'a text' }],
    [{ body: 'person' }, { type: 'object', message: 'not an Error' }],
    [undefined, undefined],
  ])('handles thrown values that are not errors: %j', (thrown, expected) => {
    const { log, last } = logging();
    log.error({ err: thrown }, 'failed');
    expect(last()['err']).toEqual(expected);
  });

  it('logs only method and path of a request', () => {
    const { log, last } = logging();
    log.info({ req: { method: 'POST', url: '/webhooks/acme?key=s3cret', headers: { host: 'x' } } });
    expect(last()['req']).toEqual({ method: 'POST', path: '/webhooks/acme' });
  });

  it('writes one line, whatever is logged', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), fc.string(), (key, value, message) => {
        const { log, texts } = logging();
        log.info({ [key]: value, token: 's3cret', nested: { authorization: 's3cret' } }, message);
        expect(texts[0]).toMatch(/^[^\n]+\n$/);
        expect(() => JSON.parse(texts[0] ?? '') as unknown).not.toThrow();
        expect(texts[0]).not.toContain('s3cret');
      }),
    );
  });
});
