import type { ClaimLimits, Overdue } from '../../journal.ts';
import type { AnswerOf, RequestOf, WireClaimed } from './calls.ts';
import { compareHeads, type Head, type HeadQueue } from './claim-frontier.ts';
import type { Engine } from './sqlite-engine.ts';
import { endClaim } from './lanes.ts';
import { readClaimed, readHead } from './lost-payload.ts';
import { type EventRow, queueRowOfReceipt } from './rows.ts';

/** Time until a claimant asks again while the tables cannot be committed. */
const FAILING_DELAY_MS = 1_000;

/** What is claimed, at what time of the engine's clock. */
type DueRequest = ClaimLimits & {
  readonly destination: string;
  readonly token: string;
  readonly now: number;
};

/** The heads of a queue with `above < (dueAt, seq)` and `dueAt <= upTo`. */
interface HeadRange {
  readonly queue: HeadQueue;
  readonly above: Head;
  readonly upTo: number;
}

/**
 * Reads heads lazily in order. `slot` makes the statement's text unique, so that each open cursor
 * has its own statement.
 */
function openCursor({ db }: Engine, slot: number, { queue, above, upTo }: HeadRange): Iterator<Head> {
  return db
    .sql(
      `SELECT seq, due_at AS dueAt FROM events INDEXED BY events_head
       WHERE destination = ? AND source = ? AND replay = ? AND head = 1
         AND due_at >= ? AND (due_at, seq) > (?, ?) AND due_at <= ?
       ORDER BY due_at, seq -- cursor ${slot}`,
    )
    .iterate(
      queue.destination,
      queue.source,
      queue.replay,
      above.dueAt,
      above.dueAt,
      above.seq,
      upTo,
    ) as Iterator<unknown> as Iterator<Head>;
}

/** A stream of heads of one queue, in order. */
interface HeadStream {
  readonly queue: HeadQueue;
  /** Whether its heads count as due now, whatever they say. */
  readonly isOverdue: boolean;
  readonly heads: Iterator<Head>;
}

/**
 * The streams of one source: heads before the frontier that can be claimed again, those behind it,
 * and those that wait longer than `maxWait`. The last were scheduled before the clock was set back,
 * so they count as due now.
 */
function streamsOf(engine: Engine, queue: HeadQueue, request: DueRequest, slot: number): HeadStream[] {
  const { now, maxWait } = request;
  const last = maxWait === undefined ? Number.MAX_SAFE_INTEGER : now + maxWait;
  const frontier = engine.frontiers.of(queue);
  // The clock was set back: among the heads that have returned, some wait for it.
  if (frontier.reached.dueAt > last) frontier.reset();
  const returned = frontier.returned();
  const { reached } = frontier;
  const behind = openCursor(engine, 2 * slot, { queue, above: reached, upTo: last });
  const streams = [
    { queue, isOverdue: false, heads: returned.values() },
    { queue, isOverdue: false, heads: behind },
  ];
  if (maxWait === undefined) return streams;
  const far = { seq: 0, dueAt: Math.max(last + 1, reached.dueAt) };
  const heads = openCursor(engine, 2 * slot + 1, { queue, above: far, upTo: Number.MAX_SAFE_INTEGER });
  return [...streams, { queue, isOverdue: true, heads }];
}

interface Candidate {
  readonly stream: HeadStream;
  readonly head: Head;
  /** When it counts as due. */
  readonly dueAt: number;
}

function nextOf(stream: HeadStream, now: number): Candidate | undefined {
  const step = stream.heads.next();
  if (step.done === true) return undefined;
  return { stream, head: step.value, dueAt: stream.isOverdue ? now : step.value.dueAt };
}

function isBefore(a: Candidate, b: Candidate): boolean {
  return compareHeads({ ...a.head, dueAt: a.dueAt }, { ...b.head, dueAt: b.dueAt }) < 0;
}

/**
 * Merges the heads of all sources in order. There are streams for each source, so that events of a
 * source that is no longer configured are never scanned.
 */
function* headsInOrder(engine: Engine, request: DueRequest, replay: 0 | 1): Generator<Candidate> {
  const { destination, now } = request;
  const streams = [...new Set(request.sources)].flatMap((source, slot) =>
    streamsOf(engine, { destination, source, replay }, request, slot),
  );
  try {
    const first = streams.map((stream) => nextOf(stream, now));
    for (;;) {
      let best = -1;
      for (const [index, candidate] of first.entries()) {
        const known = first[best];
        if (candidate !== undefined && (known === undefined || isBefore(candidate, known))) best = index;
      }
      const candidate = first[best];
      if (candidate === undefined) return;
      yield candidate;
      first[best] = nextOf(candidate.stream, now);
    }
  } finally {
    for (const { heads } of streams) heads.return?.();
  }
}

