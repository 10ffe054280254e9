import type { ReplayJob, ReplayRequest, StartedReplay } from '../../journal.ts';
import { isReadable } from '../../payload-cipher.ts';
import {
  type JobScope,
  MAX_FINISHED_JOBS,
  type ReplayJobColumns,
  scopeOf,
  scopeToStore,
  toReplayJob,
  withoutHiddenFields,
} from '../../replay-scope.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { storedText, textOf } from '../engine/stored-text.ts';
import type { Session, Statement } from '../sessions/session.ts';
import { assertOpen } from './event-lists.ts';
import { replayEvents } from './replay-step.ts';

/*
 * A replay is a row of `replay_jobs`. Each step locks it and advances it in the transaction of its
 * events, so that a job processes each event once, whoever executes it and whatever fails.
 */

/** A row of `replay_jobs`. */
interface JobRow extends ReplayJobColumns {
  readonly as_new: boolean;
  /** The complete scope, encrypted; deleted when the job has finished. */
  readonly filter: Buffer | null;
  /** The receipt after which the next step begins, and the last one. */
  readonly next: string | null;
  readonly until: string | null;
}

const COLUMNS = 'id, at, by, as_new, shown, filter, next, until, matched, replayed, finished_at';

/** A step takes far less than this. */
const ABANDONED_AFTER = "interval '10 seconds'";

const CREATE: Statement = {
  name: 'replay_create',
  text: `INSERT INTO replay_jobs (at, by, as_new, shown, filter, runner, until)
    SELECT $1, $2, $3, $4, $5, $6, (SELECT e.receipt::text FROM events AS e ORDER BY e.receipt DESC LIMIT 1)
    RETURNING id`,
};
const LOCK_JOB: Statement = {
  name: 'replay_job',
  text: `SELECT ${COLUMNS} FROM replay_jobs WHERE id = $1 FOR UPDATE`,
};
const ADVANCE: Statement = {
  name: 'replay_advance',
  text: `UPDATE replay_jobs SET matched = matched + $2, replayed = replayed + $3, next = $4,
    stepped = clock_timestamp() WHERE id = $1`,
};
const FINISH: Statement = {
  name: 'replay_finish',
  text: `WITH old AS (DELETE FROM replay_jobs WHERE id <= $1 - ${MAX_FINISHED_JOBS} AND finished_at IS NOT NULL)
    UPDATE replay_jobs SET finished_at = $2, filter = NULL, runner = NULL WHERE id = $1`,
};
const ABANDON: Statement = {
  name: 'replay_abandon',
  text: 'UPDATE replay_jobs SET runner = NULL WHERE id = $1 AND finished_at IS NULL',
};
const ALL: Statement = {
  name: 'replay_jobs',
  text: `SELECT ${COLUMNS.replace('filter', 'NULL AS filter')} FROM replay_jobs ORDER BY id DESC`,
};
/** Of no replica that is alive, or of one that no longer gets on with it. */
const ABANDONED: Statement = {
  name: 'replay_abandoned',
  text: `SELECT id FROM replay_jobs AS j
    WHERE finished_at IS NULL AND (stepped < clock_timestamp() - ${ABANDONED_AFTER}
      OR NOT EXISTS (SELECT FROM replicas AS r
        WHERE r.id = j.runner AND r.seen > clock_timestamp() - ${ABANDONED_AFTER}))
    ORDER BY id`,
};

interface Progress {
  /** Total of all steps. */
  readonly replayed: number;
  readonly next: 'more' | 'finished' | 'unreadable';
}

function finish(session: Session, { now }: PostgresEngine, id: number) {
  return session.query(FINISH, [id, now()]);
}

/**
 * Undefined if the filter cannot be read: without its key the job waits, and with a damaged filter
 * it ends.
 */
async function scopeOfJob(
  engine: PostgresEngine,
  session: Session,
  { id, filter }: JobRow,
): Promise<JobScope | undefined> {
  if (filter === null) return undefined;
  const plain = engine.cipher.decrypt(filter);
  if (isReadable(plain)) return scopeOf(plain);
  engine.reportUnreadable(`the filter of replay ${id}`, plain);
  if (plain === 'damaged') await finish(session, engine, id);
  return undefined;
}

