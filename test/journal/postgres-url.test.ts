import { describe, expect, it } from 'vitest';
import { formatHost, parseDatabaseUrl } from '../../src/journal/postgres/sessions/database-url.ts';

describe('store.url', () => {
  it('names several hosts, user, password and database', () => {
    const url = parseDatabaseUrl(
      'postgresql://re%6Cay:p%40ss%2Fw%25rd@db1,db2:5433,[::1]:5434/events?target_session_attrs=read-write&sslmode=verify-full',
    );
    expect(url).toMatchObject({
      user: 'relay',
      password: 'p@ss/w%rd',
      database: 'events',
      sslMode: 'verify-full',
    });
    expect(url.hosts.map(formatHost)).toEqual(['db1:5432', 'db2:5433', '[::1]:5434']);
  });

  it('takes a password that is not percent-encoded as it is', () => {
    expect(parseDatabaseUrl('postgres://relay:100%@db/events').password).toBe('100%');
  });

  it('can name the folder of a Unix socket, which has no TLS', () => {
    const url = parseDatabaseUrl('postgres://relay@/events?host=/run/postgresql&port=5433&sslmode=require');
    expect(url).toMatchObject({ hosts: [{ host: '/run/postgresql', port: 5433 }], sslMode: 'disable' });
    expect(url.hosts.map(formatHost)).toEqual(['/run/postgresql/.s.PGSQL.5433']);
  });

  it.each([
    ['mysql://relay@db/events', 'is not a URL of PostgreSQL'],
    ['postgres://db/events', 'names no user'],
    ['postgres://relay@/events', 'names no host'],
    ['postgres://relay@db:0/events', 'has the invalid port 0'],
    ['postgres://relay@db/events?sslmode=maybe', 'has the unknown sslmode maybe'],
    ['postgres://relay@db/events?target_session_attrs=standby', 'but the relay needs read-write'],
    ['postgres://relay@db/events?options=-c%20x', 'has the parameter options, which is not supported'],
  ])('%s is refused', (url, message) => {
    expect(() => parseDatabaseUrl(url)).toThrow(message);
  });
});
