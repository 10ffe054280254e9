import type { Enrichments, EventLog, Maintenance } from '../../journal.ts';
import { readLedger } from '../engine/count-changes.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import type { HeldClaims } from '../queue/held-claim.ts';
import { readBacklog } from './backlog.ts';
import { discard } from './discarding.ts';
import { countAll, listEvents } from './event-lists.ts';
import { findRecord } from './event-records.ts';
import { pause, pauses, programs, resume, savePrograms } from './operator-settings.ts';
import { promote } from './promotion.ts';
import { refresh } from './refresh-starts.ts';
import { continueJobs, replay, replays, startReplay } from './replay-jobs.ts';
import { reroute } from './rerouting.ts';
import { enrichments, refreshes } from './stored-enrichments.ts';

/** What operators look up and change, and what maintenance continues. */
export interface PostgresEventLog
  extends Omit<EventLog, 'sharedContacts'>,
    Pick<Maintenance, 'reroute'>,
    Enrichments {
  /**
   * Continues the replay jobs that nobody executes any more, until the signal. Called by the
   * leader.
   * @returns the ids of those that have finished
   */
  continueJobs(signal: AbortSignal): Promise<readonly number[]>;
  /** Resolves when no job of this process runs in the background any more. */
  jobsStopped(): Promise<void>;
}

export interface EventLogOptions {
  /** Aborted when the journal closes: calls of many steps stop after their current step. */
  readonly closing: AbortSignal;
  readonly claims: Pick<HeldClaims, 'lanesMoved' | 'claimedHead'>;
}

export function createEventLog(
  engine: PostgresEngine,
  { closing, claims }: EventLogOptions,
): PostgresEventLog {
  const jobs = new Set<Promise<void>>();
  return {
    ledger: () => readLedger(engine.sessions),
    backlog: () => readBacklog(engine),
    find: (receiptOrEventId) => findRecord(engine, receiptOrEventId),
    list: (filter, page) => listEvents(engine, filter, page, closing),
    count: (filter) => countAll(engine, filter, closing),
    replay: (request) => replay(engine, request, closing),
    async startReplay(request) {
      const started = await startReplay(engine, request, closing);
      jobs.add(started.stopped);
      void started.stopped.then(() => jobs.delete(started.stopped));
      return started;
    },
    async jobsStopped() {
      await Promise.all(jobs);
    },
    replays: () => replays(engine),
    continueJobs: (signal) => continueJobs(engine, signal),
    promote: (receipt, event, by) => promote(engine, receipt, event, by),
    discard: (filter, by) => discard(engine, filter, by, closing),
    reroute: (source, destination, by) => reroute(engine, claims, { source, destination, by }, closing),
    pauses: () => pauses(engine),
    pause: (destination, by) => pause(engine, destination, by),
    resume: (destination) => resume(engine, destination),
    programs: () => programs(engine),
    savePrograms: (changed) => savePrograms(engine, changed),
    enrichments: (receipts) => enrichments(engine, receipts),
    refresh: (request) => refresh(engine, request),
    refreshes: () => refreshes(engine),
  };
}
