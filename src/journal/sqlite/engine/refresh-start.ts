import { MAX_CHANGES_PER_STEP, REFRESHED, REFRESHER } from '../../operator-actions.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import { recordAction } from './operator-changes.ts';
import { endRefresh } from './refresh-table.ts';
import { requeue } from './requeue.ts';
import { type EventRow, rowOfSeq } from './rows.ts';
import type { Engine } from './sqlite-engine.ts';
import { hasBody } from './sweeps.ts';

/** Rows of an index that one call reads for each route, which takes a few ms. */
const MAX_READ_PER_CALL = 10_000;

type Route = RequestOf<'refresh'>['routes'][number];

function runningOf({ db }: Engine, { source, destination }: Route): number {
  const { n } = db.one(
    `SELECT count(*) AS n FROM refreshes INDEXED BY refreshes_route
     WHERE running = 1 AND source = ? AND destination = ?`,
    source,
    destination,
  ) as { n: number };
  return n;
}

function isAnyDue({ db }: Engine, now: number): boolean {
  return (
    db.one(
      'SELECT 1 FROM refreshes INDEXED BY refreshes_due WHERE running = 0 AND due_at <= ? LIMIT 1',
      now,
    ) !== undefined
  );
}

/**
 * Events of a route that are due: those among the newest that wait, or if none of these is, the
 * newest of those that have been due longest. So no call reads all of a long backlog.
 */
function dueOf({ db }: Engine, { source, destination }: Route, now: number): number[] {
  const newest = db.all(
    `SELECT seq FROM (SELECT seq, due_at FROM refreshes INDEXED BY refreshes_route
       WHERE running = 0 AND source = ? AND destination = ? ORDER BY seq DESC LIMIT ${MAX_READ_PER_CALL})
     WHERE due_at <= ? LIMIT ${MAX_CHANGES_PER_STEP}`,
    source,
    destination,
    now,
  ) as { seq: number }[];
  if (newest.length > 0) return newest.map(({ seq }) => seq);
  const longest = db.all(
    `SELECT seq FROM (SELECT seq, source, destination FROM refreshes INDEXED BY refreshes_due
       WHERE running = 0 AND due_at <= ? ORDER BY due_at LIMIT ${MAX_READ_PER_CALL})
     WHERE source = ? AND destination = ? ORDER BY seq DESC LIMIT ${MAX_CHANGES_PER_STEP}`,
    now,
    source,
    destination,
  ) as { seq: number }[];
  return longest.map(({ seq }) => seq);
}

/** Undefined if the event has lost its body: then it no longer waits. */
function refreshable(engine: Engine, seq: number): EventRow | undefined {
  const row = rowOfSeq(engine, seq);
  if (row?.state === 'delivered' && hasBody(engine, row)) return row;
  endRefresh(engine, seq);
  return undefined;
}

function start(engine: Engine, row: EventRow, now: number): void {
  const { seq, source, destination, id_suffix: idSuffix, replays } = row;
  const isHead = requeue(engine, row, { dueAt: now, destination, idSuffix, replays });
  if (isHead) engine.frontiers.add({ destination, source, replay: 1 }, { seq, dueAt: now });
  recordAction(engine, seq, { at: now, by: REFRESHER, action: REFRESHED });
  engine.db.run('UPDATE refreshes SET running = 1 WHERE seq = ?', seq);
}

/** Reads a bounded number of events: whatever is left is for the next call. */
export function refresh(engine: Engine, { routes, running }: RequestOf<'refresh'>): AnswerOf<'refresh'> {
  const now = engine.now();
  // While outcomes cannot be written nothing is delivered.
  if (engine.failure !== undefined || !engine.refreshes.isAny || !isAnyDue(engine, now))
    return { started: 0, dropped: 0 };
  const free = running - routes.reduce((sum, route) => sum + runningOf(engine, route), 0);
  const due = routes.flatMap((route) => dueOf(engine, route, now)).toSorted((a, b) => b - a);
  const chosen: EventRow[] = [];
  let dropped = 0;
  for (const seq of due.slice(0, MAX_CHANGES_PER_STEP)) {
    if (chosen.length >= free) break;
    const row = refreshable(engine, seq);
    if (row === undefined) dropped += 1;
    else chosen.push(row);
  }
  // Ascending, so that the oldest event of a lane becomes its head.
  for (const row of chosen.toReversed()) start(engine, row, now);
  return { started: chosen.length, dropped };
}
