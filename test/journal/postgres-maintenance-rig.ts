import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { MaintenanceReport, RetentionPolicy } from '../../src/journal/journal.ts';
import { createPayloadCipher } from '../../src/journal/payload-cipher.ts';
import { dayAt } from '../../src/journal/postgres/engine/days.ts';
import type { PostgresEngine } from '../../src/journal/postgres/engine/engine.ts';
import { LEADER_TASK } from '../../src/journal/postgres/fleet/postgres-fleet.ts';
import {
  createMaintenance,
  type MaintenanceParts,
  type PostgresMaintenance,
} from '../../src/journal/postgres/maintenance/postgres-maintenance.ts';
import { createRetentionRounds } from '../../src/journal/postgres/maintenance/retention-round.ts';
import type { SessionsHandle } from '../../src/journal/postgres/sessions/open-sessions.ts';
import { DAY, T0 } from '../contract/samples.ts';
import { executeSql, freshSchema } from '../helpers/postgres-server.ts';
import { openTestSessions } from './postgres-rig.ts';

export { DAY, T0 };

export const TODAY = dayAt(T0);
export const POLICY: RetentionPolicy = { delivered: 3 * DAY, ids: 8 * DAY, dead: 90 * DAY };

/** Events that are alike. */
export interface Seed {
  readonly count: number;
  readonly day: number;
  readonly state: 'p' | 'd' | 'i' | 'x' | 'm';
  readonly receivedAt: number;
  readonly settledAt: number;
  /** Null for none. */
  readonly body: Buffer | null;
  readonly source: string;
  readonly notes: Buffer | null;
  /** Bytes that are added to each row of `events`. */
  readonly padding: number;
}

export interface Engine {
  readonly engine: PostgresEngine;
  readonly sessions: SessionsHandle;
  /** Payloads that were reported as unreadable. */
  readonly unreadable: string[];
}

export interface MaintenanceRig extends Engine {
  readonly url: string;
  readonly schema: string;
  readonly clock: { now: number };
  /** Writes events with all their rows in other tables, and counts them. @returns their seqs */
  readonly seed: (seed: Partial<Seed>) => Promise<readonly number[]>;
  readonly sql: (text: string) => Promise<Record<string, unknown>[]>;
  /** The only value of a row. */
  readonly value: (text: string) => Promise<unknown>;
  /** Another process of the same store. */
  readonly another: (keys?: readonly Buffer[]) => Promise<Engine>;
  /** One round of retention by a new leader. @returns what each step has removed */
  readonly retain: (policy?: Partial<RetentionPolicy>) => Promise<readonly number[]>;
  /** Maintenance whose lease the test holds. */
  readonly maintenance: (of?: Engine, parts?: Partial<MaintenanceParts>) => Promise<RunningMaintenance>;
}

export interface RunningMaintenance extends PostgresMaintenance {
  readonly reports: MaintenanceReport[];
  /** Gives the task to this process or takes it away. */
  readonly setLeader: (isLeader: boolean) => void;
}

const BESIDE = `
  beside1 AS (INSERT INTO attempts (seq, at, kind, outcome, duration_ms, batch_size)
    SELECT seq, 0, 'event', 'retry', 1, 1 FROM ins),
  beside2 AS (INSERT INTO actions (seq, at, by, action) SELECT seq, 0, 'olga', 'replayed' FROM ins),
  beside3 AS (INSERT INTO differing_copies SELECT seq, 1, 0 FROM ins),
  beside4 AS (INSERT INTO sent SELECT seq, 0, 'event', '\\x0600000000' FROM ins WHERE state = 'x'),
  beside5 AS (INSERT INTO dead_letters SELECT receipt, day, seq, state = 'm', source, destination,
    CASE WHEN state = 'm' THEN received_at ELSE settled_at END FROM ins WHERE state IN ('x', 'm'))`;

