import { StoreError } from '../../journal.ts';
import type { Connection } from './connection.ts';
import type { ServerFacts } from './session-settings.ts';

const OLDEST_VERSION = 140_000;

const BACKEND = { name: '', text: 'SELECT pg_backend_pid() AS pid' };

/** @throws StoreError if this server cannot hold a store */
export function checkServer({ version, encoding }: ServerFacts): void {
  if (version < OLDEST_VERSION)
    throw new StoreError(`the database is PostgreSQL ${Math.floor(version / 10_000)}, which is too old`, {
      fix: 'upgrade the server to PostgreSQL 14 or newer',
    });
  if (encoding !== 'UTF8')
    throw new StoreError(`the encoding of the database is ${encoding}`, {
      fix: "create a database with ENCODING 'UTF8' TEMPLATE template0, and name it in store.url",
    });
}

async function backendOf(connection: Connection): Promise<number | undefined> {
  const [row] = await connection.query<{ pid: number }>(BACKEND);
  return row?.pid;
}

/**
 * Behind a pooler that assigns servers to transactions, settings, prepared statements and LISTEN
 * of one connection land in others: then two connections have one backend, or one has several.
 * @throws StoreError
 */
export async function checkPooling(first: Connection, second: Connection): Promise<void> {
  const before = await backendOf(first);
  await second.execute('BEGIN');
  try {
    const other = await backendOf(second);
    const after = await backendOf(first);
    if (other !== before && other !== after && before === after) return;
  } finally {
    await second.execute('ROLLBACK');
  }
  throw new StoreError('the pooler in front of the database assigns connections to transactions', {
    fix: 'set pool_mode = session for this database in pgbouncer.ini, or connect to the server itself',
  });
}
