import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config-schema.ts';
import { databaseFindings, findingsOfFacts } from '../../src/cli/doctor/database-findings.ts';
import { type DatabaseFacts, readDatabaseFacts } from '../../src/journal/postgres/offline/database-facts.ts';
import { configOf, smallestWith } from '../config/config-text.ts';
import { until } from '../helpers/until.ts';
import { executeSql } from '../helpers/postgres-server.ts';
import { schemaOfTest, userOfTest } from '../journal/postgres-rig.ts';

function storeAt(url: string, schema: string): Config['store'] {
  return configOf(smallestWith([['store'], { engine: 'postgres', url, schema }])).store;
}

const REMOTE = storeAt('postgres://relay:pass-1@db:5432/relay', 'relay');

const GOOD: DatabaseFacts = {
  version: 150_004,
  tls: 'TLSv1.3',
  synchronousCommit: 'on',
  synchronousStandbys: 'ANY 1 (*)',
  fsync: true,
  fullPageWrites: true,
  maxConnections: 100,
  reservedConnections: 3,
  connections: 20,
  replicas: 2,
  clockAheadMs: 40,
  roundTripMs: 1.2,
  user: 'relay',
  hasSchema: true,
  mayCreateSchema: true,
  mayCreateTables: true,
  isSuperuser: false,
  freezeAge: 1_000,
  migrations: 0,
  isNewer: false,
};

describe('what doctor says of a database', () => {
  it('that is as it should be', () => {
    const findings = findingsOfFacts(GOOD, REMOTE);
    expect(findings.map(({ check, level }) => `${level} ${check}`)).toEqual([
      'ok database',
      'ok tls',
      'ok schema',
      'ok durability',
      'ok connections',
      'ok database clock',
      'ok round trip',
    ]);
    expect(findings[0]?.detail).toContain('PostgreSQL 15.4 at postgres://relay@db:5432/relay');
    expect(findings[4]?.detail).toContain('replicas alive: 2, with 8 each; room for 9 more');
    expect(JSON.stringify(findings)).not.toContain('pass-1');
  });

  it.each<[string, Partial<DatabaseFacts>, string]>([
    ['no TLS', { tls: undefined }, 'warn tls'],
    ['fsync off', { fsync: false }, 'fail durability'],
    ['asynchronous commits', { synchronousCommit: 'off' }, 'warn durability'],
    ['no connection left', { connections: 95 }, 'warn connections'],
    ['another time', { clockAheadMs: -60_000 }, 'warn database clock'],
    ['a long way', { roundTripMs: 80 }, 'warn round trip'],
    ['a superuser', { isSuperuser: true }, 'warn user'],
    ['no schema and no right', { hasSchema: false, mayCreateSchema: false }, 'fail schema'],
    ['a schema of somebody else', { mayCreateTables: false }, 'fail schema'],
    ['old transactions', { freezeAge: 1_500_000_000 }, 'warn vacuum'],
  ])('with %s', (_what, facts, expected) => {
    const found = findingsOfFacts({ ...GOOD, ...facts }, REMOTE).filter(({ level }) => level !== 'ok');
    expect(found.map(({ check, level }) => `${level} ${check}`)).toEqual([expected]);
    expect(found[0]?.fix).toMatch(/\w/);
  });

  it('that really answers, and of one whose user has no rights', async () => {
    const { url, schema } = await schemaOfTest();
    const found = await databaseFindings(storeAt(url, schema), undefined);
    const levels = Object.fromEntries(found.map(({ check, level }) => [check, level]));
    expect(levels).toMatchObject({ database: 'ok', tls: 'ok', schema: 'ok', 'database clock': 'ok' });
    await executeSql(url, `CREATE SCHEMA ${schema}`);
    const user = await userOfTest(url);
    const [unusable] = await databaseFindings(storeAt(user.url, schema), undefined);
    expect(unusable).toMatchObject({
      check: 'database',
      level: 'fail',
      detail: `the user of the database may not use the schema ${schema}`,
      fix: expect.stringContaining(`ALTER SCHEMA "${schema}" OWNER TO`),
    });
    await executeSql(url, `GRANT USAGE ON SCHEMA ${schema} TO ${user.name}`);
    const other = await databaseFindings(storeAt(user.url, schema), undefined);
    expect(other.find(({ check }) => check === 'schema')).toMatchObject({
      level: 'fail',
      detail: `the user ${user.name} may not create tables in ${schema}`,
      fix: expect.stringContaining(`ALTER SCHEMA ${schema} OWNER TO "${user.name}"`),
    });
  });

  it('whose schema is older or newer than this version', () => {
    const detailOf = (facts: Partial<DatabaseFacts>): string | undefined =>
      findingsOfFacts({ ...GOOD, ...facts }, REMOTE).find(({ check }) => check === 'schema')?.detail;
    expect(detailOf({ migrations: 1 })).toBe('relay gets 1 migration step at the next start');
    expect(detailOf({ isNewer: true })).toContain('migrated by a newer version');
  });

  it('counts the connections of clients, not the processes of the server', async () => {
    const { url } = await schemaOfTest();
    const user = await userOfTest(url);
    const clients = `SELECT count(*)::integer AS n FROM pg_stat_activity WHERE backend_type = 'client backend'`;
    // Other tests connect to the same server.
    const isSame = await until(async () => {
      const { connections } = await readDatabaseFacts({ url: user.url, schema: 'no_such_schema' });
      const [row] = await executeSql(url, clients);
      return connections <= Number(row?.n) + 1;
    });
    expect(isSame).toBe(true);
  });

  it('that does not answer', async () => {
    const [found] = await databaseFindings(storeAt('postgres://relay@127.0.0.1:1/relay', 'relay'), undefined);
    expect(found).toMatchObject({
      check: 'database',
      level: 'fail',
      detail: expect.stringContaining('127.0.0.1:1'),
    });
  });
});
