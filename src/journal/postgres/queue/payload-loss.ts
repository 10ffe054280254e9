import { PAYLOAD_LOST } from '../../event-reasons.ts';
import { storedBytesSql } from '../engine/body-presence.ts';
import { addCountsSql } from '../engine/count-changes.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import type { Statement } from '../sessions/session.ts';
import type { Head } from './lane-heads.ts';

/*
 * What is damaged is never sent: its event becomes a dead letter at once, and the lane goes on. A
 * payload whose key is not configured is not lost: its event waits, with its lane behind it.
 */

/** What of an event is lost. */
export type LostPayload =
  | { readonly kind: 'body'; readonly why: 'damaged' | 'missing' }
  /** `stored`: the state of its customer as it was read. */
  | { readonly kind: 'profile'; readonly lane: string; readonly stored: Buffer };

/** An event that was moved to dead letters for it. */
export interface LostEvent {
  readonly receipt: string;
  readonly source: string;
  readonly destination: string;
  readonly reason: string;
  readonly detail: string;
}

const BODY_DETAIL = {
  damaged: 'its stored payload is damaged',
  missing: 'its stored payload is missing',
};
const PROFILE_DETAIL =
  'the stored state of its customer was damaged and has been removed; its own payload is intact';

const HOLD_SLOT: Statement = {
  name: 'hold_slot',
  text: `SELECT 1 FROM slots WHERE destination = $1 AND slot = $2 AND owner = $3 AND epoch = $4
    FOR KEY SHARE`,
};

/*
 * $1 stream, $2 to $5 the entry of the queue, $6 time, $7 detail, $8 whether the body is lost, $9
 * and $10 the lane whose profile is lost and its state.
 */
const LOSE: Statement = {
  name: 'lose_payload',
  text: `WITH gone AS (
      DELETE FROM queue WHERE destination = $2 AND is_replay = $3 AND stream = $4 AND pos = $5
      RETURNING receipt, day, seq, source, destination, is_replay
    ),
    event AS (
      UPDATE events SET state = 'x', is_replay = false, reason = '${PAYLOAD_LOST}', detail = $7,
        settled_at = $6, identity = CASE WHEN $8 THEN NULL ELSE identity END
      FROM gone WHERE events.receipt = gone.receipt AND events.day = gone.day
    ),
    body AS (
      DELETE FROM bodies USING gone WHERE $8 AND bodies.seq = gone.seq AND bodies.day = gone.day
      RETURNING ${storedBytesSql('bodies')} AS bytes
    ),
    profile AS (
      DELETE FROM profiles USING gone
      WHERE profiles.destination = gone.destination AND lane = $9::text AND state = $10::bytea
    ),
    letter AS (
      INSERT INTO dead_letters (receipt, day, seq, is_malformed, source, destination, since)
      SELECT receipt, day, seq, false, source, destination, $6 FROM gone
    ),
    counted AS (${addCountsSql(
      '(SELECT gone.*, coalesce((SELECT bytes FROM body), 0) AS bytes FROM gone) lost',
      {
        pending: '-count(*)',
        replaying: '-count(*) FILTER (WHERE is_replay)',
        dead: 'count(*)',
        stored_bytes: '-sum(bytes)',
      },
    )})
    SELECT receipt, source FROM gone`,
};

/**
 * Makes the event of a claimed head a dead letter.
 * @param epoch of the head's slot when the event was claimed
 * @returns undefined if the event is not this process's any more
 */
export async function losePayload(
  { sessions, replica, now }: PostgresEngine,
  destination: string,
  claimed: { readonly head: Head; readonly epoch: number },
  lost: LostPayload,
): Promise<LostEvent | undefined> {
  const { head, epoch } = claimed;
  const detail = lost.kind === 'body' ? BODY_DETAIL[lost.why] : PROFILE_DETAIL;
  const rows = await sessions.transaction('work', async (session) => {
    const slots = await session.query(HOLD_SLOT, [destination, head.slot, replica, epoch]);
    if (slots.length === 0) return [];
    return session.query<{ readonly receipt: string; readonly source: string }>(LOSE, [
      session.stream,
      destination,
      head.isReplay,
      head.stream,
      head.pos,
      now(),
      detail,
      lost.kind === 'body',
      lost.kind === 'profile' ? lost.lane : null,
      lost.kind === 'profile' ? lost.stored : null,
    ]);
  });
  return rows[0] && { ...rows[0], destination, reason: PAYLOAD_LOST, detail };
}
