import type { EnrichmentParts, RefreshBacklog, StoredEnrichment } from '../../journal.ts';
import { isReadable } from '../../payload-cipher.ts';
import { isReceipt } from '../../receipts.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { isOverSql, isRunningSql } from '../engine/refresh-state.ts';
import { textOf } from '../engine/stored-text.ts';
import { IS_RESTART, REFETCHED_AT } from '../../operator-actions.ts';
import { STATE_CODES } from '../engine/stored-events.ts';
import type { Statement } from '../sessions/session.ts';

/** OFFSET 0: each row is looked up by its key, whatever the server knows of the tables. */
const READ: Statement = {
  name: 'enrichments',
  text: `SELECT e.receipt, b.entities, r.customer, r.bill, r.attempts, a.at AS stale_before
    FROM unnest($1::uuid[]) AS i (receipt)
    CROSS JOIN LATERAL (SELECT receipt, day, seq, state, is_replay, replays FROM events
      WHERE receipt = i.receipt OFFSET 0) AS e
    LEFT JOIN LATERAL (SELECT entities FROM bodies WHERE seq = e.seq AND day = e.day OFFSET 0) AS b ON true
    LEFT JOIN LATERAL (SELECT * FROM refreshes WHERE receipt = e.receipt OFFSET 0) AS r
      ON ${isRunningSql('r', 'e')}
    LEFT JOIN LATERAL (SELECT ${REFETCHED_AT} AS at FROM actions
      WHERE seq = e.seq AND e.state = '${STATE_CODES.pending}' AND e.is_replay AND ${IS_RESTART}
      ORDER BY id DESC LIMIT 1) AS a ON true
    WHERE b.entities IS NOT NULL OR r.receipt IS NOT NULL`,
};

interface Row {
  readonly receipt: string;
  readonly entities: Buffer | null;
  /** Null if the event is not pending because of a refresh, like the others. */
  readonly customer: boolean | null;
  readonly bill: boolean | null;
  readonly attempts: number | null;
  readonly stale_before: number | null;
}

function entitiesOf(
  engine: PostgresEngine,
  { receipt, entities, stale_before: staleBefore }: Row,
): Pick<StoredEnrichment, 'entities' | 'staleBefore'> {
  if (entities === null) return {};
  const plain = engine.cipher.decrypt(entities);
  if (isReadable(plain))
    return { entities: plain.toString('utf8'), ...(staleBefore === null ? {} : { staleBefore }) };
  engine.reportUnreadable('what was fetched for an event', plain, receipt);
  return {};
}

function refreshOf({ customer, bill, attempts }: Row): Pick<StoredEnrichment, 'refresh'> {
  if (customer === null) return {};
  const parts: EnrichmentParts = { customer, bill: bill === true };
  return { refresh: { ...parts, attempts: attempts ?? 0 } };
}

/** See Enrichments. */
export async function enrichments(
  engine: PostgresEngine,
  receipts: readonly string[],
): Promise<ReadonlyMap<string, StoredEnrichment>> {
  const possible = receipts.filter(isReceipt);
  if (possible.length === 0) return new Map();
  const rows = await engine.sessions.query<Row>('work', READ, [possible]);
  const found = rows.map((row) => [row.receipt, { ...entitiesOf(engine, row), ...refreshOf(row) }] as const);
  return new Map(found.filter(([, stored]) => Object.keys(stored).length > 0));
}

const BACKLOGS: Statement = {
  name: 'refresh_backlogs',
  text: `SELECT source, destination, count(*) FILTER (WHERE customer)::integer AS customers,
      count(*) FILTER (WHERE bill)::integer AS bills,
      count(*) FILTER (WHERE is_running)::integer AS running, min(since) AS "oldestAt"
    FROM refreshes AS r WHERE NOT ${isOverSql('r')} GROUP BY source, destination`,
};

/** See Enrichments. */
export async function refreshes({ sessions }: PostgresEngine): Promise<readonly RefreshBacklog[]> {
  const rows = await sessions.query<RefreshBacklog>('work', BACKLOGS);
  return rows
    .map((row) => ({ ...row, source: textOf(row.source), destination: textOf(row.destination) }))
    .toSorted((a, b) => compare(a.source, b.source) || compare(a.destination, b.destination));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
