import pg from 'pg';
import type { Findings } from '../findings.ts';

interface Rule {
  /** What holds after the last replica has ended. */
  readonly name: string;
  /** Gives a row for each violation. */
  readonly sql: string;
}

/** Compares two selections of one row. */
function equal(name: string, left: string, right: string): Rule {
  return { name, sql: `SELECT l.*, r.* FROM (${left}) l, (${right}) r WHERE (l.*) IS DISTINCT FROM (r.*)` };
}

const RULES: readonly Rule[] = [
  equal(
    'the counts are those of the events',
    `SELECT sum(accepted)::bigint AS counted_accepted, sum(pending)::bigint AS counted_pending,
       sum(delivered)::bigint AS counted_delivered, sum(ignored)::bigint AS counted_ignored,
       sum(dead)::bigint AS counted_dead, sum(stored_events)::bigint AS counted_stored FROM counts`,
    `SELECT count(*) AS accepted, count(*) FILTER (WHERE state = 'p') AS pending,
       count(*) FILTER (WHERE state = 'd') AS delivered, count(*) FILTER (WHERE state = 'i') AS ignored,
       count(*) FILTER (WHERE state = 'x') AS dead, count(*) AS stored FROM events`,
  ),
  equal(
    'the bytes are those of the bodies',
    'SELECT sum(stored_bytes)::bigint AS counted FROM counts',
    'SELECT coalesce(sum(length(body)), 0)::bigint AS stored FROM bodies',
  ),
  {
    name: 'what is pending is queued, and nothing else',
    sql: `SELECT q.receipt AS queued, e.receipt, e.state FROM queue q
      FULL JOIN (SELECT * FROM events WHERE state = 'p') e USING (receipt, seq, day)
      WHERE q.receipt IS NULL OR e.receipt IS NULL`,
  },
  {
    name: 'an event is queued once',
    sql: 'SELECT receipt, count(*) FROM queue GROUP BY receipt HAVING count(*) > 1',
  },
  {
    name: 'dead letters are dead',
    sql: `SELECT d.receipt FROM dead_letters d LEFT JOIN events e USING (receipt, day)
      WHERE e.state IS DISTINCT FROM (CASE WHEN d.is_malformed THEN 'm' ELSE 'x' END)::"char"`,
  },
  {
    name: 'an identity is stored once',
    sql: `SELECT identity, source, count(*) FROM events WHERE identity IS NOT NULL
      GROUP BY identity, source HAVING count(*) > 1`,
  },
  { name: 'whoever ended gave its slots back', sql: 'SELECT * FROM slots WHERE owner IS NOT NULL' },
  {
    // The row of one that was killed is kept for a minute.
    name: 'whoever ended is no replica any more',
    sql: `SELECT id, seen FROM replicas WHERE clock_timestamp() - seen < interval '5 seconds'`,
  },
];

/** Looks for contradictions in the tables of a store that no replica has opened. */
export async function auditDatabase(url: string, schema: string, findings: Findings): Promise<void> {
  const client = new pg.Client({ connectionString: url, options: `-c search_path=${schema}` });
  await client.connect();
  try {
    for (const { name, sql } of RULES) {
      const { rows } = await client.query<Record<string, unknown>>(`${sql} LIMIT 5`);
      if (rows.length > 0) findings.add(`store: not true: ${name}: ${JSON.stringify(rows)}`);
    }
  } finally {
    await client.end();
  }
}
