import { setTimeout as sleep } from 'node:timers/promises';
import type { Session, Sessions, Statement } from '../sessions/session.ts';
import { sqlStateOf } from '../sessions/sql-states.ts';

/*
 * The partitions of `events` and `bodies`. Each day has one of each, created ahead; what belongs to
 * no such day is in the default ones.
 *
 * A change of partitions needs locks that every append waits for. So it gives up after some ms
 * rather than let the appends queue up behind it, and is tried again later: a dump of the database,
 * for example, holds its locks for hours. That is why partitions are created days ahead.
 */

/** Longest wait for one lock while appends may wait behind it. */
const LOCK_WAIT_MS = 60;
/**
 * Longest statement of a change: it reads a whole partition, while nobody waits for it.
 */
export const READ_LIMIT_MS = 300_000;
/** Tries of one change, and the time between them. */
const TRIES = 4;
const RETRY_DELAY_MS = 150;
/** SQLSTATE of a lock that was not available in time. */
const LOCK_NOT_AVAILABLE = '55P03';
/** SQLSTATE of a full disk: deleting rows needs less than moving some. */
const DISK_FULL = '53100';

/** Rows that a change of partitions moves while appends wait: some ten ms. */
const MAX_ROWS_MOVED_AHEAD = 1_000;
/** Blocks of a default partition that a new partition has to scan: a tenth of a second. */
const MAX_DEFAULT_BLOCKS = 32_768;

export type PartitionedTable = 'events' | 'bodies';

export interface Partition {
  readonly table: PartitionedTable;
  /** Undefined for the default partition. */
  readonly day: number | undefined;
  readonly name: string;
  /** Size of its rows in blocks, without indexes and values that are stored apart. */
  readonly blocks: number;
}

/** How a change of partitions went: `busy` and `unsuitable` changed nothing. */
export type ChangeResult<T> = { readonly done: T } | 'busy' | 'unsuitable';

const LIST_PARTITIONS: Statement = {
  name: 'maintenance_partitions',
  text: `
SELECT parent.relname AS "table", child.relname AS name,
  (pg_relation_size(child.oid) / current_setting('block_size')::integer)::integer AS blocks
FROM pg_inherits i JOIN pg_class child ON child.oid = i.inhrelid JOIN pg_class parent ON parent.oid = i.inhparent
WHERE i.inhparent IN ('events'::regclass, 'bodies'::regclass)`,
};

/** All partitions, those of the oldest days first and the default ones before them. */
export async function listPartitions(sessions: Sessions): Promise<readonly Partition[]> {
  const rows = await sessions.query<Omit<Partition, 'day'>>('work', LIST_PARTITIONS);
  return rows
    .map((row) => ({ ...row, day: dayOfName(row.name) }))
    .toSorted((a, b) => (a.day ?? -1) - (b.day ?? -1) || (a.name < b.name ? -1 : 1));
}

export function partitionName(table: PartitionedTable, day: number): string {
  return `${table}_${day}`;
}

