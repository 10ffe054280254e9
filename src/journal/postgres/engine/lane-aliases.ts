import type { LaneAlias } from '../../journal.ts';
import type { Session, Statement } from '../sessions/session.ts';
import { mergeContacts } from './contact-rows.ts';
import { type Joining, pinHeads } from './head-pins.ts';
import { laneKeyOf, slotOf } from './lane-keys.ts';
import { mergeRefreshes } from './lane-refreshes.ts';
import { storedText } from './stored-text.ts';

/*
 * Aliases of lanes. Invariant: the target of an alias has no alias itself, so one lookup is enough.
 *
 * Transactions that write aliases exclude each other: they take a lock on the table before any
 * other, so two merges in opposite directions wait for each other only there.
 */

const LOCK_ALIASES: Statement = {
  name: 'lock_aliases',
  text: 'LOCK TABLE aliases IN SHARE ROW EXCLUSIVE MODE',
};

/** The first statement of a transaction that adds aliases. Readers do not wait for it. */
export async function lockAliases(session: Session): Promise<void> {
  await session.query(LOCK_ALIASES);
}

/** Entries that one statement moves: as many as a block of positions has. */
const BLOCK = 1_024;

const LOCK_SLOT: Statement = {
  name: 'lock_slot_of_lane',
  text: 'SELECT FROM slots WHERE destination = $1 AND slot = $2 FOR UPDATE',
};

const LOCK_ENTRIES: Statement = {
  name: 'lock_entries_of_lane',
  text: `SELECT FROM queue WHERE lane_key = $3 AND lane = $2 AND destination = $1
    ORDER BY seq FOR UPDATE`,
};

/**
 * Excludes settlements of a lane, also those of another replica that owns its slot, until the
 * transaction ends. Its profile stays as it is from then on.
 */
export async function lockLane(session: Session, destination: string, lane: string): Promise<void> {
  const key = laneKeyOf(storedText(lane), '');
  await session.query(LOCK_SLOT, [destination, slotOf(key)]);
  await session.query(LOCK_ENTRIES, [destination, storedText(lane), key]);
}

const RESOLVE: Statement = {
  name: 'resolve_aliases',
  text: 'SELECT lane, target FROM aliases WHERE destination = $1 AND lane = ANY ($2::text[])',
};

/** The lane to which events of a merged lane go; undefined if it was not merged. */
export async function targetOf(
  session: Session,
  destination: string,
  lane: string,
): Promise<string | undefined> {
  const [row] = await session.query<{ target: string }>(RESOLVE, [destination, [storedText(lane)]]);
  return row?.target;
}

const ALIASES_OF: Statement = {
  name: 'aliases_of',
  text: 'SELECT lane FROM aliases WHERE destination = $1 AND target = $2',
};

/** The lanes whose alias is this lane, in the form in which they are stored. */
export async function aliasesOf(session: Session, destination: string, lane: string): Promise<string[]> {
  const rows = await session.query<{ lane: string }>(ALIASES_OF, [destination, storedText(lane)]);
  return rows.map((row) => row.lane);
}

const REDIRECT: Statement = {
  name: 'redirect_aliases',
  text: 'UPDATE aliases SET target = $3 WHERE destination = $1 AND target = $2',
};

const INSERT_ALIAS: Statement = {
  name: 'insert_alias',
  text: 'INSERT INTO aliases (destination, lane, target) VALUES ($1, $2, $3)',
};

const OLDEST: Statement = {
  name: 'oldest_of_lane',
  text: `SELECT is_replay AS "isReplay", min(seq) AS seq FROM queue
    WHERE lane_key = $3 AND lane = $2 AND destination = $1 GROUP BY is_replay`,
};

/* A pinned head stays one if the target is empty: it moves first, before the target has entries. */
const MOVE_ENTRIES: Statement = {
  name: 'move_entries',
  text: `WITH base AS MATERIALIZED (SELECT nextval('positions') AS n),
    target AS MATERIALIZED (
      SELECT DISTINCT is_replay FROM queue WHERE lane_key = $6 AND lane = $5 AND destination = $2
    ),
    chosen AS MATERIALIZED (
      SELECT destination, is_replay, stream, pos FROM queue
      WHERE lane_key = $4 AND lane = $3 AND destination = $2 ORDER BY is_pinned DESC, pos LIMIT ${BLOCK}
    ),
    moved AS (
      DELETE FROM queue q USING chosen c
      WHERE q.destination = c.destination AND q.is_replay = c.is_replay
        AND q.stream = c.stream AND q.pos = c.pos
      RETURNING q.*
    ),
    queued AS (
      INSERT INTO queue (destination, is_replay, stream, pos, seq, day, receipt, source, lane, lane_key,
        is_pinned, received_at, body_bytes, due_at)
      SELECT destination, is_replay, $1, base.n + row_number() OVER (ORDER BY pos) - 1, seq, day,
        receipt, source, $5, $6, is_pinned AND is_replay NOT IN (SELECT is_replay FROM target),
        received_at, body_bytes, due_at
      FROM moved, base
    )
    UPDATE events e SET lane = $5, lane_key = $6, own_lane = coalesce(e.own_lane, e.lane)
    FROM moved m WHERE e.receipt = m.receipt AND e.day = m.day
    RETURNING e.seq`,
};

/**
 * Moves the pending events of one lane to another, behind its head.
 * @returns whether there were any
 */
export async function moveLane(
  session: Session,
  destination: string,
  from: string,
  to: string,
): Promise<boolean> {
  const [fromKey, laneKey] = [laneKeyOf(from, ''), laneKeyOf(to, '')];
  const oldest = await session.query<Pick<Joining, 'isReplay' | 'seq'>>(OLDEST, [destination, from, fromKey]);
  if (oldest.length === 0) return false;
  await pinHeads(
    session,
    oldest.map((each) => ({ ...each, destination, lane: to, laneKey })),
  );
  const params = [session.stream, destination, from, fromKey, to, laneKey];
  while ((await session.query(MOVE_ENTRIES, params)).length === BLOCK);
  return true;
}

/**
 * Makes lane `from` an alias of lane `to`. Ignored if `from` already has an alias or if `to` leads
 * back to it. Call `lockAliases` and `lockLane` before.
 * @returns whether pending events were moved
 */
export async function addAlias(session: Session, destination: string, alias: LaneAlias): Promise<boolean> {
  const [from, to] = [storedText(alias.from), storedText(alias.to)];
  const rows = await session.query<{ lane: string; target: string }>(RESOLVE, [destination, [from, to]]);
  const targets = new Map(rows.map(({ lane, target }) => [lane, target]));
  const target = targets.get(to) ?? to;
  if (target === from || targets.has(from)) return false;
  await session.query(REDIRECT, [destination, from, target]);
  await session.query(INSERT_ALIAS, [destination, from, target]);
  const isMoved = await moveLane(session, destination, from, target);
  await mergeContacts(session, destination, from, target);
  await mergeRefreshes(session, destination, from, target);
  return isMoved;
}