/** A head that has left its queue since it was remembered is none any more. */
function isHeadOf(row: EventRow, { destination, source, replay }: HeadQueue): boolean {
  return row.head === 1 && row.destination === destination && row.source === source && row.replay === replay;
}

/** Events claimed so far and the size of their bodies. */
interface Claimed {
  readonly events: WireClaimed[];
  readonly bodies: Uint8Array[];
  bytes: number;
}

/** Joins the bodies in one buffer, which changes its owner instead of being copied. */
function join({ bodies, bytes }: Claimed): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const body of bodies) {
    joined.set(body, at);
    at += body.byteLength;
  }
  return joined;
}

/**
 * Claims up to `max` events of one kind. Returns when the next unclaimed one becomes due, if there
 * is one.
 */
function claimKind(
  engine: Engine,
  request: DueRequest,
  { replay, max }: { readonly replay: 0 | 1; readonly max: number },
  claimed: Claimed,
): number | undefined {
  const limit = Math.min(request.events, claimed.events.length + max);
  for (const { stream, head, dueAt } of headsInOrder(engine, request, replay)) {
    const { queue } = stream;
    // A head far in the future is no frontier: most heads are before it.
    const pass = (): void => {
      if (!stream.isOverdue) engine.frontiers.of(queue).pass(head);
    };
    const row = engine.claims.isUnavailable(head.seq) ? undefined : readHead(engine, head.seq);
    if (row === undefined || !isHeadOf(row, queue)) {
      pass();
      continue;
    }
    if (row.lane !== null && engine.claims.isBusy(row.destination, row.lane)) {
      if (!stream.isOverdue) engine.frontiers.wait(queue, head, row.lane);
      continue;
    }
    if (dueAt > request.now || claimed.events.length >= limit) return dueAt;
    if (claimed.events.length > 0 && claimed.bytes + row.body_bytes > request.bytes) return dueAt;
    // Before it is read: if it is lost, the next one of its lane becomes a head, maybe before it.
    pass();
    const event = readClaimed(engine, row);
    if (event === undefined) continue;
    engine.claims.claim(row, request.token);
    claimed.bytes += event.body.byteLength;
    claimed.bodies.push(event.body);
    claimed.events.push(event.event);
  }
  return undefined;
}

/** A lease of this engine lasts as long as the process, so the claimant's id is its token. */
export function claim(engine: Engine, { claimant, limits }: RequestOf<'claim'>): AnswerOf<'claim'> {
  if (engine.failure !== undefined)
    return { token: claimant.id, events: [], lengths: [], bodies: new Uint8Array(), dueIn: FAILING_DELAY_MS };
  const now = engine.now();
  const request = { ...limits, destination: claimant.destination, token: claimant.id, now };
  const claimed: Claimed = { events: [], bodies: [], bytes: 0 };
  const dueAt = claimKind(engine, request, { replay: 0, max: limits.events }, claimed);
  const isFull = dueAt !== undefined && dueAt <= now;
  const replayDueAt = claimKind(engine, request, { replay: 1, max: isFull ? 0 : limits.replays }, claimed);
  return {
    token: claimant.id,
    events: claimed.events,
    lengths: claimed.bodies.map(({ byteLength }) => byteLength),
    bodies: join(claimed),
    ...(dueAt === undefined ? {} : { dueIn: Math.max(0, dueAt - now) }),
    ...(replayDueAt === undefined ? {} : { replayDueIn: Math.max(0, replayDueAt - now) }),
  };
}

export function release(engine: Engine, { token, receipts }: RequestOf<'release'>): void {
  for (const receipt of receipts) {
    const row = queueRowOfReceipt(engine, receipt);
    if (row === undefined || !engine.claims.isHeld(row.seq, token)) continue;
    endClaim(engine, row);
    engine.frontiers.add(row, { seq: row.seq, dueAt: row.due_at });
  }
}

/** The oldest due and unclaimed event of a free lane, for each source and destination. */
export function overdue(engine: Engine): readonly Overdue[] {
  const now = engine.now();
  const { counts, backlog } = engine.accounts;
  const sources = [...counts.rows].filter(([, { pending }]) => pending > 0);
  const pairs = [...backlog.rows]
    .filter(([, { pending }]) => pending > 0)
    .flatMap(([destination]) => sources.map(([source]) => ({ destination, source })));
  return pairs.flatMap(({ destination, source }) => {
    const request = { sources: [source], destination, events: 0, replays: 0, bytes: 0, token: '', now };
    const dueAt = claimKind(engine, request, { replay: 0, max: 0 }, { events: [], bodies: [], bytes: 0 });
    return dueAt === undefined || dueAt > now ? [] : [{ source, destination, since: now - dueAt }];
  });
}
