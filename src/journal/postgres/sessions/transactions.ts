import { setTimeout as delay } from 'node:timers/promises';
import { StoreError } from '../../journal.ts';
import type { Connection } from './connection.ts';
import type { Link } from './link.ts';
import type { Session } from './session.ts';
import { isRetried } from './sql-states.ts';
import { CommitUnknownError } from './store-errors.ts';

const MAX_ATTEMPTS = 6;
const MAX_DELAY_MS = 40;

/** Executes again what collided with another transaction, and was undone. */
export async function retryCollisions<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (!isRetried(error) || attempt === MAX_ATTEMPTS) throw error;
      await delay(Math.random() * MAX_DELAY_MS * attempt);
    }
  }
}

function sessionOf(connection: Connection, stream: number): Session {
  return {
    stream,
    query: async (statement, params) => {
      try {
        return await connection.query(statement, params);
      } catch (error) {
        // Before the commit nothing is in doubt.
        if (error instanceof CommitUnknownError) throw new StoreError(error.message, { cause: error });
        throw error;
      }
    },
  };
}

/**
 * One attempt of a transaction on a connection that is reserved for it.
 * @throws CommitUnknownError if the connection was lost while committing
 */
export async function executeTransaction<T>(
  { connection, stream }: Link,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  if (!connection) throw new StoreError('no connection to the database');
  // Sent together with the first statement.
  const began = connection.execute('BEGIN');
  began.catch(() => {});
  let result: T;
  try {
    result = await work(sessionOf(connection, stream));
    await began;
  } catch (error) {
    if (connection.isOpen) await connection.execute('ROLLBACK').catch((e: Error) => connection.destroy(e));
    if (error instanceof CommitUnknownError) throw new StoreError(error.message, { cause: error });
    throw error;
  }
  // The server answers ROLLBACK, and no error, if a statement had failed.
  if ((await connection.execute('COMMIT')) !== 'COMMIT')
    throw new StoreError('the transaction was undone, because a statement of it had failed');
  return result;
}
