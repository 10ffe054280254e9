import type { ClaimLimits, Overdue } from '../../journal.ts';
import type { AnswerOf, RequestOf, WireClaimed } from './calls.ts';
import type { Engine } from './engine.ts';
import { endClaim } from './lanes.ts';
import { readClaimed, readHead } from './lost-payload.ts';
import { type EventRow, queueRowOfReceipt } from './rows.ts';

interface Head {
  readonly seq: number;
  readonly due_at: number;
}

/** Time until a claimant asks again while the tables cannot be committed. */
const FAILING_DELAY_MS = 1_000;

/** 1 for replayed events, 0 for all others. */
type Kind = 0 | 1;

/** The heads of one source with `above < due_at <= upTo`. */
interface DueRange {
  readonly source: string;
  readonly above: number;
  readonly upTo: number;
}

/**
 * Reads heads lazily in order of `due_at`. `slot` makes the statement's text unique, so that each
 * open cursor has its own statement.
 */
function openCursor(
  { db }: Engine,
  slot: number,
  range: DueRange & { readonly destination: string; readonly kind: Kind },
): Iterator<Head> {
  return db
    .sql(
      `SELECT seq, due_at FROM events INDEXED BY events_head
       WHERE destination = ? AND source = ? AND replay = ? AND head = 1 AND due_at > ? AND due_at <= ?
       ORDER BY due_at, seq -- cursor ${slot}`,
    )
    .iterate(
      range.destination,
      range.source,
      range.kind,
      range.above,
      range.upTo,
    ) as Iterator<unknown> as Iterator<Head>;
}

/** What is claimed, at what time of the engine's clock. */
type DueRequest = ClaimLimits & {
  readonly destination: string;
  readonly token: string;
  readonly now: number;
};

/**
 * Events that wait longer than `maxWait` were scheduled before the clock was set back. They are
 * read separately and count as due now.
 */
function dueRangesOf({ sources, now, maxWait }: DueRequest): DueRange[] {
  const last = maxWait === undefined ? Number.MAX_SAFE_INTEGER : now + maxWait;
  return [...new Set(sources)].flatMap((source) => [
    { source, above: Number.MIN_SAFE_INTEGER, upTo: last },
    ...(maxWait === undefined ? [] : [{ source, above: last, upTo: Number.MAX_SAFE_INTEGER }]),
  ]);
}

/** The slot of the head that is due first; -1 if there is none. */
function firstSlot(heads: readonly (Head | undefined)[]): number {
  let first = -1;
  for (const [slot, head] of heads.entries()) {
    const best = heads[first];
    if (head === undefined) continue;
    if (
      best === undefined ||
      head.due_at < best.due_at ||
      (head.due_at === best.due_at && head.seq < best.seq)
    )
      first = slot;
  }
  return first;
}

/**
 * Merges the heads of all sources in order. There is one cursor per source, so that events of a
 * source that is no longer configured are never scanned.
 */
function* headsInOrder(engine: Engine, request: DueRequest, kind: Kind): Generator<Head> {
  const { destination } = request;
  const ranges = dueRangesOf(request);
  const cursors = ranges.map((range, slot) => openCursor(engine, slot, { ...range, destination, kind }));
  const latest = request.now + (request.maxWait ?? Number.MAX_SAFE_INTEGER);
  const next = (slot: number): Head | undefined => {
    const step = cursors[slot]?.next();
    if (step === undefined || step.done === true) return undefined;
    const { seq, due_at } = step.value;
    return { seq, due_at: due_at > latest ? request.now : due_at };
  };
  try {
    const heads = cursors.map((_, slot) => next(slot));
    for (let slot = firstSlot(heads); slot >= 0; slot = firstSlot(heads)) {
      yield heads[slot] as Head;
      heads[slot] = next(slot);
    }
  } finally {
    for (const cursor of cursors) cursor.return?.();
  }
}

/**
 * Whether another event of the lane is claimed: only one of a lane's two heads may be at a time.
 */
function isLaneBusy({ claims }: Engine, { destination, lane }: EventRow): boolean {
  return lane !== null && claims.isBusy(destination, lane);
}

/** Events claimed so far and the size of their bodies. */
interface Claimed {
  readonly events: WireClaimed[];
  bytes: number;
}

/**
 * Claims up to `max` events of one kind. Returns when the next unclaimed one becomes due, if there
 * is one.
 */
function claimKind(
  engine: Engine,
  request: DueRequest,
  { kind, max }: { readonly kind: Kind; readonly max: number },
  claimed: Claimed,
): number | undefined {
  const limit = Math.min(request.events, claimed.events.length + max);
  for (const head of headsInOrder(engine, request, kind)) {
    if (engine.claims.isUnavailable(head.seq)) continue;
    const row = readHead(engine, head.seq);
    if (row === undefined || isLaneBusy(engine, row)) continue;
    if (head.due_at > request.now || claimed.events.length >= limit) return head.due_at;
    if (claimed.events.length > 0 && claimed.bytes + row.body_bytes > request.bytes) return head.due_at;
    const event = readClaimed(engine, row);
    if (event === undefined) continue;
    engine.claims.claim(row, request.token);
    claimed.bytes += row.body_bytes;
    claimed.events.push(event);
  }
  return undefined;
}

/** A lease of this engine lasts as long as the process, so the claimant's id is its token. */
export function claim(engine: Engine, { claimant, limits }: RequestOf<'claim'>): AnswerOf<'claim'> {
  if (engine.failure !== undefined) return { token: claimant.id, events: [], dueIn: FAILING_DELAY_MS };
  const now = engine.now();
  const request = { ...limits, destination: claimant.destination, token: claimant.id, now };
  const claimed: Claimed = { events: [], bytes: 0 };
  const nextDueAt = claimKind(engine, request, { kind: 0, max: limits.events }, claimed);
  const isFull = nextDueAt !== undefined && nextDueAt <= now;
  const nextReplayAt = claimKind(engine, request, { kind: 1, max: isFull ? 0 : limits.replays }, claimed);
  return {
    token: claimant.id,
    events: claimed.events,
    ...(nextDueAt === undefined ? {} : { dueIn: Math.max(0, nextDueAt - now) }),
    ...(nextReplayAt === undefined ? {} : { replayDueIn: Math.max(0, nextReplayAt - now) }),
  };
}

export function release(engine: Engine, { token, receipts }: RequestOf<'release'>): void {
  for (const receipt of receipts) {
    const row = queueRowOfReceipt(engine, receipt);
    if (row !== undefined && engine.claims.isHeld(row.seq, token)) endClaim(engine, row);
  }
}

/** The oldest due and unclaimed event of a free lane, for each source and destination. */
export function overdue(engine: Engine): readonly Overdue[] {
  const now = engine.now();
  const { counts, backlog } = engine.accounts;
  const pending = ([, row]: readonly [string, { readonly pending: number }]): boolean => row.pending > 0;
  const pairs = [...backlog.rows]
    .filter(pending)
    .flatMap(([destination]) =>
      [...counts.rows].filter(pending).map(([source]) => ({ destination, source })),
    );
  return pairs.flatMap(({ destination, source }) => {
    const request = { sources: [source], destination, events: 0, replays: 0, bytes: 0, token: '', now };
    const dueAt = claimKind(engine, request, { kind: 0, max: 0 }, { events: [], bytes: 0 });
    return dueAt === undefined || dueAt > now ? [] : [{ source, destination, since: now - dueAt }];
  });
}
