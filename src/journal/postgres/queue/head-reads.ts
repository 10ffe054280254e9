import { isOfQueueSql, pinEntries } from '../engine/head-pins.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import type { Statement } from '../sessions/session.ts';
import { entryColumns } from './entry-scan.ts';
import type { Head, QueueEntry } from './lane-heads.ts';
import type { LaneTable } from './lane-table.ts';

/** Queues and heads that one statement looks up. */
const MAX_LOOKUPS = 2_048;

/** The pinned entry of each queue and its two oldest ones. */
const NEXT: Statement = {
  name: 'next_of_lanes',
  text: `SELECT l.n::integer AS n, entry.*
    FROM (
      SELECT $1::text AS destination, of.* FROM unnest($2::text[], $3::integer[], $4::boolean[])
        WITH ORDINALITY AS of (lane, lane_key, is_replay, n)
    ) l
    CROSS JOIN LATERAL (
      (SELECT ${entryColumns('q')} FROM queue q WHERE ${isOfQueueSql('q', 'l')} AND q.is_pinned)
      UNION ALL
      (SELECT ${entryColumns('q')} FROM queue q WHERE ${isOfQueueSql('q', 'l')} ORDER BY q.seq LIMIT 2)
    ) entry`,
};

function headOf(entries: readonly QueueEntry[]): QueueEntry | undefined {
  const pinned = entries.find(({ isPinned }) => isPinned);
  return pinned ?? entries.toSorted((a, b) => a.seq - b.seq)[0];
}

/** Reads the heads of the queues in `table.missing`. If it fails, they stay there. */
export async function loadMissing(
  { sessions }: PostgresEngine,
  destination: string,
  table: LaneTable,
): Promise<void> {
  while (table.missing.size > 0) {
    const queues = [...table.missing].slice(0, MAX_LOOKUPS);
    for (const queue of queues) table.missing.delete(queue);
    try {
      const rows = await sessions.query<QueueEntry & { readonly n: number }>('claim', NEXT, [
        destination,
        queues.map(({ lane }) => lane.name),
        queues.map(({ lane }) => lane.laneKey),
        queues.map(({ isReplay }) => isReplay),
      ]);
      const found = Map.groupBy(rows, ({ n }) => n);
      for (const [index, queue] of queues.entries()) {
        const entries = found.get(index + 1) ?? [];
        const entry = headOf(entries);
        const hasMore = new Set(entries.map(({ pos }) => pos)).size > 1;
        table.loaded(queue, entry && { entry, hasMore });
      }
    } catch (error) {
      for (const queue of queues) if (!queue.lane.isDropped && queue.isLoading) table.missing.add(queue);
      throw error;
    }
  }
}

/** By key, as in READ_HEADS: an entry that left the queue, or is not the first of its lane. */
export const FORMER_HEADS: Statement = {
  name: 'former_heads',
  text: `SELECT head.pos FROM unnest($2::boolean[], $3::integer[], $4::bigint[]) AS head (is_replay, stream, pos)
    WHERE NOT EXISTS (
      SELECT FROM queue q WHERE q.destination = $1 AND q.is_replay = head.is_replay
        AND q.stream = head.stream AND q.pos = head.pos
        AND (q.lane IS NULL OR q.is_pinned OR NOT EXISTS (
          SELECT FROM queue older WHERE ${isOfQueueSql('older', 'q')} AND older.seq < q.seq
        )) OFFSET 0
    )`,
};

function positionsOf(heads: readonly Head[]): [boolean[], number[], number[]] {
  return [
    heads.map(({ isReplay }) => isReplay),
    heads.map(({ stream }) => stream),
    heads.map(({ pos }) => pos),
  ];
}

/** Those that others have taken out of the queue, or that an older event has overtaken. */
async function formerHeads(
  { sessions }: PostgresEngine,
  destination: string,
  heads: readonly Head[],
): Promise<readonly Head[]> {
  const rows = await sessions.query<{ readonly pos: number }>('claim', FORMER_HEADS, [
    destination,
    ...positionsOf(heads),
  ]);
  const former = new Set(rows.map(({ pos }) => pos));
  return heads.filter(({ pos }) => former.has(pos));
}

/** Forgets those of the heads that are none any more, unless they are claimed. */
export async function verifyHeads(
  engine: PostgresEngine,
  destination: string,
  table: LaneTable,
  heads: readonly Head[],
): Promise<void> {
  for (let from = 0; from < heads.length; from += MAX_LOOKUPS)
    for (const head of await formerHeads(engine, destination, heads.slice(from, from + MAX_LOOKUPS)))
      if (head.state !== 'claimed') table.reread(head);
}

/**
 * Forgets those of the heads that are none, although they were chosen for a claim.
 * @returns the others
 */
export async function withoutFormer(
  engine: PostgresEngine,
  destination: string,
  table: LaneTable,
  chosen: readonly Head[],
): Promise<readonly Head[]> {
  const former = await formerHeads(engine, destination, chosen);
  for (const head of former) table.reread(head);
  return former.length === 0 ? chosen : chosen.filter((head) => !former.includes(head));
}

/** Pins claimed heads behind which older entries were queued, so that they stay heads. */
export async function pinClaimed(
  { sessions }: PostgresEngine,
  destination: string,
  table: LaneTable,
): Promise<void> {
  const heads = [...table.unpinned];
  await pinEntries(
    { query: (statement, params) => sessions.query('work', statement, params) },
    heads.map(({ isReplay, stream, pos }) => ({ destination, isReplay, stream, pos })),
  );
  for (const head of heads) {
    head.isPinned = true;
    table.unpinned.delete(head);
  }
}
