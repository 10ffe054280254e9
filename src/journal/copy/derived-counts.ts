import { storedBytesSql } from '../postgres/engine/body-presence.ts';
import { storedText } from '../postgres/engine/stored-text.ts';
import type { Connection } from '../postgres/sessions/connection.ts';
import type { StoreAccount } from './copied-rows.ts';
import { once } from './postgres-account.ts';

/** The block of positions of one statement of the engine. */
const POSITIONS = 1_024;
/** The same for rows of requests. */
const REQUESTS = 256;

/*
 * SQLite does not know at which destination the events of a source were settled: those counts go to
 * the destination of its newest event. Each destination that ever had an event has a row.
 */
const COUNTS = once(`INSERT INTO counts (stream, source, destination, accepted, pending, replaying,
    delivered, ignored, dead, malformed, quarantined, quarantined_bytes, stored_events, stored_bytes)
  WITH ledger AS (
    SELECT *, coalesce(
        (SELECT e.destination FROM events e WHERE e.source = l.source AND e.state <> 'm'
         ORDER BY e.seq DESC LIMIT 1),
        (SELECT min(destination) FROM unnest($9::text[]) AS b (destination)), '') AS main
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
      $7::bigint[], $8::bigint[])
      AS l (source, accepted, delivered, ignored, dead, malformed, quarantined, quarantined_bytes)
  ),
  parts AS (
    SELECT source, main AS destination, accepted, 0 AS pending, 0 AS replaying, delivered, ignored, dead,
      0 AS malformed, 0 AS quarantined, 0 AS quarantined_bytes, 0 AS events, 0 AS bytes FROM ledger
    UNION ALL
    SELECT source, '', 0, 0, 0, 0, 0, 0, malformed, quarantined, quarantined_bytes, 0, 0 FROM ledger
    WHERE malformed <> 0 OR quarantined <> 0 OR quarantined_bytes <> 0
    UNION ALL
    SELECT source, destination, 0, count(*), count(*) FILTER (WHERE is_replay), 0, 0, 0, 0, 0, 0, 0, 0
    FROM queue GROUP BY 1, 2
    UNION ALL
    SELECT e.source, CASE e.state WHEN 'm' THEN '' ELSE e.destination END, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      count(*), coalesce(sum(${storedBytesSql('b')}), 0)
    FROM events e LEFT JOIN bodies b ON b.seq = e.seq AND b.day = e.day GROUP BY 1, 2
    UNION ALL
    SELECT source, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, sum(octet_length(headers) + octet_length(body))
    FROM quarantine GROUP BY 1
    UNION ALL
    SELECT (SELECT min(source) FROM ledger), destination, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM unnest($9::text[]) AS b (destination)
  )
  SELECT $10::integer, source, destination, sum(accepted), sum(pending), sum(replaying), sum(delivered),
    sum(ignored), sum(dead), sum(malformed), sum(quarantined), sum(quarantined_bytes), sum(events), sum(bytes)
  FROM parts GROUP BY source, destination`);

function countParams({ ledger, backlog }: StoreAccount, stream: number) {
  const entries = Object.entries(ledger);
  const column = (name: keyof StoreAccount['ledger'][string]): number[] =>
    entries.map(([, counts]) => counts[name]);
  return [
    entries.map(([source]) => storedText(source)),
    column('accepted'),
    column('delivered'),
    column('ignored'),
    column('dead'),
    column('malformed'),
    column('quarantined'),
    column('quarantined_bytes'),
    Object.keys(backlog).map(storedText),
    stream,
  ];
}

/** What is given next must be greater than what was copied. */
const SEQUENCES = [
  `SELECT setval('positions', (coalesce((SELECT max(seq) FROM events), 0) / ${POSITIONS} + 1) * ${POSITIONS})`,
  `SELECT setval('request_rows', (coalesce((SELECT max(id) FROM requests), 0) / ${REQUESTS} + 1) * ${REQUESTS})`,
  `SELECT setval(pg_get_serial_sequence('replay_jobs', 'id'), max(id)) FROM replay_jobs HAVING max(id) > 0`,
];

/** Writes what follows from all rows: the counts, and the sequences. */
export async function writeDerived(
  connection: Connection,
  account: StoreAccount,
  stream: number,
): Promise<void> {
  await connection.query(COUNTS, countParams(account, stream));
  for (const text of SEQUENCES) await connection.query(once(text));
}
