import type { OperatorPause, ProgramsChange, StoredPrograms } from '../../journal.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { storedText, textOf } from '../engine/stored-text.ts';
import type { Statement } from '../sessions/session.ts';

/* Small tables: pauses of destinations, and what events said of loyalty programs. */

const PAUSES: Statement = { name: 'pauses', text: 'SELECT destination, by, at FROM pauses' };
const PAUSE: Statement = {
  name: 'pause',
  text: `INSERT INTO pauses (destination, by, at) VALUES ($1, $2, $3)
    ON CONFLICT (destination) DO UPDATE SET by = excluded.by, at = excluded.at`,
};
const RESUME: Statement = { name: 'resume', text: 'DELETE FROM pauses WHERE destination = $1' };

export async function pauses({ sessions }: PostgresEngine): Promise<readonly OperatorPause[]> {
  const rows = await sessions.query<OperatorPause>('work', PAUSES);
  return rows
    .map(({ destination, by, at }) => ({ destination, by: textOf(by), at }))
    .toSorted((a, b) => (a.destination < b.destination ? -1 : 1));
}

export async function pause(
  { sessions, now }: PostgresEngine,
  destination: string,
  by: string,
): Promise<OperatorPause> {
  const at = now();
  await sessions.query('work', PAUSE, [storedText(destination), storedText(by), at]);
  return { destination, by, at };
}

export async function resume({ sessions }: PostgresEngine, destination: string): Promise<void> {
  await sessions.query('work', RESUME, [storedText(destination)]);
}

const PROGRAMS: Statement = {
  name: 'programs',
  text: 'SELECT org_id AS "orgId", json FROM programs ORDER BY org_id',
};
/**
 * In the order of the ids, so that two replicas do not wait for each other. Answers the ids of
 * those for which another one has stored something else.
 */
const SAVE_PROGRAMS: Statement = {
  name: 'save_programs',
  text: `WITH input AS (
      SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) AS i (org_id, json, replaces)
    ), saved AS (
      INSERT INTO programs AS p (org_id, json) SELECT org_id, json FROM input ORDER BY org_id
      ON CONFLICT (org_id) DO UPDATE SET json = excluded.json
        WHERE p.json = (SELECT replaces FROM input WHERE org_id = p.org_id)
      RETURNING org_id
    )
    SELECT org_id AS "orgId" FROM input WHERE org_id NOT IN (SELECT org_id FROM saved)`,
};

export async function programs({ sessions }: PostgresEngine): Promise<readonly StoredPrograms[]> {
  const rows = await sessions.query<StoredPrograms>('work', PROGRAMS);
  return rows.map(({ orgId, json }) => ({ orgId, json: textOf(json) }));
}

export async function savePrograms(
  engine: PostgresEngine,
  changes: readonly ProgramsChange[],
): Promise<readonly StoredPrograms[]> {
  if (changes.length === 0) return [];
  const others = await engine.sessions.query<{ orgId: number }>('work', SAVE_PROGRAMS, [
    changes.map(({ orgId }) => orgId),
    changes.map(({ json }) => storedText(json)),
    changes.map(({ replaces }) => (replaces === undefined ? null : storedText(replaces))),
  ]);
  if (others.length === 0) return [];
  const ids = new Set(others.map(({ orgId }) => orgId));
  return (await programs(engine)).filter(({ orgId }) => ids.has(orgId));
}
