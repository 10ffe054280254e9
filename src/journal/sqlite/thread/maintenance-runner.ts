import { setTimeout as sleep } from 'node:timers/promises';
import type { MaintenancePolicy, MaintenanceReport, ReplayRequest, StartedReplay } from '../../journal.ts';
import type { ReencryptionPosition } from '../engine/calls.ts';
import { createRoomMaker, LOOK_INTERVAL_MS, type StoreSizes } from '../../room-maker.ts';
import { createTaskRetry, MAX_ROOM_RETRY_DELAY_MS } from '../../task-retry.ts';
import type { Channel } from './channel.ts';

/*
 * The maintenance of a store that one process owns: its lease lasts as long as the process, so the
 * tasks are loops. Each is a series of small steps, so that intake is never delayed.
 */

/** Time between two rounds of retention. */
const RETENTION_INTERVAL_MS = 60_000;
/** Time between two small steps of retention and of re-encryption. */
const STEP_DELAY_MS = 20;

/** Runs replay jobs, retention and re-encryption, and makes room in a full store. */
export interface MaintenanceRunner {
  /** Begins retention and re-encryption, and watches the sizes. Idempotent. */
  readonly maintain: (policy: () => MaintenancePolicy) => void;
  /**
   * Starts a replay and runs its steps. If one rejects, so does this; the rest runs in the
   * background.
   */
  replay(request: ReplayRequest): Promise<{ readonly replayed: number }>;
  /** Records a replay and runs its first step; the others run in the background. */
  startReplay(request: ReplayRequest): Promise<StartedReplay>;
  /** Continues, in the background, the jobs that an earlier process did not finish. */
  resumeReplays(): void;
  /** Stops after the current steps; the next process continues. */
  stop(): Promise<void>;
}

export function createMaintenanceRunner(
  channel: Pick<Channel, 'call'>,
  report: (report: MaintenanceReport) => void,
  status: () => Promise<StoreSizes>,
): MaintenanceRunner {
  const stopping = new AbortController();
  const { signal } = stopping;
  const background = new Set<Promise<void>>();
  let isMaintaining = false;

  const wait = (ms: number): Promise<void> =>
    sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);

  const retry = createTaskRetry(report, wait, signal);

  const continueJob = async (id: number): Promise<void> => {
    for (let more = true; more; ) {
      const step = await retry('replay', () => channel.call('replayStep', id));
      if (step === undefined) return;
      ({ more } = step);
    }
    report({ kind: 'replayed', id });
  };

  const continueAllJobs = async (): Promise<void> => {
    const jobs = (await retry('replay', () => channel.call('replays', undefined))) ?? [];
    for (const { id, done } of jobs.toReversed()) if (!done) await continueJob(id);
  };

  const retainForever = async (policy: () => MaintenancePolicy): Promise<void> => {
    while (!signal.aborted) {
      const step = await retry('retention', () => channel.call('retain', policy().retention));
      if (step === undefined) return;
      if (step.removed > 0) report({ kind: 'retained', removed: step.removed });
      await wait(step.more ? STEP_DELAY_MS : RETENTION_INTERVAL_MS);
    }
  };

  const keepRoomForever = async (policy: () => MaintenancePolicy): Promise<void> => {
    const makeRoom = createRoomMaker({
      makeRoom: (minIds) => channel.call('makeRoom', { minIds }),
      status,
      policy,
      report,
      wait,
      signal,
    });
    while (!signal.aborted) {
      await retry('making room', makeRoom, MAX_ROOM_RETRY_DELAY_MS);
      await wait(LOOK_INTERVAL_MS);
    }
  };

  /**
   * Brings every payload into the current stored form. Position and counts are held in memory:
   * after a restart it begins again and skips what is up to date.
   */
  const sealAll = async (): Promise<void> => {
    let from: ReencryptionPosition | undefined;
    let resealed = 0;
    while (!signal.aborted) {
      const step = await retry('re-encryption', () => channel.call('reencrypt', { from }));
      if (step === undefined) return;
      resealed += step.reencrypted;
      report({ kind: 'sealing', share: step.share });
      if (step.next === undefined) {
        if (from !== undefined) report({ kind: 'sealed', resealed, unreadable: step.unreadable });
        return;
      }
      from = step.next;
      await wait(STEP_DELAY_MS);
    }
  };

  const runInBackground = (work: Promise<void>): Promise<void> => {
    const tracked: Promise<void> = work.finally(() => background.delete(tracked));
    background.add(tracked);
    return tracked;
  };

  return {
    maintain: (policy) => {
      if (isMaintaining) return;
      isMaintaining = true;
      void runInBackground(retainForever(policy));
      void runInBackground(keepRoomForever(policy));
      void runInBackground(sealAll());
    },
    async replay(request) {
      let progress = await channel.call('replay', request);
      const { id } = progress;
      try {
        while (progress.more) progress = await channel.call('replayStep', id);
      } catch (error) {
        void runInBackground(continueJob(id));
        throw error;
      }
      return { replayed: progress.replayed };
    },
    async startReplay(request) {
      const { id, more } = await channel.call('replay', request);
      return { id, stopped: more ? runInBackground(continueJob(id)) : Promise.resolve() };
    },
    resumeReplays: () => void runInBackground(continueAllJobs()),
    async stop() {
      stopping.abort();
      await Promise.all(background);
    },
  };
}
