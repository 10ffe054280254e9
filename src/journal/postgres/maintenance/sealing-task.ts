import type { MaintenanceReport } from '../../journal.ts';
import type { TaskRetry } from '../../task-retry.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import type { TaskLease } from '../fleet/leases.ts';
import { LEADER_TASK } from '../fleet/postgres-fleet.ts';
import type { Statement } from '../sessions/session.ts';
import { createResealing, FIRST_POSITION, SEALED_COLUMNS, type SealingPosition } from './resealing.ts';

/** Time between two small steps. */
const STEP_DELAY_MS = 20;
/**
 * Time until the next pass after one that has found something to rewrite: a replica that was
 * started with other keys may still be writing the old form behind it.
 */
const NEXT_PASS_DELAY_MS = 600_000;

/** What the task has recorded; the next leader goes on from there. */
interface Progress {
  /** The form into which a pass is bringing the payloads, and its position. */
  readonly sealing?: { readonly form: string; readonly at: SealingPosition };
  /** The form that everything has. */
  readonly sealed?: string;
  /** Number of columns of SEALED_COLUMNS that `sealed` is about. */
  readonly columns?: number;
}

/** Columns that a relay of the first format knows, which records no number of them. */
const FIRST_COLUMNS = 7;

function isSealed({ sealed, columns }: Progress, form: string): boolean {
  return sealed === form && (columns ?? FIRST_COLUMNS) >= SEALED_COLUMNS.length;
}

/** Where a pass begins that is to bring everything into a form. */
function startOf({ sealing, sealed, columns }: Progress, form: string): SealingPosition {
  if (sealing?.form === form) return sealing.at;
  return sealed === form ? { ...FIRST_POSITION, column: columns ?? FIRST_COLUMNS } : FIRST_POSITION;
}

const READ_PROGRESS: Statement = {
  name: 'maintenance_progress',
  text: 'SELECT progress FROM tasks WHERE name = $1',
};

/** Not from a process that has lost the task. Parameters: name, owner, epoch, progress. */
const SAVE_PROGRESS: Statement = {
  name: 'maintenance_save_progress',
  text: `UPDATE tasks SET progress = $4::text::jsonb WHERE name = $1 AND owner = $2::uuid AND epoch = $3::bigint`,
};

/** Rows of the tables that are looked at, as the server estimates them. */
const ESTIMATE: Statement = {
  name: 'maintenance_sealed_rows',
  text: String.raw`
SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint AS rows FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
  AND relname ~ '^(bodies(_default|_\d+)|sent|profiles|quarantine|replay_jobs)$'`,
};

export interface SealingTaskParts {
  readonly engine: PostgresEngine;
  readonly lease: Pick<TaskLease, 'epoch'>;
  readonly report: (report: MaintenanceReport) => void;
  readonly retry: TaskRetry;
  readonly wait: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Brings every payload into the form that is written now, and remembers that it has. */
export function createSealingTask({ engine, lease, report, retry, wait, signal }: SealingTaskParts) {
  const { sessions, cipher, replica } = engine;
  const resealing = createResealing(engine);

  const readProgress = async (): Promise<Progress> => {
    const [row] = await sessions.query<{ progress: Progress | null }>('work', READ_PROGRESS, [LEADER_TASK]);
    return row?.progress ?? {};
  };

  const save = async (progress: Progress): Promise<void> => {
    const at = lease.epoch();
    if (at === undefined) return;
    await sessions.query('work', SAVE_PROGRESS, [LEADER_TASK, replica, at, JSON.stringify(progress)]);
  };

  const estimate = async (): Promise<number> =>
    (await sessions.query<{ rows: number }>('work', ESTIMATE))[0]?.rows ?? 0;

  const isOver = (): boolean => signal.aborted || lease.epoch() === undefined;

  /** @returns the sums of the pass; undefined if another process goes on */
  const pass = async (start: SealingPosition, total: number): Promise<SealingPosition | undefined> => {
    let at = start;
    while (at.column < SEALED_COLUMNS.length) {
      const from = at;
      const next = await retry('re-encryption', async () => {
        const reached = await resealing.step(from);
        await save({ sealing: { form: cipher.formId, at: reached } });
        return reached;
      });
      if (next === undefined || isOver()) return undefined;
      at = next;
      report({ kind: 'sealing', share: Math.min(0.999, at.looked / Math.max(at.looked + 1, total)) });
      await wait(STEP_DELAY_MS);
    }
    return at;
  };

  /** While this process has the task. */
  return async (): Promise<void> => {
    while (!isOver()) {
      const progress = await retry('re-encryption', readProgress);
      if (progress === undefined) return;
      if (isSealed(progress, cipher.formId)) return report({ kind: 'sealing', share: 1 });
      const sums = await pass(
        startOf(progress, cipher.formId),
        (await retry('re-encryption', estimate)) ?? 0,
      );
      if (sums === undefined) return;
      const { resealed, unreadable } = sums;
      const isComplete = resealed === 0 && unreadable === 0;
      await retry('re-encryption', () =>
        save(isComplete ? { sealed: cipher.formId, columns: SEALED_COLUMNS.length } : {}),
      );
      report({ kind: 'sealing', share: 1 });
      report({ kind: 'sealed', resealed, unreadable });
      if (!isComplete) await wait(NEXT_PASS_DELAY_MS);
    }
  };
}
