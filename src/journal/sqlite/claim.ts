import type { ClaimRequest } from '../journal.ts';
import type { Engine } from './engine.ts';
import { readBody } from './bodies.ts';
import { readProfile } from './profiles.ts';
import type { WireClaimAnswer, WireClaimed } from './protocol.ts';
import { type EventRow, rowOfReceipt, rowOfSeq, toStoredEvent } from './rows.ts';

interface Head {
  readonly seq: number;
  readonly due_at: number;
}

/** Heads of one source in the order in which they are due, read as they are asked for. `slot` keeps open cursors on statements of their own. */
const headsOfSource = ({ db }: Engine, slot: number, destination: string, source: string): Iterator<Head> =>
  db
    .sql(
      `SELECT seq, due_at FROM events INDEXED BY events_head
       WHERE destination = ? AND source = ? AND head = 1 ORDER BY due_at, seq -- cursor ${slot}`,
    )
    .iterate(destination, source) as Iterator<unknown> as Iterator<Head>;

const firstOf = (heads: readonly (Head | undefined)[]): number => {
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
};

/** Heads of all the sources, merged. One index per source, so that what waits for a source that is gone is never walked over. */
function* headsInOrder(engine: Engine, request: ClaimRequest): Generator<Head> {
  const cursors = [...new Set(request.sources)].map((source, slot) =>
    headsOfSource(engine, slot, request.destination, source),
  );
  const next = (slot: number): Head | undefined => {
    const step = cursors[slot]?.next();
    return step === undefined || step.done === true ? undefined : step.value;
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
const open = (engine: Engine, row: EventRow): WireClaimed | undefined => {
  const body = readBody(engine, row.seq);
  const profile = row.lane === null ? undefined : readProfile(engine, row.destination, row.lane);
  if (body !== undefined && profile !== null) return { ...toStoredEvent(row), body, profile };
  engine.claims.setAside(row.seq);
  engine.reportUnreadable('the body or profile of a pending event', row.receipt);
  return undefined;
};

export const claim = (engine: Engine, request: ClaimRequest): WireClaimAnswer => {
  const events: WireClaimed[] = [];
  let bytes = 0;
  for (const head of headsInOrder(engine, request)) {
    if (engine.claims.skips(head.seq)) continue;
    if (head.due_at > request.now || events.length >= request.limit)
      return { events, nextDueAt: head.due_at };
    const row = rowOfSeq(engine, head.seq);
    if (row === undefined) continue;
    if (events.length > 0 && bytes + row.body_bytes > request.maxBytes)
      return { events, nextDueAt: head.due_at };
    const event = open(engine, row);
    if (event === undefined) continue;
    engine.claims.take(row.seq);
    bytes += row.body_bytes;
    events.push(event);
  }
  return { events };
};

export const release = (engine: Engine, receipts: readonly string[]): void => {
  for (const receipt of receipts) {
    const row = rowOfReceipt(engine, receipt);
    if (row !== undefined) engine.claims.drop(row.seq);
  }
};
