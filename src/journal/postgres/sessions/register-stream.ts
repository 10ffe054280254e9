import { StoreError } from '../../journal.ts';
import type { Connection } from './connection.ts';
import type { ServerFacts } from './session-settings.ts';

/*
 * Without waiting for a standby: what the stream writes later reaches the standby after this row,
 * and whoever connects while the standby is away must not wait for it.
 */
const REGISTER = {
  name: 'register_stream',
  text: `WITH here AS MATERIALIZED (SELECT set_config('synchronous_commit', 'local', true) AS value)
    INSERT INTO streams (replica, backend, backend_started)
    SELECT $1, $2, $3 FROM here WHERE value = 'local' RETURNING id`,
};

const FIND_WAITING = {
  name: 'find_waiting_backend',
  text: `SELECT FROM pg_stat_activity
    WHERE pid = $1 AND backend_start = $2::timestamptz AND wait_event = 'SyncRep'`,
};

/**
 * Gives a new connection its stream.
 * @param replica UUID of this process
 * @param before what the lost connection in its place knew
 * @returns the id of the stream
 * @throws StoreError if the commit of the lost connection still waits for a standby. Its backend
 *   cannot be ended without making visible what may be lost, and each further attempt to commit
 *   would leave one more backend that waits.
 */
export async function registerStream(
  connection: Connection,
  replica: string,
  before: ServerFacts | undefined,
): Promise<number> {
  if (before?.startedAt === connection.facts.startedAt) {
    const waiting = await connection.query(FIND_WAITING, [before.backend, before.backendStarted]);
    if (waiting.length > 0)
      throw new StoreError('the commits of the database wait for a synchronous standby', {
        fix: 'start the standby, or remove it from synchronous_standby_names',
      });
  }
  const { backend, backendStarted } = connection.facts;
  const [row] = await connection.query<{ id: number }>(REGISTER, [replica, backend, backendStarted]);
  if (!row) throw new StoreError('the database has not stored the connection');
  return row.id;
}