function seedSql(seed: Seed): string {
  const { count, day, state, receivedAt, settledAt, body, source, notes, padding } = seed;
  const bytes = (value: Buffer | null) => (value === null ? 'NULL' : `'\\x${value.toString('hex')}'::bytea`);
  const settled = state === 'p' || state === 'm' ? 'NULL' : settledAt;
  const destination = state === 'm' ? '' : 'aep';
  return `
WITH base AS (SELECT array_agg(nextval('positions')) AS n FROM generate_series(0, ${Math.ceil(count / 1_024)} - 1)),
ins AS (
  INSERT INTO events (day, seq, receipt, source, destination, identity, lane_key, customer_id, customer_key,
    event_id, event_key, received_at, verified_by, body_bytes, state, due_at, settled_at, notes, detail)
  SELECT ${day}, (SELECT n[i / 1024 + 1] FROM base) + i % 1024, gen_random_uuid(), '${source}', 'aep',
    CASE WHEN '${state}' <> 'm' THEN sha256(gen_random_uuid()::text::bytea) END, i, 'customer ' || i, i,
    'event ' || i, i, ${receivedAt}, 'test', 100, '${state}', ${receivedAt}, ${settled}, ${bytes(notes)},
    repeat('x', ${padding})
  FROM generate_series(0, ${count} - 1) i RETURNING *
),
b AS (INSERT INTO bodies SELECT day, seq, ${bytes(body)} FROM ins WHERE ${body !== null}),
q AS (INSERT INTO queue (destination, is_replay, stream, pos, seq, day, receipt, source, lane_key, received_at,
    body_bytes, due_at)
  SELECT destination, false, 0, seq, seq, day, receipt, source, lane_key, received_at, body_bytes, due_at
  FROM ins WHERE state = 'p'),
${BESIDE},
c AS (INSERT INTO counts (stream, source, destination, accepted, pending, delivered, ignored, dead, malformed,
    stored_events, stored_bytes)
  SELECT 0, source, '${destination}', count(*) FILTER (WHERE state <> 'm'), count(*) FILTER (WHERE state = 'p'),
    count(*) FILTER (WHERE state = 'd'), count(*) FILTER (WHERE state = 'i'),
    count(*) FILTER (WHERE state = 'x'), count(*) FILTER (WHERE state = 'm'), count(*),
    count(*) * ${body?.length ?? 0} FROM ins GROUP BY source
  ON CONFLICT (stream, source, destination) DO UPDATE SET accepted = counts.accepted + excluded.accepted,
    pending = counts.pending + excluded.pending, delivered = counts.delivered + excluded.delivered,
    ignored = counts.ignored + excluded.ignored, dead = counts.dead + excluded.dead,
    malformed = counts.malformed + excluded.malformed,
    stored_events = counts.stored_events + excluded.stored_events,
    stored_bytes = counts.stored_bytes + excluded.stored_bytes)
SELECT seq FROM ins ORDER BY seq`;
}

/** A store of its own with nothing in it. */
export async function maintenanceRig(keys: readonly Buffer[] = []): Promise<MaintenanceRig> {
  const { url, schema, ...created } = await freshSchema();
  const clock = { now: T0 };
  const cleanups: (() => Promise<void>)[] = [];
  onTestFinished(async () => {
    for (const clean of cleanups.toReversed()) await clean();
    await created.drop();
  });
  const another = async (ownKeys: readonly Buffer[] = keys): Promise<Engine> => {
    const replica = randomUUID();
    const sessions = await openTestSessions({ url: () => Promise.resolve(url), schema, replica });
    cleanups.push(() => sessions.close());
    const unreadable: string[] = [];
    const engine: PostgresEngine = {
      sessions,
      cipher: createPayloadCipher(ownKeys),
      replica,
      now: () => clock.now,
      reportUnreadable: (what) => void unreadable.push(what),
      notifyClaimable: () => undefined,
    };
    return { engine, sessions, unreadable };
  };
  const first = await another();
  const { engine, sessions } = first;
  let statements = 0;
  const sql = (text: string) =>
    sessions.query<Record<string, unknown>>('work', { name: `test_${(statements += 1)}`, text });
  const rig: MaintenanceRig = {
    ...first,
    url,
    schema,
    clock,
    another,
    sql: async (text) => [...(await sql(text))],
    value: async (text) => Object.values((await sql(text))[0] ?? {})[0],
    seed: async (seed) => {
      const rows = await sql(
        seedSql({
          count: 1,
          day: TODAY,
          state: 'd',
          receivedAt: T0,
          settledAt: T0,
          body: Buffer.from('06000000007b', 'hex'),
          source: 'acme',
          notes: null,
          padding: 0,
          ...seed,
        }),
      );
      return rows.map(({ seq }) => Number(seq));
    },
    retain: async (policy) => {
      const removed: number[] = [];
      const onStep = async (count: number): Promise<void> => void (count > 0 && removed.push(count));
      const rounds = createRetentionRounds(engine);
      await rounds.run({ ...POLICY, ...policy }, onStep, new AbortController().signal);
      return removed;
    },
    maintenance: async (of = first, parts = {}) => {
      let epoch: number | undefined;
      const listeners = new Set<() => void>();
      await executeSql(
        url,
        `INSERT INTO ${schema}.tasks (name, owner, epoch) VALUES ('${LEADER_TASK}', '${of.engine.replica}', 1)
         ON CONFLICT (name) DO NOTHING`,
      );
      const maintenance = createMaintenance(of.engine, {
        lease: {
          epoch: () => epoch,
          onChange: (listener) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
          },
        },
        continueJobs: () => Promise.resolve([]),
        availability: () => of.sessions.state(),
        overdue: () => Promise.resolve([]),
        queued: () => 0,
        ...parts,
      });
      cleanups.push(() => maintenance.stop());
      const reports: MaintenanceReport[] = [];
      maintenance.onMaintenance((report) => reports.push(report));
      return {
        ...maintenance,
        reports,
        setLeader: (isLeader) => {
          epoch = isLeader ? 1 : undefined;
          for (const listener of listeners) listener();
        },
      };
    },
  };
  return rig;
}
