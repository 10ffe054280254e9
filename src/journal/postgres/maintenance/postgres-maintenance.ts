import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BackupResult,
  type Maintenance,
  type MaintenancePolicy,
  type MaintenanceReport,
  RefusedError,
} from '../../journal.ts';
import { createListeners } from '../../listeners.ts';
import { createRoomMaker, LOOK_INTERVAL_MS, type StoreSizes } from '../../room-maker.ts';
import { createTaskRetry, MAX_ROOM_RETRY_DELAY_MS, type TaskRetry } from '../../task-retry.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import type { TaskLease } from '../fleet/leases.ts';
import { createDatabaseStatus, type StatusParts } from './database-status.ts';
import { createEarlyRemoval } from './early-removal.ts';
import { createRetentionRounds } from './retention-round.ts';
import { createSealingTask } from './sealing-task.ts';
import { cleanStreams } from './stream-cleaning.ts';

/*
 * The maintenance of a store that several processes share. The one that has the task carries it
 * out; the tasks are loops that begin when it gets the task and end when it loses it. Everything is
 * done in small steps that can be done twice, so whoever gets the task next simply begins.
 */

/** Time between two rounds of retention. */
const RETENTION_INTERVAL_MS = 60_000;
/** Time between two small steps. */
const STEP_DELAY_MS = 20;
/** Time between two looks at jobs whose process has died. */
const JOBS_INTERVAL_MS = 5_000;
/** Longest wait for the current steps at the end: what is not committed is done by the next one. */
const STOP_LIMIT_MS = 5_000;

const NO_BACKUP =
  'a store in PostgreSQL is backed up with the means of the database: pg_dump, or base backups with ' +
  'WAL archiving (pg_basebackup, or snapshots of the provider)';

export interface MaintenanceParts extends StatusParts {
  /** Of the task whose owner is the leader. */
  readonly lease: TaskLease;
  /**
   * Continues the replay jobs whose process has died, until the signal.
   * @returns the jobs that have finished
   */
  readonly continueJobs: (signal: AbortSignal) => Promise<readonly number[]>;
}

export interface PostgresMaintenance
  extends Pick<Maintenance, 'maintain' | 'onMaintenance' | 'backup' | 'status' | 'silentFor' | 'failed'> {
  /** Stops after the current steps; another process continues. Idempotent. */
  stop(): Promise<void>;
}

/** A term of office: from getting the task until losing it or the end of the process. */
interface Term {
  readonly end: AbortController;
  readonly tools: Tools;
}

/** What the loops of a term use. */
interface Tools {
  readonly retry: TaskRetry;
  /** Returns earlier when the term ends. */
  readonly wait: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Maintains the store while this process is the leader, and reports about it. */
export function createMaintenance(engine: PostgresEngine, parts: MaintenanceParts): PostgresMaintenance {
  const { lease, continueJobs } = parts;
  const reports = createListeners<MaintenanceReport>(parts.log);
  const status = createDatabaseStatus(engine, parts);
  const background = new Set<Promise<void>>();
  let policy: (() => MaintenancePolicy) | undefined;
  let term: Term | undefined;
  let isStopped = false;

  const runInBackground = (work: Promise<void>): void => {
    const tracked: Promise<void> = work.finally(() => background.delete(tracked));
    background.add(tracked);
  };

  const jobsForever = async (tools: Tools): Promise<void> => {
    const { retry, wait, signal } = tools;
    while (!signal.aborted) {
      const finished = await retry('replay', () => continueJobs(signal));
      for (const id of finished ?? []) reports.call({ kind: 'replayed', id });
      await wait(JOBS_INTERVAL_MS);
    }
  };

  const retainForever = async (read: () => MaintenancePolicy, tools: Tools): Promise<void> => {
    const { retry, wait, signal } = tools;
    const rounds = createRetentionRounds(engine);
    const onStep = async (removed: number): Promise<void> => {
      if (removed === 0) return;
      reports.call({ kind: 'retained', removed });
      await wait(STEP_DELAY_MS);
    };
    while (!signal.aborted) {
      await retry('retention', () => rounds.run(read().retention, onStep, signal));
      await retry('cleaning up', () => cleanStreams(engine.sessions));
      await wait(RETENTION_INTERVAL_MS);
    }
  };

  // Nobody here knows how much is free on the volume of the database, only that nothing is.
  const sizes = async (): Promise<StoreSizes> => {
    const freeBytes = parts.availability().isDiskFull ? 0 : Number.MAX_SAFE_INTEGER;
    return { usedBytes: await status.usedBytes(), freeBytes };
  };

  const keepRoomForever = async (read: () => MaintenancePolicy, tools: Tools): Promise<void> => {
    const { retry, wait, signal } = tools;
    const makeRoom = createRoomMaker({
      makeRoom: createEarlyRemoval(engine),
      status: sizes,
      policy: () => ({ ...read(), minFree: 1 }),
      report: reports.call,
      wait,
      signal,
    });
    while (!signal.aborted) {
      await retry('making room', makeRoom, MAX_ROOM_RETRY_DELAY_MS);
      await wait(LOOK_INTERVAL_MS);
    }
  };

  const keepWithin = (read: () => MaintenancePolicy, tools: Tools): void => {
    runInBackground(retainForever(read, tools));
    runInBackground(keepRoomForever(read, tools));
    runInBackground(createSealingTask({ engine, lease, report: reports.call, ...tools })());
  };

  const startTerm = (): Term => {
    const end = new AbortController();
    const { signal } = end;
    const wait = (ms: number): Promise<void> =>
      sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
    const tools: Tools = { retry: createTaskRetry(reports.call, wait, signal), wait, signal };
    runInBackground(jobsForever(tools));
    if (policy !== undefined) keepWithin(policy, tools);
    return { end, tools };
  };

  /** Begins or ends the work according to the lease. */
  const follow = (): void => {
    const isLeader = !isStopped && lease.epoch() !== undefined;
    if (isLeader === (term !== undefined)) return;
    term?.end.abort();
    term = isLeader ? startTerm() : undefined;
  };

  const unsubscribe = lease.onChange(follow);
  // A lease that is in doubt is no change of its owner.
  const watch = setInterval(follow, STEP_DELAY_MS * 10).unref();
  follow();

  return {
    onMaintenance: reports.add,
    maintain: (read) => {
      if (policy !== undefined) return;
      policy = read;
      status.setPolicy(read);
      if (term !== undefined) keepWithin(read, term.tools);
    },
    backup: (): Promise<BackupResult> => Promise.reject(new RefusedError(NO_BACKUP)),
    status: () => status.read(),
    silentFor: () => status.silentFor(),
    // Connections are opened again for as long as it takes.
    failed: new Promise<Error>(() => undefined),
    async stop() {
      isStopped = true;
      unsubscribe();
      clearInterval(watch);
      status.stop();
      term?.end.abort();
      term = undefined;
      const limit = new AbortController();
      const tooLong = sleep(STOP_LIMIT_MS, undefined, { signal: limit.signal }).catch(() => undefined);
      await Promise.race([Promise.all(background), tooLong]);
      limit.abort();
    },
  };
}
