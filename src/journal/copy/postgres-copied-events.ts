import { dayOf } from '../postgres/engine/days.ts';
import { keyOfText, laneKeyOf } from '../postgres/engine/lane-keys.ts';
import { STATE_CODES } from '../postgres/engine/stored-events.ts';
import { storedText } from '../postgres/engine/stored-text.ts';
import type { Connection } from '../postgres/sessions/connection.ts';
import type { CopiedEvent, CopiedRefresh, CopiedRow } from './copied-rows.ts';
import { insertRows } from './row-insert.ts';

/* The rows of copied events in PostgreSQL. */

/** The day of a malformed body is that of its receipt, as the engine has it. */
function dayOfEvent({ state, created_at, received_at }: CopiedEvent): number {
  return dayOf(state === 'malformed' ? received_at : (created_at ?? undefined));
}

function laneKey({ lane, identity, receipt }: CopiedEvent): number {
  if (lane !== null) return laneKeyOf(storedText(lane), '');
  return identity === null
    ? keyOfText(receipt)
    : laneKeyOf(null, Buffer.from(identity.buffer, identity.byteOffset, identity.byteLength).toString('hex'));
}

function eventRow(event: CopiedEvent): CopiedRow {
  return {
    day: dayOfEvent(event),
    seq: event.seq,
    receipt: event.receipt,
    source: event.source,
    destination: event.destination,
    identity: event.identity,
    lane: event.lane,
    own_lane: event.own_lane,
    lane_key: laneKey(event),
    customer_id: event.customer_id,
    customer_key: event.customer_id === null ? null : keyOfText(event.customer_id),
    event_id: event.event_id,
    event_key: event.event_id === null ? null : keyOfText(event.event_id),
    org_id: event.org_id,
    event_name: event.event_name,
    created_at: event.created_at,
    received_at: event.received_at,
    verified_by: event.verified_by,
    traceparent: event.traceparent,
    body_bytes: event.body_bytes,
    state: STATE_CODES[event.state],
    is_replay: event.isReplay,
    delivered: event.delivered,
    due_at: event.due_at,
    settled_at: event.settled_at,
    failures: event.failures,
    charged: event.charged,
    replays: event.replays,
    id_suffix: event.id_suffix,
    reason: event.reason,
    detail: event.detail,
    sent_in: event.sentIn,
    notes: event.notes,
  };
}

function queueRow(event: CopiedEvent, stream: number): CopiedRow {
  return {
    destination: event.destination,
    is_replay: event.isReplay,
    stream,
    pos: event.seq,
    seq: event.seq,
    day: dayOfEvent(event),
    receipt: event.receipt,
    source: event.source,
    lane: event.lane,
    lane_key: laneKey(event),
    is_pinned: event.isPinned,
    received_at: event.received_at,
    body_bytes: event.body_bytes,
    due_at: event.due_at,
  };
}

function deadLetterRow(event: CopiedEvent): CopiedRow {
  const { receipt, seq, state, source, destination } = event;
  const isMalformed = state === 'malformed';
  const since = isMalformed ? event.received_at : (event.settled_at ?? event.received_at);
  return { receipt, day: dayOfEvent(event), seq, is_malformed: isMalformed, source, destination, since };
}

/** What was fetched for an event without a body is not kept. */
function bodyRow(event: CopiedEvent, body: Uint8Array): CopiedRow {
  return { day: dayOfEvent(event), seq: event.seq, body, entities: event.entities };
}

function refreshRow(event: CopiedEvent, { running, ...refresh }: CopiedRefresh): CopiedRow {
  const { receipt, seq, source, destination, replays } = event;
  return {
    ...refresh,
    receipt,
    day: dayOfEvent(event),
    seq,
    source,
    destination,
    lane_key: laneKey({ ...event, lane: refresh.lane ?? event.lane }),
    is_running: running,
    replays,
  };
}

function doubtRows(event: CopiedEvent): CopiedRow[] {
  const { receipt, source, destination, settled_at, event_name, event_id, doubt } = event;
  return doubt === undefined
    ? []
    : [{ ...doubt, receipt, source, destination, settled_at, event_name, event_id }];
}

/** @param stream the stream that has the entries of the queue */
export async function insertEvents(
  connection: Connection,
  events: readonly CopiedEvent[],
  stream: number,
): Promise<void> {
  const children = (name: 'attempts' | 'sent' | 'actions'): CopiedRow[] =>
    events.flatMap(({ seq, [name]: rows }) =>
      rows.map((row, index) => ({ seq, ...(name === 'sent' ? { n: index } : {}), ...row })),
    );
  await insertRows(connection, 'events', events.map(eventRow));
  await insertRows(
    connection,
    'bodies',
    events.flatMap((event) => (event.body === null ? [] : [bodyRow(event, event.body)])),
  );
  await insertRows(
    connection,
    'refreshes',
    events.flatMap((event) => (event.refresh === undefined ? [] : [refreshRow(event, event.refresh)])),
  );
  await insertRows(connection, 'doubts', events.flatMap(doubtRows));
  await insertRows(
    connection,
    'watched',
    events
      .filter(({ isWatched }) => isWatched)
      .map(({ receipt, destination, settled_at }) => ({ receipt, destination, settled_at })),
  );
  const pending = events.filter(({ state }) => state === 'pending');
  await insertRows(
    connection,
    'queue',
    pending.map((event) => queueRow(event, stream)),
  );
  const dead = events.filter(({ state }) => state === 'dead' || state === 'malformed');
  await insertRows(connection, 'dead_letters', dead.map(deadLetterRow));
  await insertRows(connection, 'sent', children('sent'));
  // Their ids are given in the order of the rows.
  await insertRows(connection, 'attempts', children('attempts'));
  await insertRows(connection, 'actions', children('actions'));
  await insertRows(
    connection,
    'differing_copies',
    events.flatMap(({ seq, differing }) => (differing === undefined ? [] : [{ seq, ...differing }])),
  );
}
