import { describe, expect, it } from 'vitest';
import { type Caller, refusalOf } from '../../src/admin/access.ts';

const caller = (more: Partial<Caller> & { authorization?: string | string[] } = {}): Caller => ({
  remoteAddress: '127.0.0.1',
  headers: { host: '127.0.0.1:8081' },
  rawHeaders: [more.authorization ?? []].flat().flatMap((value) => ['Authorization', value]),
  ...more,
});

const from = (origin: string) =>
  refusalOf(caller({ headers: { host: 'localhost:8081', origin } }), undefined);

const host = (name: string): Partial<Caller> => ({ headers: { host: name } });

describe('access without a token', () => {
  it.each(['127.0.0.1', '127.0.0.53', '::1', '::ffff:127.0.0.1'])('takes loopback: %s', (remoteAddress) => {
    expect(refusalOf(caller({ remoteAddress }), undefined)).toBeUndefined();
  });

  it.each(['10.0.0.5', '128.0.0.1', '::2', '::ffff:10.0.0.5', '0.0.0.0', undefined])(
    'refuses every other address: %s',
    (remoteAddress) => {
      expect(refusalOf(caller({ remoteAddress }), undefined)).toBe('not-loopback');
    },
  );

  it('does not believe forwarded headers', () => {
    const headers = { host: 'localhost', 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' };
    expect(refusalOf(caller({ remoteAddress: '10.0.0.5', headers }), undefined)).toBe('not-loopback');
  });

  it('takes an empty token for none', () => {
    expect(refusalOf(caller({ authorization: 'Bearer ' }), '')).toBeUndefined();
    expect(refusalOf(caller({ remoteAddress: '10.0.0.5', authorization: 'Bearer ' }), '')).toBe(
      'not-loopback',
    );
  });

  it.each(['localhost', 'localhost:8081', 'LOCALHOST', '127.0.0.1', '[::1]:8081'])(
    'takes a request to %s',
    (name) => {
      expect(refusalOf(caller(host(name)), undefined)).toBeUndefined();
    },
  );

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.5', '', 'a b'])(
    'refuses a name that somebody pointed at loopback: %j',
    (name) => {
      expect(refusalOf(caller(host(name)), undefined)).toBe('foreign-page');
    },
  );

  it('refuses what a page of another origin sends, and takes its own', () => {
    expect(from('https://evil.example')).toBe('foreign-page');
    expect(from('http://localhost:3000')).toBe('foreign-page');
    expect(from('null')).toBe('foreign-page');
    expect(from('http://localhost:8081')).toBeUndefined();
  });
});

describe('access with a token', () => {
  it.each(['Bearer secret', 'bearer secret', 'BEARER  secret '])(
    'takes %j from anywhere',
    (authorization) => {
      const far = caller({ authorization, remoteAddress: '10.0.0.5', ...host('relay.internal') });
      expect(refusalOf(far, 'secret')).toBeUndefined();
    },
  );

  it('is needed on loopback too', () => {
    expect(refusalOf(caller(), 'secret')).toBe('no-token');
  });

  it.each(['Basic secret', 'Bearersecret', 'secret', 'Bearer ', ''])(
    'finds no token in %j',
    (authorization) => {
      expect(refusalOf(caller({ authorization }), 'secret')).toBe('no-token');
    },
  );

  it.each(['Bearer Secret', 'Bearer secre', 'Bearer secrets', 'Bearer undefined'])(
    'refuses %j',
    (authorization) => {
      expect(refusalOf(caller({ authorization }), 'secret')).toBe('wrong-token');
    },
  );

  it('refuses two tokens, of which a proxy may have looked at the other', () => {
    expect(refusalOf(caller({ authorization: ['Bearer secret', 'Bearer wrong'] }), 'secret')).toBe(
      'no-token',
    );
  });
});