function dayOfName(name: string): number | undefined {
  const digits = /_(\d+)$/u.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * Settings of the partition of a day. Its events are updated once, often all of a page in one
 * statement: that is HOT only if half of the page is free (bench/postgres-bloat.ts). With less, the
 * new rows go to other pages and all indexes, which takes more space in the end. What is dropped
 * after some days needs no VACUUM because of its inserts alone.
 */
const SETTINGS: Readonly<Record<PartitionedTable, string>> = {
  events: 'fillfactor = 50, autovacuum_vacuum_insert_threshold = -1',
  bodies:
    'fillfactor = 100, autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_insert_threshold = -1',
};

/** A statement that changes partitions; its text is different for each day. */
export function partitionStatement(name: string, text: string): Statement {
  return { name: `maintenance_${name}`, text };
}

const SET_LIMITS: Statement = {
  name: 'maintenance_set_limits',
  text: `SELECT set_config('lock_timeout', '${LOCK_WAIT_MS}ms', true),
    set_config('statement_timeout', '${READ_LIMIT_MS}ms', true)`,
};

/**
 * Changes partitions in one transaction, whose locks are waited for some ms only. Unsuitable if
 * the disk is full.
 * @param change returns undefined if the change is unsuitable; it must then have changed nothing
 */
export async function changePartitions<T>(
  sessions: Sessions,
  change: (session: Session) => Promise<T | undefined>,
): Promise<ChangeResult<T>> {
  for (let tries = 1; ; tries += 1) {
    try {
      const done = await sessions.transaction('work', async (session) => {
        await session.query(SET_LIMITS);
        return change(session);
      });
      return done === undefined ? 'unsuitable' : { done };
    } catch (error) {
      const state = sqlStateOf(error);
      if (state === DISK_FULL) return 'unsuitable';
      if (state !== LOCK_NOT_AVAILABLE) throw error;
      if (tries >= TRIES) return 'busy';
      await sleep(RETRY_DELAY_MS);
    }
  }
}

/** Locks one table of a family of partitions. */
export async function lockTable(
  session: Session,
  table: string,
  mode: 'EXCLUSIVE' | 'ACCESS EXCLUSIVE',
): Promise<void> {
  await session.query(
    partitionStatement(`lock_${table}_${mode}`, `LOCK TABLE ONLY ${table} IN ${mode} MODE`),
  );
}

const DAY_IN_DEFAULT: Readonly<Record<PartitionedTable, Statement>> = {
  events: {
    name: 'maintenance_events_of_day_in_default',
    text: 'SELECT count(*)::integer AS count FROM events_default WHERE day = $1::integer',
  },
  bodies: {
    name: 'maintenance_bodies_of_day_in_default',
    text: 'SELECT count(*)::integer AS count FROM bodies_default WHERE day = $1::integer',
  },
};

async function countInDefault(
  session: Pick<Session, 'query'>,
  table: PartitionedTable,
  day: number,
): Promise<number> {
  const [row] = await session.query<{ count: number }>(DAY_IN_DEFAULT[table], [day]);
  return row?.count ?? 0;
}

/**
 * Creates the partition of a day, and moves the rows of that day from the default one. Unsuitable
 * if there are too many of them: then the day stays there.
 */
export function createPartition(
  sessions: Sessions,
  table: PartitionedTable,
  day: number,
): Promise<ChangeResult<true>> {
  const name = partitionName(table, day);
  const statement = (step: string, text: string) => partitionStatement(`${step}_${name}`, text);
  return changePartitions(sessions, async (session) => {
    // Before the lock, so that no append waits for the count.
    if ((await countInDefault(session, table, day)) > MAX_ROWS_MOVED_AHEAD) return undefined;
    await session.query(
      statement('create', `CREATE TABLE ${name} (LIKE ${table} INCLUDING ALL) WITH (${SETTINGS[table]})`),
    );
    // The table too: an insert that has already chosen the default partition would fail.
    await lockTable(session, table, 'ACCESS EXCLUSIVE');
    await lockTable(session, `${table}_default`, 'ACCESS EXCLUSIVE');
    await session.query(
      statement(
        'fill',
        `WITH moved AS (DELETE FROM ${table}_default WHERE day = ${day} RETURNING *)
         INSERT INTO ${name} SELECT * FROM moved`,
      ),
    );
    await session.query(
      statement('attach', `ALTER TABLE ${table} ATTACH PARTITION ${name} FOR VALUES IN (${day})`),
    );
    return true;
  });
}

/**
 * Creates the missing partitions of these days.
 * @returns false if a lock was not available: then the others would not be, either
 */
export async function createPartitions(
  sessions: Sessions,
  days: readonly number[],
  signal?: AbortSignal,
): Promise<boolean> {
  const existing = await listPartitions(sessions);
  for (const table of ['events', 'bodies'] as const) {
    const blocks = existing.find((each) => each.table === table && each.day === undefined)?.blocks ?? 0;
    if (blocks > MAX_DEFAULT_BLOCKS) continue;
    for (const day of days) {
      if (signal?.aborted === true) return false;
      if (existing.some((each) => each.table === table && each.day === day)) continue;
      if ((await createPartition(sessions, table, day)) === 'busy') return false;
    }
  }
  return true;
}
