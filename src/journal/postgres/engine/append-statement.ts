import { addToQueueSql } from './queue-insertion.ts';
import type { NewEvent } from '../../journal.ts';
import type { Param, Statement } from '../sessions/session.ts';
import { ArrayParam } from './array-params.ts';
import { addCountsSql } from './count-changes.ts';
import { keyOrNull, laneKeyOf, laneKeySql } from './lane-keys.ts';
import { storedText, storedTextOrNull } from './stored-text.ts';

/** An event as it waits for its statement. */
export interface EventRow {
  readonly event: Omit<NewEvent, 'body'>;
  /** Which it gets unless it is a duplicate. */
  readonly receipt: string;
  readonly day: number;
  /** The body in its stored form. */
  readonly sealed: Uint8Array;
  readonly bodyBytes: number;
}

/** A row, and its place among all events of its statement or transaction. */
export interface PlacedRow {
  readonly row: EventRow;
  /** `seq` and `pos` are this more than the first position. */
  readonly offset: number;
}

/** Events of one statement: the block of positions that it takes. */
export const MAX_EVENTS = 1_024;

/*
 * The rows come sorted by (identity, source), and are inserted as they come: two replicas that
 * append equal events then wait for each other in one direction only. What is not returned is a
 * duplicate. The columns that are equal for all events of a day would be smaller as parameters of
 * their own, but a statement has events of several sources.
 */
export const APPEND: Statement = {
  name: 'append',
  text: `WITH base AS MATERIALIZED (SELECT coalesce($2::bigint, nextval('positions')) AS n),
    added AS (
      INSERT INTO events (day, seq, receipt, source, destination, identity, lane, own_lane, lane_key,
        customer_id, customer_key, event_id, event_key, org_id, event_name, created_at, received_at,
        verified_by, traceparent, body_bytes, due_at)
      SELECT day, n + place, receipt, source, destination, identity, coalesce(target, lane),
        CASE WHEN target IS NOT NULL THEN lane END,
        CASE WHEN target IS NULL THEN lane_key ELSE ${laneKeySql('target')} END,
        customer_id, customer_key, event_id, event_key, org_id, event_name, created_at, received_at,
        verified_by, traceparent, body_bytes, $3
      FROM base, (
        SELECT *, (SELECT target FROM aliases AS a WHERE a.destination = i.destination AND a.lane = i.lane)
        FROM unnest($4::integer[], $5::integer[], $6::uuid[], $7::text[], $8::text[], $9::bytea[],
            $10::text[], $11::integer[], $12::text[], $13::integer[], $14::text[], $15::integer[],
            $16::bigint[], $17::text[], $18::bigint[], $19::bigint[], $20::text[], $21::text[],
            $22::integer[])
          AS i (day, place, receipt, source, destination, identity, lane, lane_key, customer_id,
            customer_key, event_id, event_key, org_id, event_name, created_at, received_at, verified_by,
            traceparent, body_bytes)
        OFFSET 0
      ) AS input
      ON CONFLICT (identity, source, day) DO NOTHING
      RETURNING day, seq, receipt, source, destination, lane, lane_key, received_at, body_bytes
    ),
    payloads AS (
      INSERT INTO bodies (day, seq, body)
      SELECT day, seq, body FROM added, base,
        unnest($5::integer[], $23::bytea[]) AS payload (place, body) WHERE seq = n + place
    ),
    queued AS (
      ${addToQueueSql('added', { isReplay: 'false', position: 'seq', dueAt: '$3' })}
    ),
    counted AS (${addCountsSql('added', {
      accepted: 'count(*)',
      pending: 'count(*)',
      stored_events: 'count(*)',
      stored_bytes: 'sum(body_bytes) + count(*) * $24::integer',
    })})
    SELECT receipt FROM added`,
};

/** A number as a column of bigint holds it: NaN is none, and what is too large the largest. */
export function storedInteger(value: number): number | null {
  if (Number.isNaN(value)) return null;
  return Math.trunc(Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER));
}

/** Rough sizes of the elements. A larger one makes its array grow. */
const SHORT_TEXT_BYTES = 64;
const LONG_TEXT_BYTES = 224;

/**
 * The parameters of `APPEND` after the stream.
 * @param base the first position, if it was taken before
 * @param at epoch ms at which the events are due
 */
export function appendParams(placed: readonly PlacedRow[], at: number, base: number | null): Param[] {
  const ints = (): ArrayParam => new ArrayParam('int4', 8 * placed.length);
  const longs = (): ArrayParam => new ArrayParam('int8', 12 * placed.length);
  const texts = (bytes: number): ArrayParam => new ArrayParam('text', bytes * placed.length);
  const payloadBytes = placed.reduce((sum, { row }) => sum + row.sealed.byteLength + 4, 0);
  const columns = {
    day: ints(),
    place: ints(),
    receipt: new ArrayParam('uuid', 20 * placed.length),
    source: texts(SHORT_TEXT_BYTES),
    destination: texts(SHORT_TEXT_BYTES),
    identity: new ArrayParam('bytea', 36 * placed.length),
    lane: texts(LONG_TEXT_BYTES),
    laneKey: ints(),
    customerId: texts(SHORT_TEXT_BYTES),
    customerKey: ints(),
    eventId: texts(LONG_TEXT_BYTES),
    eventKey: ints(),
    orgId: longs(),
    eventName: texts(SHORT_TEXT_BYTES),
    createdAt: longs(),
    receivedAt: longs(),
    verifiedBy: texts(SHORT_TEXT_BYTES),
    traceparent: texts(LONG_TEXT_BYTES),
    bodyBytes: ints(),
    payload: new ArrayParam('bytea', payloadBytes),
  };
  let overhead = 0;
  for (const { row, offset } of placed) {
    const { event } = row;
    const lane = storedTextOrNull(event.lane);
    columns.day.addInt4(row.day);
    columns.place.addInt4(offset);
    columns.receipt.addUuid(row.receipt);
    columns.source.addText(storedText(event.source));
    columns.destination.addText(storedText(event.destination));
    columns.identity.addHex(event.identity);
    columns.lane.addText(lane);
    columns.laneKey.addInt4(laneKeyOf(lane, event.identity));
    columns.customerId.addText(storedTextOrNull(event.customerId));
    columns.customerKey.addInt4(keyOrNull(event.customerId));
    columns.eventId.addText(storedTextOrNull(event.eventId));
    columns.eventKey.addInt4(keyOrNull(event.eventId));
    columns.orgId.addInt8(storedInteger(event.orgId) ?? 0);
    columns.eventName.addText(storedText(event.eventName));
    columns.createdAt.addInt8(event.createdAt === undefined ? null : storedInteger(event.createdAt));
    columns.receivedAt.addInt8(storedInteger(event.receivedAt) ?? at);
    columns.verifiedBy.addText(storedText(event.verifiedBy));
    columns.traceparent.addText(storedTextOrNull(event.traceparent));
    columns.bodyBytes.addInt4(row.bodyBytes);
    columns.payload.addBytes(row.sealed);
    overhead = row.sealed.byteLength - row.bodyBytes;
  }
  return [base, at, ...Object.values(columns).map((column) => column.take()), overhead];
}
