import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { migrate, planMigration } from '../../src/journal/postgres/schema/migrate.ts';
import { type Migration, MIGRATIONS } from '../../src/journal/postgres/schema/schema-steps.ts';
import type { Connection } from '../../src/journal/postgres/sessions/connection.ts';
import { connectOnce } from '../../src/journal/postgres/offline/store-migration.ts';
import { executeSql } from '../helpers/postgres-server.ts';
import { until } from '../helpers/until.ts';
import { schemaOfTest, userOfTest } from './postgres-rig.ts';

const log = pino({ level: 'silent' });
const FIRST: Migration = { name: 'first', sql: 'CREATE TABLE a (n int);', readableFrom: 1 };
const SECOND: Migration = { name: 'second', sql: 'ALTER TABLE a ADD m int;', readableFrom: 1 };
const BREAKING: Migration = { name: 'breaking', sql: 'ALTER TABLE a DROP n;', readableFrom: 3 };

interface Rig {
  readonly url: string;
  readonly schema: string;
  readonly connect: (url?: string) => Promise<Connection>;
}

async function rig(): Promise<Rig> {
  const { url, schema } = await schemaOfTest();
  return {
    url,
    schema,
    connect: async (as = url) => {
      const connection = await connectOnce({ url: as, schema }, 'test');
      onTestFinished(() => connection.close());
      return connection;
    },
  };
}

/** One row of counts: accepted, delivered, and stored events. */
function countsSql(values: string): string {
  return `INSERT INTO counts (stream, source, destination, accepted, delivered, stored_events)
    VALUES (1, 'acme', 'aep', ${values})`;
}

