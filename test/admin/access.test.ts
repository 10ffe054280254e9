import { describe, expect, it } from 'vitest';
import { type Caller, checkAccess } from '../../src/admin/access.ts';

function caller(more: Partial<Caller> & { authorization?: string | string[] } = {}): Caller {
  return {
    remoteAddress: '127.0.0.1',
    headers: { host: '127.0.0.1:8081' },
    rawHeaders: [more.authorization ?? []].flat().flatMap((value) => ['Authorization', value]),
    ...more,
  };
}

function from(origin: string) {
  return checkAccess(caller({ headers: { host: 'localhost:8081', origin } }), undefined);
}

function host(name: string): Partial<Caller> {
  return { headers: { host: name } };
}

describe('access without a token', () => {
  it.each(['127.0.0.1', '127.0.0.53', '::1', '::ffff:127.0.0.1'])('accepts loopback: %s', (remoteAddress) => {
    expect(checkAccess(caller({ remoteAddress }), undefined)).toBeUndefined();
  });

  it.each(['10.0.0.5', '128.0.0.1', '::2', '::ffff:10.0.0.5', '0.0.0.0', undefined])(
    'refuses every other address: %s',
    (remoteAddress) => {
      expect(checkAccess(caller({ remoteAddress }), undefined)).toBe('not-loopback');
    },
  );

  it('does not trust forwarded headers', () => {
    const headers = { host: 'localhost', 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' };
    expect(checkAccess(caller({ remoteAddress: '10.0.0.5', headers }), undefined)).toBe('not-loopback');
  });

  it('treats an empty token as none', () => {
    expect(checkAccess(caller({ authorization: 'Bearer ' }), '')).toBeUndefined();
    expect(checkAccess(caller({ remoteAddress: '10.0.0.5', authorization: 'Bearer ' }), '')).toBe(
      'not-loopback',
    );
  });

  it.each(['localhost', 'localhost:8081', 'LOCALHOST', '127.0.0.1', '[::1]:8081'])(
    'accepts a request to %s',
    (name) => {
      expect(checkAccess(caller(host(name)), undefined)).toBeUndefined();
    },
  );

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.5', '', 'a b'])(
    'refuses a name that may resolve to loopback: %j',
    (name) => {
      expect(checkAccess(caller(host(name)), undefined)).toBe('foreign-page');
    },
  );

  it('refuses requests of pages of another origin, and accepts those of its own', () => {
    expect(from('https://evil.example')).toBe('foreign-page');
    expect(from('http://localhost:3000')).toBe('foreign-page');
    expect(from('null')).toBe('foreign-page');
    expect(from('http://localhost:8081')).toBeUndefined();
  });
});

describe('access with a token', () => {
  it.each(['Bearer secret', 'bearer secret', 'BEARER  secret '])(
    'accepts %j from any address',
    (authorization) => {
      const remote = caller({ authorization, remoteAddress: '10.0.0.5', ...host('relay.internal') });
      expect(checkAccess(remote, 'secret')).toBeUndefined();
    },
  );

  it('is required on loopback too', () => {
    expect(checkAccess(caller(), 'secret')).toBe('no-token');
  });

  it.each(['Basic secret', 'Bearersecret', 'secret', 'Bearer ', ''])(
    'finds no token in %j',
    (authorization) => {
      expect(checkAccess(caller({ authorization }), 'secret')).toBe('no-token');
    },
  );

  it.each(['Bearer Secret', 'Bearer secre', 'Bearer secrets', 'Bearer undefined'])(
    'refuses %j',
    (authorization) => {
      expect(checkAccess(caller({ authorization }), 'secret')).toBe('wrong-token');
    },
  );

  it('refuses two tokens, because a proxy may have checked the other one', () => {
    expect(checkAccess(caller({ authorization: ['Bearer secret', 'Bearer wrong'] }), 'secret')).toBe(
      'no-token',
    );
  });
});
