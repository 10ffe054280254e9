import type { PostgresEngine } from '../engine/engine.ts';
import type { Statement } from '../sessions/session.ts';
import type { QueueEntry } from './lane-heads.ts';

/** Rows that one scan reads of each kind. */
const SCAN_ROWS = 2_048;
const MIN_ROWS_OF_STREAM = 64;

/** The columns of QueueEntry. @param q the alias of `queue` */
export function entryColumns(q: string): string {
  return `${q}.stream, ${q}.pos, ${q}.seq, ${q}.source, ${q}.lane, ${q}.lane_key AS "laneKey",
    ${q}.is_replay AS "isReplay", ${q}.is_pinned AS "isPinned", ${q}.body_bytes AS "bodyBytes",
    ${q}.due_at AS "dueAt"`;
}

/*
 * The next entries of every stream, as one snapshot. Where the list of a stream is full, there are
 * more behind it, and of all streams only what is before its end is taken: else an event could
 * overtake an earlier one of its lane that came through another connection. `isLast` tells how far
 * a stream was read, whoever owns the slot of that entry.
 *
 * $1 destination, $2 bits of the slots, $3 to $5 where the streams were read up to, $6 and $7 the
 * rows of each stream that are not replayed and that are.
 */
const SCAN: Statement = {
  name: 'scan_queue',
  text: `WITH met AS MATERIALIZED (
      SELECT kind.is_replay, kind.rows, streams.id AS stream, entry.*
      FROM streams
      CROSS JOIN (VALUES (false, $6::integer), (true, $7::integer)) AS kind (is_replay, rows)
      LEFT JOIN unnest($3::integer[], $4::boolean[], $5::bigint[]) AS known (stream, is_replay, pos)
        ON known.stream = streams.id AND known.is_replay = kind.is_replay
      CROSS JOIN LATERAL (
        SELECT q.*, row_number() OVER () AS n FROM (
          SELECT pos, seq, source, lane, lane_key, is_pinned, body_bytes, due_at FROM queue
          WHERE destination = $1 AND is_replay = kind.is_replay AND stream = streams.id
            AND pos > coalesce(known.pos, 0)
          ORDER BY pos LIMIT kind.rows
        ) q
      ) entry
    ),
    cut AS (SELECT is_replay, min(pos) AS pos FROM met WHERE n = rows GROUP BY is_replay),
    taken AS (
      SELECT met.*, cut.pos IS NOT NULL AS is_full,
        lead(met.pos) OVER (PARTITION BY met.is_replay, met.stream ORDER BY met.pos) IS NULL AS is_last
      FROM met LEFT JOIN cut ON cut.is_replay = met.is_replay
      WHERE met.pos <= cut.pos OR cut.pos IS NULL
    )
    SELECT ${entryColumns('q')}, q.is_full AS "isFull", q.is_last AS "isLast",
      ($2::bigint >> (q.lane_key & 63)) & 1 = 1 AS "isOwned"
    FROM taken q WHERE q.is_last OR ($2::bigint >> (q.lane_key & 63)) & 1 = 1`,
};

interface ScannedRow extends QueueEntry {
  readonly isFull: boolean;
  readonly isLast: boolean;
  readonly isOwned: boolean;
}

function bitsOfSlots(slots: Iterable<number>): bigint {
  let bits = 0n;
  for (const slot of slots) bits |= 1n << BigInt(slot);
  return BigInt.asIntN(64, bits);
}

/** How far the streams were read for one kind of entries. */
interface Progress {
  readonly frontier: Map<number, number>;
  /** Whether the last scan reached the end of every stream. */
  isComplete: boolean;
  /** Streams of which the last scan returned something. */
  active: number;
}

function rowsOfStream({ active }: Progress): number {
  return Math.max(MIN_ROWS_OF_STREAM, Math.ceil(SCAN_ROWS / active));
}

/** Reads what was added to the queue of a destination since the last time. */
export class EntryScan {
  readonly #engine: PostgresEngine;
  readonly #destination: string;
  readonly #live: Progress = { frontier: new Map(), isComplete: false, active: 1 };
  readonly #replayed: Progress = { frontier: new Map(), isComplete: false, active: 1 };
  #restarts = 0;

  constructor(engine: PostgresEngine, destination: string) {
    this.#engine = engine;
    this.#destination = destination;
  }

  isComplete(isReplay: boolean): boolean {
    return this.#of(isReplay).isComplete;
  }

  #of(isReplay: boolean): Progress {
    return isReplay ? this.#replayed : this.#live;
  }

  /** Everything has to be read again. An answer that is on its way does not count. */
  restart(): void {
    this.#restarts += 1;
    for (const progress of [this.#live, this.#replayed]) {
      progress.frontier.clear();
      progress.isComplete = false;
    }
  }

  /**
   * Reads the next entries of the kinds that are wanted.
   * @param meet is called with those in the slots, in the order in which they were queued; with
   *   none if `restart` was called in the meantime
   */
  async next(
    slots: Iterable<number>,
    wanted: { readonly live: boolean; readonly replayed: boolean },
    meet: (entry: QueueEntry) => void,
  ): Promise<void> {
    const restarts = this.#restarts;
    const known = [false, true].flatMap((isReplay) =>
      [...this.#of(isReplay).frontier].map(([stream, pos]) => ({ stream, isReplay, pos })),
    );
    const rows = await this.#engine.sessions.query<ScannedRow>('claim', SCAN, [
      this.#destination,
      bitsOfSlots(slots),
      known.map(({ stream }) => stream),
      known.map(({ isReplay }) => isReplay),
      known.map(({ pos }) => pos),
      wanted.live ? rowsOfStream(this.#live) : 0,
      wanted.replayed ? rowsOfStream(this.#replayed) : 0,
    ]);
    if (restarts !== this.#restarts) return;
    for (const isReplay of [false, true]) {
      if (!(isReplay ? wanted.replayed : wanted.live)) continue;
      const progress = this.#of(isReplay);
      const last = rows.filter((row) => row.isLast && row.isReplay === isReplay);
      for (const { stream, pos } of last) progress.frontier.set(stream, pos);
      progress.active = Math.max(1, last.length);
      progress.isComplete = !last.some((row) => row.isFull);
    }
    for (const row of rows.toSorted((a, b) => a.pos - b.pos)) if (row.isOwned) meet(row);
  }
}
