import type { DatabaseSync } from 'node:sqlite';
import { REFUSED_LATER } from '../../event-reasons.ts';
import { DELIVERY_SPAN_MS } from '../../landings.ts';

/* What the rows of a store say about landings, compared with what is counted. */

/**
 * The delivered events: whether their time is confirmed, whether there is a doubt, and the span of
 * those that count in one.
 */
const DELIVERED = `(SELECT source, destination, is_confirmed, is_doubted,
    CASE WHEN NOT is_confirmed AND settled_at >= coalesce((SELECT at FROM marks WHERE name = 'spans-since'), 0)
      THEN settled_at / ${DELIVERY_SPAN_MS} * ${DELIVERY_SPAN_MS} END AS span
  FROM (SELECT source, destination, settled_at,
      coalesce((SELECT until_at FROM confirmed c WHERE c.destination = e.destination
        AND c.from_at <= e.settled_at ORDER BY c.from_at DESC LIMIT 1) > e.settled_at, 0) AS is_confirmed,
      EXISTS (SELECT 1 FROM doubts d WHERE d.seq = e.seq) AS is_doubted
    FROM events e NOT INDEXED WHERE state = 'delivered'))`;

const LANDED_ROWS = `SELECT source, sum(is_confirmed AND NOT is_doubted) AS landed FROM ${DELIVERED} GROUP BY 1`;

const REFUSED_ROWS = `SELECT source, count(*) AS refused FROM events NOT INDEXED
  WHERE state = 'dead' AND reason = '${REFUSED_LATER}' GROUP BY 1`;

const SPAN_ROWS = `SELECT span AS at, destination, source, count(*) AS events, sum(is_doubted) AS doubted
  FROM ${DELIVERED} WHERE span IS NOT NULL GROUP BY 1, 2, 3`;

const SPAN_SUMS = 'SELECT source, sum(events) AS waiting FROM spans GROUP BY 1';

/**
 * Retention deletes rows but not what is counted, so there can be fewer rows than are counted,
 * never more. The columns: `source`, `landed`, `refused`, and the number of rows of each.
 */
export const LANDING_DIFFERENCES = `SELECT source, coalesce(l.landed, 0) AS landed,
    coalesce(r.landed, 0) AS landed_rows, coalesce(l.refused_later, 0) AS refused,
    coalesce(d.refused, 0) AS refused_rows
  FROM landings l FULL JOIN (${LANDED_ROWS}) r USING (source) FULL JOIN (${REFUSED_ROWS}) d USING (source)
    FULL JOIN (${SPAN_SUMS}) s USING (source) LEFT JOIN counts c USING (source)
  WHERE coalesce(l.landed, 0) < coalesce(r.landed, 0)
    OR coalesce(l.landed, 0) + coalesce(s.waiting, 0) > coalesce(c.delivered, 0)
    OR coalesce(l.refused_later, 0) NOT BETWEEN coalesce(d.refused, 0) AND coalesce(c.dead, 0)`;

/** Spans that count fewer events than there are; the column `n`. */
export const SPAN_DIFFERENCES = `SELECT count(*) AS n FROM spans s FULL JOIN (${SPAN_ROWS}) r
    USING (at, destination, source)
  WHERE coalesce(s.events, 0) < coalesce(r.events, 0) OR coalesce(s.doubted, 0) < coalesce(r.doubted, 0)
    OR coalesce(s.doubted, 0) > coalesce(s.events, 0)
  HAVING n > 0`;

/** Doubts and watches of events that are not delivered; the column `n`. */
export const STRAY_DOUBTS = `SELECT count(*) AS n FROM
    (SELECT seq FROM doubts UNION ALL SELECT seq FROM watched) LEFT JOIN events e USING (seq)
  WHERE e.state IS NOT 'delivered' HAVING n > 0`;

/**
 * Makes what is counted consistent with the rows and the counts of a salvaged store. An event whose
 * record is gone, and that has not landed, stays unconfirmed.
 */
export function setLandings(db: DatabaseSync): void {
  for (const table of ['doubts', 'watched'])
    db.exec(`DELETE FROM ${table} WHERE seq NOT IN (SELECT seq FROM events WHERE state = 'delivered')`);
  db.exec(`UPDATE spans SET events = 0, doubted = 0;
    INSERT INTO spans (at, destination, source, events, doubted) ${SPAN_ROWS}
      ON CONFLICT (at, destination, source) DO UPDATE SET events = excluded.events, doubted = excluded.doubted;
    CREATE TEMP TABLE old_landings AS SELECT * FROM landings; DELETE FROM landings;
    INSERT INTO landings (source, landed, refused_later)
    SELECT source,
      min(max(coalesce(o.landed, 0), coalesce(r.landed, 0)), c.delivered - coalesce(s.waiting, 0)),
      min(max(coalesce(o.refused_later, 0), coalesce(d.refused, 0)), c.dead)
    FROM counts c LEFT JOIN old_landings o USING (source) LEFT JOIN (${LANDED_ROWS}) r USING (source)
      LEFT JOIN (${REFUSED_ROWS}) d USING (source) LEFT JOIN (${SPAN_SUMS}) s USING (source);
    DROP TABLE old_landings`);
}