describe('the migration of a PostgreSQL schema', () => {
  it('creates schema and tables, then finds nothing to do', async () => {
    const { schema, connect } = await rig();
    const connection = await connect();
    const first = await migrate(connection, { schema, log });
    expect(first).toMatchObject({ format: MIGRATIONS.length, newest: MIGRATIONS.length, steps: [] });
    expect(await migrate(connection, { schema, log })).toEqual(first);
    expect(first.storeId).toMatch(/^[0-9a-f-]{36}$/u);
  });

  it('is done once by replicas that start together', async () => {
    const { schema, connect } = await rig();
    const connections = await Promise.all(Array.from({ length: 6 }, () => connect()));
    const plans = await Promise.all(connections.map((connection) => migrate(connection, { schema, log })));
    expect(new Set(plans.map(({ storeId }) => storeId)).size).toBe(1);
  });

  it('applies the steps that are missing, in order', async () => {
    const { schema, url, connect } = await rig();
    const connection = await connect();
    await migrate(connection, { schema, log, migrations: [FIRST] });
    const migrations = [FIRST, SECOND, BREAKING];
    expect((await planMigration(connection, { schema, migrations })).steps.map(({ name }) => name)).toEqual([
      'second',
      'breaking',
    ]);
    expect(await migrate(connection, { schema, log, migrations })).toMatchObject({ format: 3 });
    const rows = await executeSql(url, `SELECT format, name FROM ${schema}.migrations ORDER BY format`);
    expect(rows.map(({ name }) => name)).toEqual(['first', 'second', 'breaking']);
  });

  it('keeps the steps before one that fails, and nothing of that one', async () => {
    const { schema, connect } = await rig();
    const connection = await connect();
    const broken = { name: 'broken', sql: 'CREATE TABLE b (); SELECT 1/0;', readableFrom: 1 };
    await expect(migrate(connection, { schema, log, migrations: [FIRST, broken] })).rejects.toThrow('zero');
    expect(await migrate(connection, { schema, log, migrations: [FIRST, SECOND] })).toMatchObject({
      format: 2,
    });
    const names = { name: '', text: `SELECT to_regclass('b') AS b` };
    expect(await connection.query(names)).toEqual([{ b: null }]);
  });

  it('lets others pass while it waits for a lock', async () => {
    const { schema, connect } = await rig();
    const [connection, holder, other] = [await connect(), await connect(), await connect()];
    await migrate(connection, { schema, log, migrations: [FIRST] });
    await holder.execute('BEGIN; LOCK TABLE a IN ACCESS SHARE MODE');
    const migrated = migrate(connection, { schema, log, migrations: [FIRST, SECOND] });
    const waits = { name: '', text: `SELECT FROM pg_locks WHERE NOT granted AND relation = 'a'::regclass` };
    await until(async () => (await other.query(waits)).length > 0);
    expect(await other.query({ name: '', text: 'SELECT FROM a' })).toEqual([]);
    await holder.execute('COMMIT');
    expect(await migrated).toMatchObject({ format: 2 });
  });

  it('lets an older relay go on if it can read the schema, and else refuses', async () => {
    const { schema, connect } = await rig();
    const connection = await connect();
    await migrate(connection, { schema, log, migrations: [FIRST, SECOND] });
    expect(await migrate(connection, { schema, log, migrations: [FIRST] })).toMatchObject({
      format: 2,
      newest: 1,
    });
    await migrate(connection, { schema, log, migrations: [FIRST, SECOND, BREAKING] });
    await expect(migrate(connection, { schema, log, migrations: [FIRST] })).rejects.toMatchObject({
      message: `the schema ${schema} has format 3, but this version of the relay knows formats up to 1`,
      fix: 'run the version of the relay that migrated the schema, or a newer one',
    });
  });

  it('lets relays of the first format go on beside those that enrich events', async () => {
    const { schema, connect } = await rig();
    const connection = await connect();
    const before = MIGRATIONS.slice(0, 1);
    await migrate(connection, { schema, log, migrations: before });
    await connection.execute(`CREATE TABLE bodies_7 (LIKE bodies INCLUDING ALL);
      ALTER TABLE bodies ATTACH PARTITION bodies_7 FOR VALUES IN (7);
      INSERT INTO bodies (day, seq, body) VALUES (7, 1, 'a'), (8, 2, 'b')`);
    const { steps } = await planMigration(connection, { schema });
    expect(steps.map(({ name }) => name)).toEqual(['enrichment', 'landings']);
    expect(steps[0]?.sql).toContain('ALTER TABLE bodies ADD COLUMN entities');
    await migrate(connection, { schema, log });
    expect(await migrate(connection, { schema, log, migrations: before })).toMatchObject({ newest: 1 });
    // As such a relay makes a partition, and keeps rows of one that it drops.
    await connection.execute(`UPDATE bodies SET entities = 'c' WHERE seq = 1;
      CREATE TABLE bodies_8 (LIKE bodies INCLUDING ALL);
      WITH moved AS (DELETE FROM bodies_default WHERE day = 8 RETURNING *) INSERT INTO bodies_8 SELECT * FROM moved;
      ALTER TABLE bodies ATTACH PARTITION bodies_8 FOR VALUES IN (8);
      ALTER TABLE bodies DETACH PARTITION bodies_7;
      INSERT INTO bodies SELECT * FROM bodies_7;
      DROP TABLE bodies_7`);
    expect(
      await connection.query({
        name: '',
        text: `SELECT seq, tableoid::regclass::text AS "table", convert_from(body, 'UTF8') AS body,
          convert_from(entities, 'UTF8') AS entities FROM bodies ORDER BY seq`,
      }),
    ).toEqual([
      { seq: 1, table: 'bodies_default', body: 'a', entities: 'c' },
      { seq: 2, table: 'bodies_8', body: 'b', entities: null },
    ]);
  });

  it.each([
    ['an empty store', 'SELECT', []],
    ['a store that has delivered', countsSql('2, 2, 2'), ['spans-since']],
    ['a store that has removed records', countsSql('2, 2, 1'), ['known-since', 'spans-since']],
    ['a store that has only received', countsSql('2, 0, 2'), []],
  ])('begins to count landings: %s', async (_name, sql, marks) => {
    const { schema, connect } = await rig();
    const connection = await connect();
    await migrate(connection, { schema, log, migrations: MIGRATIONS.slice(0, 2) });
    const before = Date.now() - 60_000;
    await connection.execute(sql);
    await migrate(connection, { schema, log });
    const found = await connection.query<{ name: string; at: number }>({
      name: '',
      text: 'SELECT name, at FROM marks ORDER BY name',
    });
    expect(found.map(({ name }) => name)).toEqual(marks);
    for (const { at } of found) expect(at).toBeGreaterThan(before);
  });

  it('is planned without changing anything', async () => {
    const { schema, url, connect } = await rig();
    const plan = await planMigration(await connect(), { schema });
    expect(plan).toMatchObject({ storeId: undefined, format: 0 });
    expect(plan.steps[0]?.sql).toContain(`CREATE SCHEMA "${schema}"`);
    expect(await executeSql(url, `SELECT FROM pg_namespace WHERE nspname = '${schema}'`)).toEqual([]);
  });

  it('needs rights on the schema only, if it exists', async () => {
    const { schema, url, connect } = await rig();
    const user = await userOfTest(url);
    await executeSql(url, `CREATE SCHEMA ${schema}; GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${user.name}`);
    expect(await migrate(await connect(user.url), { schema, log })).toMatchObject({
      format: MIGRATIONS.length,
    });
  });

  it('says what to do without the right to create', async () => {
    const { schema, url, connect } = await rig();
    const user = await userOfTest(url);
    const connection = await connect(user.url);
    await expect(migrate(connection, { schema, log })).rejects.toMatchObject({
      name: 'StoreError',
      fix: `let an administrator execute: CREATE SCHEMA "${schema}" AUTHORIZATION the_user, or if it exists: ALTER SCHEMA "${schema}" OWNER TO the_user`,
    });
    await executeSql(url, `CREATE SCHEMA ${schema}; GRANT USAGE ON SCHEMA ${schema} TO ${user.name}`);
    await expect(migrate(connection, { schema, log })).rejects.toThrow('may not create tables');
  });

  it('refuses a schema with tables of another program', async () => {
    const { schema, url, connect } = await rig();
    await executeSql(url, `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.events ()`);
    await expect(migrate(await connect(), { schema, log })).rejects.toMatchObject({
      message: expect.stringContaining('tables of another program') as string,
      fix: 'set store.schema to a schema of its own',
    });
  });
});
