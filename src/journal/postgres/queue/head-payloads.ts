import type { ClaimedEvent } from '../../journal.ts';
import { isReadable } from '../../payload-cipher.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { storedColumns, type StoredRow, toStoredEvent } from '../engine/stored-events.ts';
import type { Statement } from '../sessions/session.ts';
import type { Head } from './lane-heads.ts';
import type { LostPayload } from './payload-loss.ts';

/** What reading the event of a head gave. */
export type HeadPayload =
  | { readonly kind: 'event'; readonly event: ClaimedEvent; readonly day: number }
  /** Its entry has left the queue. */
  | { readonly kind: 'gone' }
  /** Its lane became an alias of another one while it was appended. */
  | { readonly kind: 'aliased'; readonly lane: string; readonly target: string }
  | { readonly kind: 'key-unknown'; readonly receipt: string }
  | { readonly kind: 'lost'; readonly lost: LostPayload };

/**
 * With the payloads, and the aliases: an append may have missed one that was just written. OFFSET 0
 * makes the server look each row up by its key. A plan that is made while the queue is empty would
 * else read all of the queue, and of the profiles, for each head, until a table is analyzed.
 */
export const READ_HEADS: Statement = {
  name: 'read_heads',
  text: `SELECT q.pos, ${storedColumns('e')}, b.body, p.state AS profile, a.target
    FROM unnest($2::boolean[], $3::integer[], $4::bigint[]) AS head (is_replay, stream, pos)
    CROSS JOIN LATERAL (SELECT * FROM queue WHERE destination = $1 AND is_replay = head.is_replay
      AND stream = head.stream AND pos = head.pos OFFSET 0) q
    CROSS JOIN LATERAL (SELECT * FROM events WHERE receipt = q.receipt AND day = q.day OFFSET 0) e
    LEFT JOIN LATERAL (SELECT body FROM bodies WHERE seq = q.seq AND day = q.day OFFSET 0) b ON true
    LEFT JOIN LATERAL (SELECT state FROM profiles WHERE destination = $1 AND lane = q.lane OFFSET 0) p
      ON true
    LEFT JOIN LATERAL (SELECT target FROM aliases WHERE destination = $1 AND lane = q.lane OFFSET 0) a
      ON true`,
};

interface ReadRow extends StoredRow {
  readonly pos: number;
  readonly body: Buffer | null;
  readonly profile: Buffer | null;
  readonly target: string | null;
}

function payloadOf({ cipher }: PostgresEngine, row: ReadRow): HeadPayload {
  if (row.target !== null) return { kind: 'aliased', lane: row.lane as string, target: row.target };
  const body = row.body === null ? 'missing' : cipher.decrypt(row.body);
  const profile = row.profile === null ? undefined : cipher.decrypt(row.profile);
  if (body === 'key-unknown' || profile === 'key-unknown')
    return { kind: 'key-unknown', receipt: row.receipt };
  if (body === 'missing' || !isReadable(body)) return { kind: 'lost', lost: { kind: 'body', why: body } };
  if (profile !== undefined && !isReadable(profile)) {
    const lost = { kind: 'profile', lane: row.lane as string, stored: row.profile as Buffer } as const;
    return { kind: 'lost', lost };
  }
  const event = Object.assign(toStoredEvent(row), { body, profile: profile?.toString('utf8') });
  return { kind: 'event', event, day: row.day };
}

/** Reads the events of heads. @returns one answer for each, in order */
export async function readHeads(
  engine: PostgresEngine,
  destination: string,
  heads: readonly Head[],
): Promise<readonly HeadPayload[]> {
  const rows = await engine.sessions.query<ReadRow>('claim', READ_HEADS, [
    destination,
    heads.map(({ isReplay }) => isReplay),
    heads.map(({ stream }) => stream),
    heads.map(({ pos }) => pos),
  ]);
  const byPos = new Map(rows.map((row) => [row.pos, row]));
  return heads.map(({ pos }) => {
    const row = byPos.get(pos);
    return row === undefined ? { kind: 'gone' } : payloadOf(engine, row);
  });
}
