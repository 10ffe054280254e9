import type { DatabaseServer } from '../../src/simulator/postgres/database-server.ts';

const PER_STATEMENT = 50_000;
const CUSTOMERS = 200_000;
const BODY_BYTES = 330;

/**
 * Writes pending events of the relay's source into its tables, as if they had been accepted: a
 * million through the webhook takes minutes.
 */
export async function insertPending(server: DatabaseServer, schema: string, count: number): Promise<void> {
  await server.query(`SET search_path = ${schema};
    INSERT INTO streams (replica, backend, backend_started)
      SELECT gen_random_uuid(), 0, clock_timestamp()`);
  for (let first = 0; first < count; first += PER_STATEMENT) {
    const rows = Math.min(PER_STATEMENT, count - first);
    await server.query(`SET search_path = ${schema};
      WITH stream AS (SELECT max(id) AS id FROM streams),
      new AS MATERIALIZED (
        SELECT nextval('positions') AS seq, gen_random_uuid() AS receipt,
          sha256(convert_to('event ' || n, 'UTF8')) AS identity,
          encode(sha256(convert_to('customer ' || n % ${CUSTOMERS}, 'UTF8')), 'hex') AS lane,
          (n % ${CUSTOMERS})::text AS customer,
          (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS at
        FROM generate_series(${first}, ${first + rows - 1}) AS n
      ),
      placed AS MATERIALIZED (
        SELECT *, (at / 86400000)::integer AS day, ('x' || left(lane, 8))::bit(32)::integer AS lane_key
        FROM new
      ),
      stored AS (
        INSERT INTO events (day, seq, receipt, source, destination, identity, lane, lane_key, customer_id,
          customer_key, org_id, event_name, created_at, received_at, verified_by, body_bytes, due_at)
        SELECT day, seq, receipt, 'acme', 'acme-aep', identity, lane, lane_key, customer,
          hashtext(customer), 100458, 'pointsIssued', at, at, 'header:x-relay-key', ${BODY_BYTES}, at
        FROM placed
      ),
      payloads AS (
        INSERT INTO bodies (day, seq, body)
        SELECT day, seq, '\\x00'::bytea || convert_to(rpad('{}', ${BODY_BYTES}), 'UTF8') FROM placed
      ),
      queued AS (
        INSERT INTO queue (destination, is_replay, stream, pos, seq, day, receipt, source, lane, lane_key,
          received_at, body_bytes, due_at)
        SELECT 'acme-aep', false, stream.id, seq, seq, day, receipt, 'acme', lane, lane_key, at,
          ${BODY_BYTES}, at FROM placed, stream
      )
      INSERT INTO counts (stream, source, destination, accepted, pending, stored_events, stored_bytes)
      SELECT stream.id, 'acme', 'acme-aep', ${rows}, ${rows}, ${rows}, ${rows * (BODY_BYTES + 1)} FROM stream
      ON CONFLICT (stream, source, destination) DO UPDATE SET accepted = counts.accepted + excluded.accepted,
        pending = counts.pending + excluded.pending,
        stored_events = counts.stored_events + excluded.stored_events,
        stored_bytes = counts.stored_bytes + excluded.stored_bytes`);
  }
  await server.query(`SET search_path = ${schema}; ANALYZE events; ANALYZE queue; ANALYZE bodies`);
  await server.query('CHECKPOINT');
}
