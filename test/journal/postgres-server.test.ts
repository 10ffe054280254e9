import { describe, expect, it } from 'vitest';
import { executeSql, freshSchema, postgresServer } from '../helpers/postgres-server.ts';

describe('the PostgreSQL server of the tests', () => {
  it('is one for all tests, from version 14 on', async () => {
    const server = await postgresServer();
    expect(server.version).toBeGreaterThanOrEqual(14);
    expect(await postgresServer()).toBe(server);
  });

  it('gives each test a schema of its own', async () => {
    const [one, other] = [await freshSchema(), await freshSchema()];
    expect(one.schema).not.toBe(other.schema);
    await executeSql(one.url, `CREATE SCHEMA ${one.schema}; CREATE TABLE ${one.schema}.t ()`);
    await one.drop();
    await other.drop();
    const name = `${one.schema}.t`;
    expect(await executeSql(one.url, `SELECT to_regclass('${name}') AS found`)).toEqual([{ found: null }]);
  });
});
