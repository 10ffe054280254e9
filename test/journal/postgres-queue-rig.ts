import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { StoreError } from '../../src/journal/journal.ts';
import { createPayloadCipher, type PayloadCipher } from '../../src/journal/payload-cipher.ts';
import type { PostgresEngine } from '../../src/journal/postgres/engine/engine.ts';
import { laneKeyOf } from '../../src/journal/postgres/engine/lane-keys.ts';
import { openSessions } from '../../src/journal/postgres/sessions/open-sessions.ts';
import type { Param, Session, Sessions, Statement } from '../../src/journal/postgres/sessions/session.ts';
import { freshSchema } from '../helpers/postgres-server.ts';

/** The engine's clock at the start of each test. */
export const T0 = Date.UTC(2026, 7, 1, 12);

/** A pending event as it is written for a test. */
export interface Pending {
  readonly destination: string;
  readonly source: string;
  readonly lane: string | null;
  readonly seq: number;
  readonly isReplay: boolean;
  readonly isPinned: boolean;
  readonly dueAt: number;
  readonly body: Buffer;
  /** What is stored instead of the sealed body; null for none. */
  readonly stored: Uint8Array | null;
}

/** An engine over a schema of its own. */
export interface QueueRig {
  readonly engine: PostgresEngine;
  readonly clock: { now: number };
  /** Statements that were executed, by name. */
  readonly executed: string[];
  /** Destinations of `notifyClaimable`. */
  readonly notified: string[];
  readonly unreadable: unknown[];
  /** Statements with these names fail. */
  readonly failing: Set<string>;
  /** Opens a connection with a stream of its own. */
  readonly connect: () => Promise<TestSession>;
  /** Writes pending events on a connection, in one statement each. @returns their receipts */
  readonly put: (events: readonly Partial<Pending>[], session?: TestSession) => Promise<string[]>;
  readonly sql: (text: string, params?: unknown[]) => Promise<Record<string, unknown>[]>;
}

export interface TestSession extends Session {
  readonly client: pg.Client;
}

const TYPES = new pg.TypeOverrides();
TYPES.setTypeParser(pg.types.builtins.INT8, Number);

const EVENT_SQL = `INSERT INTO events (day, seq, receipt, source, destination, identity, lane, lane_key,
  received_at, verified_by, body_bytes, is_replay, due_at, event_name)
  VALUES (20000, $1, $2, $3, $4, $5, $6, $7, $8, 'test', $9, $10, $11, 'name')`;
const QUEUE_SQL = `INSERT INTO queue (destination, is_replay, stream, pos, seq, day, receipt, source, lane,
  lane_key, is_pinned, received_at, body_bytes, due_at)
  VALUES ($1, $2, $3, $4, $5, 20000, $6, $7, $8, $9, $10, $11, $12, $13)`;

export async function queueRig(keys: readonly Uint8Array[] = [], connections = 4): Promise<QueueRig> {
  const { url, schema, ...created } = await freshSchema();
  const closing: (() => Promise<void>)[] = [];
  onTestFinished(async () => {
    await Promise.all(closing.map((close) => close()));
    await created.drop();
  });
  const executed: string[] = [];
  const failing = new Set<string>();
  const replica = randomUUID();
  const open = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url, types: TYPES, pipeline: true });
    await client.connect();
    closing.push(() => client.end());
    await client.query(`SET search_path = ${schema}; SET jit = off`);
    return client;
  };
  const connect = async (): Promise<TestSession> => {
    const client = await open();
    const { rows } = await client.query<{ id: number }>(
      'INSERT INTO streams (replica, backend, backend_started) VALUES ($1, pg_backend_pid(), now()) RETURNING id',
      [replica],
    );
    return {
      stream: rows[0]!.id,
      client,
      query: async <Row>({ name, text }: Statement, values: readonly Param[] = []) => {
        const result = await client.query({ name, text, values: values as unknown[] });
        return result.rows as Row[];
      },
    };
  };
  const handle = await openSessions({
    url: () => Promise.resolve(url),
    schema,
    connections,
    replica,
    log: pino({ level: 'silent' }),
  });
  closing.push(() => handle.close());
  const admin = await open();
  const session = await connect();
  const note = ({ name }: Statement): void => {
    executed.push(name);
    if (failing.has(name)) throw new StoreError(`${name} fails`);
  };
  const sessions: Sessions = {
    ...handle,
    async query(purpose, statement, params) {
      note(statement);
      return handle.query(purpose, statement, params);
    },
    transaction: (purpose, work) =>
      handle.transaction(purpose, (on) =>
        work({
          stream: on.stream,
          async query(statement, params) {
            note(statement);
            return on.query(statement, params);
          },
        }),
      ),
  };
  const clock = { now: T0 };
  const notified: string[] = [];
  const unreadable: unknown[] = [];
  const cipher: PayloadCipher = createPayloadCipher(keys);
  const engine: PostgresEngine = {
    sessions,
    cipher,
    replica,
    now: () => clock.now,
    reportUnreadable: (...args) => void unreadable.push(args),
    notifyClaimable: (destination) => void notified.push(destination),
  };
  const sql = async (text: string, params: unknown[] = []) =>
    (await admin.query<Record<string, unknown>>(text, params)).rows;
  const put = async (events: readonly Partial<Pending>[], on: TestSession = session) => {
    const receipts: string[] = [];
    for (const each of events) {
      const { rows } = await on.client.query<{ pos: number }>("SELECT nextval('positions') AS pos");
      const pos = rows[0]!.pos;
      const event: Pending = {
        destination: 'aep',
        source: 'acme',
        lane: null,
        seq: pos,
        isReplay: false,
        isPinned: false,
        dueAt: clock.now,
        body: Buffer.from(`{"n":${pos}}`),
        stored: new Uint8Array(),
        ...each,
      };
      const receipt = randomUUID();
      const identity = Buffer.from(receipt.replaceAll('-', '').repeat(2), 'hex');
      const laneKey = laneKeyOf(event.lane, identity.toString('hex'));
      const { destination, source, lane, seq, isReplay, isPinned, dueAt, body } = event;
      const stored = event.stored?.length === 0 ? cipher.encrypt(body) : event.stored;
      await on.client.query(EVENT_SQL, [
        seq,
        receipt,
        source,
        destination,
        identity,
        lane,
        laneKey,
        clock.now,
        body.length,
        isReplay,
        dueAt,
      ]);
      if (stored !== null)
        await on.client.query('INSERT INTO bodies VALUES (20000, $1, $2)', [seq, Buffer.from(stored)]);
      await on.client.query(QUEUE_SQL, [
        destination,
        isReplay,
        on.stream,
        pos,
        seq,
        receipt,
        source,
        lane,
        laneKey,
        isPinned,
        clock.now,
        body.length,
        dueAt,
      ]);
      receipts.push(receipt);
    }
    return receipts;
  };
  return { engine, clock, executed, notified, unreadable, failing, connect, put, sql };
}