async function runStep(engine: PostgresEngine, id: number): Promise<Progress> {
  const { destinations, progress } = await engine.sessions.transaction('work', async (session) => {
    const none = { destinations: [] as readonly string[] };
    const [job] = await session.query<JobRow>(LOCK_JOB, [id]);
    if (job === undefined || job.finished_at !== null)
      return { ...none, progress: { replayed: job?.replayed ?? 0, next: 'finished' } as const };
    const scope = await scopeOfJob(engine, session, job);
    if (scope === undefined)
      return { ...none, progress: { replayed: job.replayed, next: 'unreadable' } as const };
    // An empty store had no newest event.
    const range = { after: job.next ?? undefined, until: job.until ?? '' };
    const step =
      job.until === null
        ? { matched: 0, replayed: 0, ...none }
        : await replayEvents(session, scope, range, job);
    const next = 'next' in step ? step.next : undefined;
    await session.query(ADVANCE, [id, step.matched, step.replayed, next ?? job.next]);
    if (next === undefined) await finish(session, engine, id);
    return {
      destinations: step.destinations,
      progress: {
        replayed: job.replayed + step.replayed,
        next: next === undefined ? 'finished' : 'more',
      } as const,
    };
  });
  for (const destination of destinations) engine.notifyClaimable(destination);
  return progress;
}

async function createJob(
  { sessions, cipher, replica, now }: PostgresEngine,
  request: ReplayRequest,
  closing: AbortSignal,
): Promise<number> {
  assertOpen(closing);
  const [created] = await sessions.query<{ id: number }>('work', CREATE, [
    now(),
    storedText(request.by),
    request.asNew,
    storedText(JSON.stringify(withoutHiddenFields(request.filter))),
    Buffer.from(cipher.encrypt(scopeToStore(request))),
    replica,
  ]);
  return created?.id ?? 0;
}

/** Runs all steps of a job. If one fails, or the store closes, maintenance continues the job. */
async function runJob(
  engine: PostgresEngine,
  id: number,
  closing: AbortSignal,
): Promise<{ readonly replayed: number }> {
  try {
    let progress: Progress;
    do {
      assertOpen(closing);
      progress = await runStep(engine, id);
    } while (progress.next === 'more');
    return { replayed: progress.replayed };
  } catch (error) {
    await engine.sessions.query('work', ABANDON, [id]).catch(() => undefined);
    throw error;
  }
}

export async function replay(
  engine: PostgresEngine,
  request: ReplayRequest,
  closing: AbortSignal,
): Promise<{ readonly replayed: number }> {
  return runJob(engine, await createJob(engine, request, closing), closing);
}

export async function startReplay(
  engine: PostgresEngine,
  request: ReplayRequest,
  closing: AbortSignal,
): Promise<StartedReplay> {
  const id = await createJob(engine, request, closing);
  const stopped = runJob(engine, id, closing).then(
    () => undefined,
    () => undefined,
  );
  return { id, stopped };
}

/**
 * Continues the jobs that nobody executes any more, until the signal. Called by the leader.
 * @returns the ids of those that are finished now
 */
export async function continueJobs(engine: PostgresEngine, signal: AbortSignal): Promise<readonly number[]> {
  const finished: number[] = [];
  for (const { id } of await engine.sessions.query<{ id: number }>('work', ABANDONED)) {
    let progress: Progress | undefined;
    while (!signal.aborted && (progress === undefined || progress.next === 'more'))
      progress = await runStep(engine, id);
    if (progress?.next === 'finished') finished.push(id);
  }
  return finished;
}

/** All unfinished jobs and the most recently finished ones, newest first. */
export async function replays({ sessions }: PostgresEngine): Promise<readonly ReplayJob[]> {
  const rows = await sessions.query<JobRow>('work', ALL);
  return rows.map((row) => {
    const texts = { by: textOf(row.by), shown: textOf(row.shown) };
    return toReplayJob({ ...row, ...texts }, row.as_new);
  });
}
