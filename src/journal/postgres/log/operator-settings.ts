import type { OperatorPause, StoredPrograms } from '../../journal.ts';
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
/** In the order of the ids, so that two replicas do not wait for each other. */
const SAVE_PROGRAMS: Statement = {
  name: 'save_programs',
  text: `INSERT INTO programs (org_id, json)
    SELECT * FROM unnest($1::bigint[], $2::text[]) AS i (org_id, json) ORDER BY org_id
    ON CONFLICT (org_id) DO UPDATE SET json = excluded.json`,
};

export async function programs({ sessions }: PostgresEngine): Promise<readonly StoredPrograms[]> {
  const rows = await sessions.query<StoredPrograms>('work', PROGRAMS);
  return rows.map(({ orgId, json }) => ({ orgId, json: textOf(json) }));
}

export async function savePrograms(
  { sessions }: PostgresEngine,
  changed: readonly StoredPrograms[],
): Promise<void> {
  const last = [...new Map(changed.map(({ orgId, json }) => [orgId, json]))];
  if (last.length === 0) return;
  await sessions.query('work', SAVE_PROGRAMS, [
    last.map(([orgId]) => orgId),
    last.map(([, json]) => storedText(json)),
  ]);
}
