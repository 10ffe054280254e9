import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { StoreError } from '../journal.ts';
import { dayOf } from '../postgres/engine/days.ts';
import { keyOfText, laneKeyOf } from '../postgres/engine/lane-keys.ts';
import { STATE_CODES } from '../postgres/engine/stored-events.ts';
import { storedText } from '../postgres/engine/stored-text.ts';
import { migrate, UNFINISHED_COPY } from '../postgres/schema/migrate.ts';
import { MIGRATIONS } from '../postgres/schema/schema-steps.ts';
import type { Connection } from '../postgres/sessions/connection.ts';
import {
  type CopiedEvent,
  type CopiedRefresh,
  type CopiedRow,
  type CopyProgress,
  type CopyTarget,
  SIDE_TABLE_NAMES,
} from './copied-rows.ts';
import { writeDerived } from './derived-counts.ts';
import { accountOf, assertUnused, once } from './postgres-account.ts';
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
const CONTENTS = ['events', 'counts', 'refreshes', ...SIDE_TABLE_NAMES];

async function hasContents(connection: Connection): Promise<boolean> {
  const [row] = await connection.query<{ found: boolean }>(
    once(`SELECT ${CONTENTS.map((table) => `EXISTS (SELECT FROM ${table})`).join(' OR ')} AS found`),
  );
  return row?.found === true;
}

/** The day of a malformed body is that of its receipt, as the engine has it. */
function dayOfEvent({ state, created_at, received_at }: CopiedEvent): number {
  return dayOf(state === 'malformed' ? received_at : (created_at ?? undefined));
}

function laneKey({ lane, identity, receipt }: CopiedEvent): number {
  if (lane !== null) return laneKeyOf(storedText(lane), '');
  return identity === null
    ? keyOfText(receipt)
    : laneKeyOf(null, Buffer.from(identity.buffer, identity.byteOffset, identity.byteLength).toString('hex'));
}

function eventRow(event: CopiedEvent): CopiedRow {
  return {
    day: dayOfEvent(event),
    seq: event.seq,
    receipt: event.receipt,
    source: event.source,
    destination: event.destination,
    identity: event.identity,
    lane: event.lane,
    own_lane: event.own_lane,
    lane_key: laneKey(event),
    customer_id: event.customer_id,
    customer_key: event.customer_id === null ? null : keyOfText(event.customer_id),
    event_id: event.event_id,
    event_key: event.event_id === null ? null : keyOfText(event.event_id),
    org_id: event.org_id,
    event_name: event.event_name,
    created_at: event.created_at,
    received_at: event.received_at,
    verified_by: event.verified_by,
    traceparent: event.traceparent,
    body_bytes: event.body_bytes,
    state: STATE_CODES[event.state],
    is_replay: event.isReplay,
    delivered: event.delivered,
    due_at: event.due_at,
    settled_at: event.settled_at,
    failures: event.failures,
    charged: event.charged,
    replays: event.replays,
    id_suffix: event.id_suffix,
    reason: event.reason,
    detail: event.detail,
    sent_in: event.sentIn,
    notes: event.notes,
  };
}

function queueRow(event: CopiedEvent, stream: number): CopiedRow {
  return {
    destination: event.destination,
    is_replay: event.isReplay,
    stream,
    pos: event.seq,
    seq: event.seq,
    day: dayOfEvent(event),
    receipt: event.receipt,
    source: event.source,
    lane: event.lane,
    lane_key: laneKey(event),
    is_pinned: event.isPinned,
    received_at: event.received_at,
    body_bytes: event.body_bytes,
    due_at: event.due_at,
  };
}

function deadLetterRow(event: CopiedEvent): CopiedRow {
  const { receipt, seq, state, source, destination } = event;
  const isMalformed = state === 'malformed';
  const since = isMalformed ? event.received_at : (event.settled_at ?? event.received_at);
  return { receipt, day: dayOfEvent(event), seq, is_malformed: isMalformed, source, destination, since };
}

/** What was fetched for an event without a body is not kept. */
function bodyRow(event: CopiedEvent, body: Uint8Array): CopiedRow {
  return { day: dayOfEvent(event), seq: event.seq, body, entities: event.entities };
}

function refreshRow(event: CopiedEvent, { running, ...refresh }: CopiedRefresh): CopiedRow {
  const { receipt, seq, source, destination, replays } = event;
  return {
    ...refresh,
    receipt,
    day: dayOfEvent(event),
    seq,
    source,
    destination,
    lane_key: laneKey({ ...event, lane: refresh.lane ?? event.lane }),
    is_running: running,
    replays,
  };
}

async function insertEvents(
  connection: Connection,
  events: readonly CopiedEvent[],
  stream: number,
): Promise<void> {
  const children = (name: 'attempts' | 'sent' | 'actions'): CopiedRow[] =>
    events.flatMap(({ seq, [name]: rows }) =>
      rows.map((row, index) => ({ seq, ...(name === 'sent' ? { n: index } : {}), ...row })),
    );
  await insertRows(connection, 'events', events.map(eventRow));
  await insertRows(
    connection,
    'bodies',
    events.flatMap((event) => (event.body === null ? [] : [bodyRow(event, event.body)])),
  );
  await insertRows(
    connection,
    'refreshes',
    events.flatMap((event) => (event.refresh === undefined ? [] : [refreshRow(event, event.refresh)])),
  );
  const pending = events.filter(({ state }) => state === 'pending');
  await insertRows(
    connection,
    'queue',
    pending.map((event) => queueRow(event, stream)),
  );
  const dead = events.filter(({ state }) => state === 'dead' || state === 'malformed');
  await insertRows(connection, 'dead_letters', dead.map(deadLetterRow));
  await insertRows(connection, 'sent', children('sent'));
  // Their ids are given in the order of the rows.
  await insertRows(connection, 'attempts', children('attempts'));
  await insertRows(connection, 'actions', children('actions'));
  await insertRows(
    connection,
    'differing_copies',
    events.flatMap(({ seq, differing }) => (differing === undefined ? [] : [{ seq, ...differing }])),
  );
}

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
    writeRows: (table, rows, progress) => step(progress, () => insertRows(connection, table, rows)),
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
