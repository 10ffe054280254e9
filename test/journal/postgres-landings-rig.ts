import pg from 'pg';
import { onTestFinished } from 'vitest';
import type { Landings, MessageKind, Settlement } from '../../src/journal/journal.ts';
import { createLandings } from '../../src/journal/postgres/landing/postgres-landings.ts';
import { createEventLog, type PostgresEventLog } from '../../src/journal/postgres/log/postgres-event-log.ts';
import type { Sessions } from '../../src/journal/postgres/sessions/session.ts';
import { sampleAttempt, settled, T0 } from '../contract/samples.ts';
import { type ReplicaInTest, type Row, type SettleRig, settleRig } from './postgres-settle-rig.ts';

export const SPAN = 10_000;

export interface LandingReplica extends ReplicaInTest {
  readonly landings: Landings;
  readonly log: PostgresEventLog;
}

/** A transaction of someone else, which holds a lock until it ends. */
export interface Blocker {
  /** Resolves when so many others wait, directly or behind each other. */
  waitedForBy(count: number): Promise<void>;
  end(): Promise<void>;
}

export interface LandingsRig extends SettleRig {
  readonly replicaOf: (wrap?: (sessions: Sessions) => Sessions) => Promise<LandingReplica>;
  readonly block: (text: string) => Promise<Blocker>;
  /** What the counts differ in from what follows from the events. */
  readonly differences: () => Promise<Row[]>;
  readonly landed: () => Promise<number>;
  readonly spans: () => Promise<Row[]>;
}

/**
 * A delivered event is counted as landed, or in a span, or, with a doubt, as doubted there; all of
 * it is computed here from the events, the ranges and the doubts alone.
 */
const DIFFERENCES = `WITH delivered AS (
    SELECT e.source, e.destination, e.settled_at - e.settled_at % ${SPAN} AS at, d.receipt IS NOT NULL AS doubted,
      EXISTS (SELECT FROM confirmed c WHERE c.destination = e.destination
        AND c.from_at <= e.settled_at AND e.settled_at < c.until_at) AS confirmed
    FROM events e LEFT JOIN doubts d USING (receipt) WHERE e.state = 'd'
  ),
  expected AS (
    SELECT 'landed ' || source AS what, count(*) FILTER (WHERE confirmed AND NOT doubted) AS n
    FROM delivered GROUP BY source
    UNION ALL
    SELECT concat_ws(' ', 'events', source, destination, at), count(*) FROM delivered
    WHERE NOT confirmed GROUP BY source, destination, at
    UNION ALL
    SELECT concat_ws(' ', 'doubted', source, destination, at), count(*) FILTER (WHERE doubted) FROM delivered
    WHERE NOT confirmed GROUP BY source, destination, at
    UNION ALL
    SELECT 'refused ' || source, count(*) FROM events WHERE state = 'x' AND reason = 'refused-later'
    GROUP BY source
    UNION ALL
    SELECT 'doubts of what is not delivered', count(*) FROM doubts
    WHERE receipt NOT IN (SELECT receipt FROM events WHERE state = 'd')
  ),
  counted AS (
    SELECT 'landed ' || source AS what, sum(landed) AS n FROM landings GROUP BY source
    UNION ALL SELECT 'refused ' || source, sum(refused_later) FROM landings GROUP BY source
    UNION ALL
    SELECT concat_ws(' ', 'events', source, destination, at), sum(events) FROM spans GROUP BY source, destination, at
    UNION ALL
    SELECT concat_ws(' ', 'doubted', source, destination, at), sum(doubted) FROM spans GROUP BY source, destination, at
  )
  SELECT what, coalesce(e.n, 0)::int AS expected, coalesce(c.n, 0)::int AS counted
  FROM (SELECT what, sum(n) AS n FROM expected GROUP BY what) e FULL JOIN counted c USING (what)
  WHERE coalesce(e.n, 0) <> coalesce(c.n, 0) ORDER BY what`;

async function blocking({ url, schema }: SettleRig, text: string): Promise<Blocker> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query(`SET search_path = ${schema}; BEGIN; ${text}`);
  // Unlike pg_stat_activity it is read anew within a transaction.
  const waiting = `WITH RECURSIVE waiting AS (
      SELECT DISTINCT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))
      UNION
      SELECT l.pid FROM pg_locks l JOIN waiting w ON w.pid = ANY (pg_blocking_pids(l.pid)) WHERE NOT l.granted
    ) SELECT FROM waiting`;
  return {
    waitedForBy: async (count) => {
      while (((await client.query(waiting)).rowCount ?? 0) < count);
    },
    end: async () => void (await client.query('COMMIT')),
  };
}

export async function landingsRig(): Promise<LandingsRig> {
  const rig = await settleRig();
  const { replica, sql } = rig;
  return {
    ...rig,
    replicaOf: async (wrap) => {
      const made = await replica(wrap === undefined ? {} : { wrap });
      const closing = new AbortController();
      return {
        ...made,
        landings: createLandings(made.engine),
        log: createEventLog(made.engine, { closing: closing.signal, claims: made.claims }),
      };
    },
    block: (text) => blocking(rig, text),
    differences: () => sql(DIFFERENCES),
    landed: async () =>
      Number((await sql('SELECT coalesce(sum(landed), 0)::int AS n FROM landings'))[0]?.['n']),
    spans: () =>
      sql(`SELECT (at - ${T0})::int AS at, sum(events)::int AS events,
        sum(events_acknowledged)::int AS acknowledged FROM spans GROUP BY at ORDER BY at`),
  };
}

/** Delivered with one request for each kind. */
export function delivery(receipt: string, kinds: readonly MessageKind[] = ['event']): Settlement {
  return {
    ...settled.delivered(receipt),
    delivered: kinds,
    attempts: kinds.map((kind) => sampleAttempt({ outcome: 'delivered' }, { kind, status: 200 })),
  };
}
