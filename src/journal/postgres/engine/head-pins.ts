import type { Session, Statement } from '../sessions/session.ts';

/*
 * Which entry of a lane is its head is never written unless it has to be: it is the one with the
 * smallest `seq`. Only where an older event is queued again in a lane that has a head already does
 * the head have to be pinned, in the same transaction and before the entry is inserted.
 */

/** An older event that is about to be queued again in a lane. */
export interface Joining {
  readonly destination: string;
  readonly lane: string;
  readonly laneKey: number;
  readonly isReplay: boolean;
  readonly seq: number;
}

/** SQL conditions: entry `entry` is in the same queue of the same lane as `lane`. */
export function isOfQueueSql(entry: string, lane: string): string {
  return `${entry}.lane_key = ${lane}.lane_key AND ${entry}.lane = ${lane}.lane
    AND ${entry}.destination = ${lane}.destination AND ${entry}.is_replay = ${lane}.is_replay`;
}

/** The head of each lane that has a younger head than the event that joins. */
const YOUNGER_HEADS = `SELECT j.destination, j.is_replay, j.lane_key, j.lane, head.*
  FROM unnest($1::text[], $2::text[], $3::integer[], $4::boolean[], $5::bigint[])
    AS j (destination, lane, lane_key, is_replay, joining)
  CROSS JOIN LATERAL (
    (SELECT q.stream, q.pos, q.seq, q.is_pinned FROM queue q WHERE ${isOfQueueSql('q', 'j')} AND q.is_pinned)
    UNION ALL
    (SELECT q.stream, q.pos, q.seq, q.is_pinned FROM queue q WHERE ${isOfQueueSql('q', 'j')}
     ORDER BY q.seq LIMIT 1)
    LIMIT 1
  ) head
  WHERE head.seq > j.joining`;

function updateSql(value: boolean, condition: string): string {
  return `UPDATE queue SET is_pinned = ${value} FROM (${YOUNGER_HEADS}) AS h
    WHERE queue.destination = h.destination AND queue.is_replay = h.is_replay
      AND queue.stream = h.stream AND queue.pos = h.pos AND ${condition}`;
}

const PIN: Statement = { name: 'pin_heads', text: updateSql(true, 'NOT h.is_pinned') };

const UNPIN: Statement = {
  name: 'unpin_heads',
  text: updateSql(
    false,
    `h.is_pinned AND NOT EXISTS
      (SELECT FROM queue older WHERE ${isOfQueueSql('older', 'h')} AND older.seq < h.seq)`,
  ),
};

/** The oldest event that joins each lane. */
function oldestOf(joining: readonly Joining[]): readonly Joining[] {
  const oldest = new Map<string, Joining>();
  for (const each of joining) {
    const key = `${each.isReplay} ${each.lane} ${each.destination}`;
    if ((oldest.get(key)?.seq ?? Number.POSITIVE_INFINITY) > each.seq) oldest.set(key, each);
  }
  return [...oldest.values()];
}

async function execute(session: Session, statement: Statement, joining: readonly Joining[]): Promise<void> {
  const lanes = oldestOf(joining);
  if (lanes.length === 0) return;
  await session.query(statement, [
    lanes.map(({ destination }) => destination),
    lanes.map(({ lane }) => lane),
    lanes.map(({ laneKey }) => laneKey),
    lanes.map(({ isReplay }) => isReplay),
    lanes.map(({ seq }) => seq),
  ]);
}

/**
 * Keeps the heads of the lanes, so that the events that are promoted, replayed or moved by an alias
 * queue behind them. Call it before they are inserted, in their transaction.
 */
export function pinHeads(session: Session, joining: readonly Joining[]): Promise<void> {
  return execute(session, PIN, joining);
}

/**
 * Lets events that are rerouted overtake the heads of their new lanes, as far as the contract says
 * so (Order). Call it before they are inserted, in their transaction. A head that is claimed is not
 * overtaken: pin it again.
 */
export function unpinOvertaken(session: Session, joining: readonly Joining[]): Promise<void> {
  return execute(session, UNPIN, joining);
}

const PIN_ENTRIES: Statement = {
  name: 'pin_entries',
  text: `UPDATE queue SET is_pinned = true
    FROM unnest($1::text[], $2::boolean[], $3::integer[], $4::bigint[])
      AS head (destination, is_replay, stream, pos)
    WHERE queue.destination = head.destination AND queue.is_replay = head.is_replay
      AND queue.stream = head.stream AND queue.pos = head.pos`,
};

/** An entry of the queue. */
export interface EntryKey {
  readonly destination: string;
  readonly isReplay: boolean;
  readonly stream: number;
  readonly pos: number;
}

/** Pins claimed heads that older events join, as far as they are still in the queue. */
export async function pinEntries(session: Pick<Session, 'query'>, heads: readonly EntryKey[]): Promise<void> {
  if (heads.length === 0) return;
  await session.query(PIN_ENTRIES, [
    heads.map(({ destination }) => destination),
    heads.map(({ isReplay }) => isReplay),
    heads.map(({ stream }) => stream),
    heads.map(({ pos }) => pos),
  ]);
}
