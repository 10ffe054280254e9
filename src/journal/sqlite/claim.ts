import type { ClaimRequest } from '../journal.ts';
import type { Engine } from './engine.ts';
import { readBody } from './bodies.ts';
import { endClaim } from './lanes.ts';
import { readProfile } from './profiles.ts';
import type { WireClaimAnswer, WireClaimed } from './protocol.ts';
import { type EventRow, queueRowOfReceipt, rowOfSeq, toStoredEvent } from './rows.ts';

interface Head {
  readonly seq: number;
  readonly due_at: number;
}

/** 1 for replayed events, 0 for the others. */
type Kind = 0 | 1;

/** Heads of one source of which `due_at` is above and up to these. */
interface Stretch {
  readonly source: string;
  readonly above: number;
  readonly upTo: number;
}

/** Heads in the order in which they are due, read as they are asked for. `slot` keeps open cursors on statements of their own. */
function headsOfSource(
  { db }: Engine,
  slot: number,
  of: Stretch & { readonly destination: string; readonly kind: Kind },
): Iterator<Head> {
  return db
    .sql(
      `SELECT seq, due_at FROM events INDEXED BY events_head
       WHERE destination = ? AND source = ? AND replay = ? AND head = 1 AND due_at > ? AND due_at <= ?
       ORDER BY due_at, seq -- cursor ${slot}`,
    )
    .iterate(of.destination, of.source, of.kind, of.above, of.upTo) as Iterator<unknown> as Iterator<Head>;
}

/** What waits longer than `maxWait` got its time from a clock that has gone back since: it is read apart from the rest, and is due now. */
function stretchesOf({ sources, now, maxWait }: ClaimRequest): Stretch[] {
  const last = maxWait === undefined ? Number.MAX_SAFE_INTEGER : now + maxWait;
  return [...new Set(sources)].flatMap((source) => [
    { source, above: Number.MIN_SAFE_INTEGER, upTo: last },
    ...(maxWait === undefined ? [] : [{ source, above: last, upTo: Number.MAX_SAFE_INTEGER }]),
  ]);
}

function firstOf(heads: readonly (Head | undefined)[]): number {
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

/** Heads of all the sources, merged. One index per source, so that what waits for a source that is gone is never walked over. */
function* headsInOrder(engine: Engine, request: ClaimRequest, kind: Kind): Generator<Head> {
  const { destination } = request;
  const stretches = stretchesOf(request);
  const cursors = stretches.map((stretch, slot) =>
    headsOfSource(engine, slot, { ...stretch, destination, kind }),
  );
  const latest = request.now + (request.maxWait ?? Number.MAX_SAFE_INTEGER);
  const next = (slot: number): Head | undefined => {
    const step = cursors[slot]?.next();
    if (step === undefined || step.done === true) return undefined;
    const { seq, due_at } = step.value;
    return { seq, due_at: due_at > latest ? request.now : due_at };
  };
  try {
    const heads = cursors.map((_, slot) => next(slot));
    for (let slot = firstOf(heads); slot >= 0; slot = firstOf(heads)) {
      yield heads[slot] as Head;
      heads[slot] = next(slot);
    }
  } finally {
    for (const cursor of cursors) cursor.return?.();
  }
}

/** The event with its payloads; undefined, and set aside, when one of them cannot be opened. */
function open(engine: Engine, row: EventRow): WireClaimed | undefined {
  const body = readBody(engine, row.seq);
  const profile = row.lane === null ? undefined : readProfile(engine, row.destination, row.lane);
  if (body !== undefined && profile !== null) return { ...toStoredEvent(row), body, profile };
  engine.claims.setAside(row.seq);
  engine.reportUnreadable('the body or profile of a pending event', row.receipt);
  return undefined;
}

/** An event whose lane has another one handed out: the two heads of a lane are not under way together. */
function waitsForLane({ claims }: Engine, { destination, lane }: EventRow): boolean {
  return lane !== null && claims.isBusy(destination, lane);
}

/** What a claim has taken so far. */
interface Taken {
  readonly events: WireClaimed[];
  bytes: number;
}

/** Takes at most so many events of a kind. Answers when the next of them becomes due, if one is left that nobody holds. */
function takeKind(
  engine: Engine,
  request: ClaimRequest,
  { kind, most }: { readonly kind: Kind; readonly most: number },
  taken: Taken,
): number | undefined {
  const limit = Math.min(request.limit, taken.events.length + most);
  for (const head of headsInOrder(engine, request, kind)) {
    if (engine.claims.skips(head.seq)) continue;
    const row = rowOfSeq(engine, head.seq);
    if (row === undefined || waitsForLane(engine, row)) continue;
    if (head.due_at > request.now || taken.events.length >= limit) return head.due_at;
    if (taken.events.length > 0 && taken.bytes + row.body_bytes > request.maxBytes) return head.due_at;
    const event = open(engine, row);
    if (event === undefined) continue;
    engine.claims.take(row);
    taken.bytes += row.body_bytes;
    taken.events.push(event);
  }
  return undefined;
}

export function claim(engine: Engine, request: ClaimRequest): WireClaimAnswer {
  const taken: Taken = { events: [], bytes: 0 };
  const nextDueAt = takeKind(engine, request, { kind: 0, most: request.limit }, taken);
  const isFull = nextDueAt !== undefined && nextDueAt <= request.now;
  const nextReplayAt = takeKind(engine, request, { kind: 1, most: isFull ? 0 : request.replays }, taken);
  return {
    events: taken.events,
    ...(nextDueAt === undefined ? {} : { nextDueAt }),
    ...(nextReplayAt === undefined ? {} : { nextReplayAt }),
  };
}

export function release(engine: Engine, receipts: readonly string[]): void {
  for (const receipt of receipts) {
    const row = queueRowOfReceipt(engine, receipt);
    if (row !== undefined) endClaim(engine, row);
  }
}
