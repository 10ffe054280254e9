import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { StoreError } from '../journal.ts';
import { migrate, UNFINISHED_COPY } from '../postgres/schema/migrate.ts';
import { MIGRATIONS } from '../postgres/schema/schema-steps.ts';
import type { Connection } from '../postgres/sessions/connection.ts';
import { type CopyProgress, type CopyTarget, SIDE_TABLE_NAMES, type SideTable } from './copied-rows.ts';
import { writeDerived } from './derived-counts.ts';
import { accountOf, assertUnused, once } from './postgres-account.ts';
import { insertEvents } from './postgres-copied-events.ts';
import { insertRows } from './row-insert.ts';

/** The row of `tasks` that has the progress. */
const TASK = 'store copy';
const BEGINNING: CopyProgress = { step: 'events', after: [], events: 0 };

/** What the copy remembers between its steps. */
interface CopyState {
  readonly fingerprint: string;
  /** The stream that has the entries of the queue, as if a connection had written them. */
  readonly stream: number;
  readonly progress: CopyProgress;
}

const LOCK = once(`SELECT pg_try_advisory_lock(hashtextextended('relay copy ' || $1, 0)) AS got`);
const READ_STATE = once(`SELECT progress FROM tasks WHERE name = '${TASK}'`);
const WRITE_STATE = once(`INSERT INTO tasks (name, progress) VALUES ('${TASK}', $1::jsonb)
  ON CONFLICT (name) DO UPDATE SET progress = excluded.progress`);
const NEWEST_STREAM = once(
  `SELECT pg_sequence_last_value(pg_get_serial_sequence('streams', 'id')::regclass) AS newest`,
);
const NEW_STREAM = once(`INSERT INTO streams (replica, backend, backend_started)
  VALUES ($1, 0, 'epoch') RETURNING id`);

/** Tables that are empty in a store that no relay has worked on. */
const CONTENTS = ['events', 'counts', 'refreshes', 'doubts', 'watched', ...SIDE_TABLE_NAMES];

async function hasContents(connection: Connection): Promise<boolean> {
  const [row] = await connection.query<{ found: boolean }>(
    once(`SELECT ${CONTENTS.map((table) => `EXISTS (SELECT FROM ${table})`).join(' OR ')} AS found`),
  );
  return row?.found === true;
}

/** Tables that have rows for each connection: those of the copy are of its stream. */
const TABLES_BY_STREAM: readonly SideTable[] = ['spans', 'landings'];

/** Whether the schema has the store of an unfinished copy, or none yet. */
async function prepare(connection: Connection, schema: string, log: Logger): Promise<void> {
  const [found] = await connection.query<{ found: boolean }>(
    once(`SELECT to_regclass($1) IS NOT NULL AS found`),
    [`"${schema}".store`],
  );
  if (found?.found === true) {
    const [store] = await connection.query<{ readable: number; format: number }>(
      once('SELECT readable_from AS readable, format FROM store'),
    );
    if (store?.readable === UNFINISHED_COPY && store.format === MIGRATIONS.length) return;
  }
  await migrate(connection, { schema, log });
}

/**
 * A schema of a database, which is created if it does not exist.
 * @param connection used for nothing else, and closed with the target
 */
export function createPostgresTarget(
  connection: Connection,
  { schema, name, log }: { readonly schema: string; readonly name: string; readonly log: Logger },
): CopyTarget {
  let state: CopyState | undefined;

  const transaction = async (work: () => Promise<void>): Promise<void> => {
    await connection.execute('BEGIN');
    try {
      await work();
      await connection.execute('COMMIT');
    } catch (error) {
      if (connection.isOpen) await connection.execute('ROLLBACK');
      throw error;
    }
  };
  const step = (progress: CopyProgress, work: (stream: number) => Promise<void>): Promise<void> =>
    transaction(async () => {
      if (state === undefined) throw new Error('the copy has not begun');
      state = { ...state, progress };
      await work(state.stream);
      await connection.query(WRITE_STATE, [JSON.stringify(state)]);
    });

  const hasStore = (): StoreError =>
    new StoreError(`the schema ${schema} has a store with contents`, {
      fix: 'name another schema, or drop this one if nothing in it is needed: a copy is never added to a store',
    });
  /** False if a relay has worked on the copy since it was finished. */
  const isAsCopied = async (): Promise<boolean> => {
    if (state?.progress.step !== 'done') return true;
    const [row] = await connection.query<{ newest: number }>(NEWEST_STREAM);
    return row?.newest === state.stream;
  };

  const beginNew = (fingerprint: string): Promise<void> =>
    transaction(async () => {
      if (await hasContents(connection)) throw hasStore();
      const [stream] = await connection.query<{ id: number }>(NEW_STREAM, [randomUUID()]);
      state = { fingerprint, stream: stream?.id ?? 0, progress: BEGINNING };
      await connection.query(WRITE_STATE, [JSON.stringify(state)]);
      await connection.query(once(`UPDATE store SET readable_from = ${UNFINISHED_COPY}`));
    });

  return {
    name,
    begin: async (fingerprint) => {
      const [lock] = await connection.query<{ got: boolean }>(LOCK, [schema]);
      if (lock?.got !== true) throw new StoreError(`another process copies into the schema ${schema}`);
      await prepare(connection, schema, log);
      await assertUnused(connection, schema);
      const [row] = await connection.query<{ progress: CopyState }>(READ_STATE);
      if (row === undefined) await beginNew(fingerprint);
      else state = row.progress;
      if (state?.fingerprint === fingerprint && (await isAsCopied())) return state.progress;
      if (state?.progress.step === 'done') throw hasStore();
      throw new StoreError(
        `the schema ${schema} has an unfinished copy of another store, or of what this one was before`,
        { fix: `drop it (DROP SCHEMA "${schema}" CASCADE) and copy again` },
      );
    },
    writeEvents: (events, progress) => step(progress, (stream) => insertEvents(connection, events, stream)),
    writeRows: (table, rows, progress) =>
      step(progress, (stream) => {
        const own = TABLES_BY_STREAM.includes(table) ? rows.map((row) => ({ ...row, stream })) : rows;
        return insertRows(connection, table, own);
      }),
    writeCounts: (account, progress) =>
      step(progress, async (stream) => {
        await writeDerived(connection, account, stream);
      }),
    account: () => accountOf(connection),
    finish: async () => {
      await connection.execute('ANALYZE events, bodies, queue, profiles, dead_letters, attempts');
      // The row stays, so that a repetition of the command finds the copy complete.
      await step({ ...BEGINNING, step: 'done' }, async () => {
        const readableFrom = MIGRATIONS.at(-1)?.readableFrom ?? 1;
        await connection.query(once(`UPDATE store SET readable_from = ${readableFrom}`));
      });
    },
    close: () => connection.close(),
  };
}
