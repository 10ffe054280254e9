import type { Landing, LandingCounts } from '../../journal.ts';
import { isReceipt } from '../../receipts.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { STATE_CODES } from '../engine/stored-events.ts';
import { storedText, textOf } from '../engine/stored-text.ts';
import type { Statement } from '../sessions/session.ts';

/* What is known of landings, and the notes of reconciliation. */

const LANDINGS: Statement = {
  name: 'landings',
  text: `SELECT source, sum(landed)::bigint AS landed, sum(refused_later)::bigint AS "refusedLater"
    FROM landings GROUP BY source HAVING sum(landed) <> 0 OR sum(refused_later) <> 0`,
};

/** See Landings. */
export async function landings({
  sessions,
}: Pick<PostgresEngine, 'sessions'>): Promise<Readonly<Record<string, LandingCounts>>> {
  const rows = await sessions.query<LandingCounts & { readonly source: string }>('work', LANDINGS);
  const bySource = rows.map(({ source, ...counts }) => [textOf(source), counts] as const);
  return Object.fromEntries(bySource.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const LANDING: Statement = {
  name: 'landing',
  text: `SELECT d.code, d.detail, (SELECT CASE WHEN c.from_at <= e.settled_at THEN c.since END
        FROM confirmed AS c WHERE c.destination = e.destination AND c.until_at > e.settled_at
        ORDER BY c.until_at LIMIT 1) AS since
    FROM events AS e LEFT JOIN doubts AS d ON d.receipt = e.receipt
    WHERE e.receipt = $1 AND e.state = '${STATE_CODES.delivered}'`,
};

interface LandingRow {
  readonly code: string | null;
  readonly detail: string | null;
  readonly since: number | null;
}

/** See Landings. */
export async function landing(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  receipt: string,
): Promise<Landing | undefined> {
  const [row] = isReceipt(receipt) ? await sessions.query<LandingRow>('work', LANDING, [receipt]) : [];
  if (row === undefined) return undefined;
  if (row.code !== null)
    return { state: 'unconfirmed', code: textOf(row.code), detail: textOf(row.detail ?? '') };
  return row.since === null ? { state: 'unconfirmed' } : { state: 'landed', since: row.since };
}

const NOTES: Statement = {
  name: 'reconciliation_notes',
  text: 'SELECT key, json FROM reconciliation_notes WHERE scope = $1 ORDER BY key',
};
/** In the order of the keys, so that two calls do not wait for each other. */
const SAVE_NOTES: Statement = {
  name: 'save_reconciliation_notes',
  text: `WITH input AS MATERIALIZED (SELECT * FROM unnest($2::text[], $3::text[]) AS i (key, json)),
    removed AS (
      DELETE FROM reconciliation_notes AS n USING input AS i
      WHERE n.scope = $1 AND n.key = i.key AND i.json IS NULL
    )
    INSERT INTO reconciliation_notes (scope, key, json)
    SELECT $1, key, json FROM input WHERE json IS NOT NULL ORDER BY key
    ON CONFLICT (scope, key) DO UPDATE SET json = excluded.json`,
};

/** See Landings. */
export async function reconciliationNotes(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  scope: string,
): Promise<ReadonlyMap<string, string>> {
  const rows = await sessions.query<{ key: string; json: string }>('work', NOTES, [storedText(scope)]);
  return new Map(rows.map(({ key, json }) => [textOf(key), textOf(json)]));
}

/** See Landings. */
export async function saveReconciliationNotes(
  { sessions }: Pick<PostgresEngine, 'sessions'>,
  scope: string,
  notes: Readonly<Record<string, string | null>>,
): Promise<void> {
  const entries = Object.entries(notes);
  if (entries.length === 0) return;
  await sessions.query('work', SAVE_NOTES, [
    storedText(scope),
    entries.map(([key]) => storedText(key)),
    entries.map(([, json]) => (json === null ? null : storedText(json))),
  ]);
}
