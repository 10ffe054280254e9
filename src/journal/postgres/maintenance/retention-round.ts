import type { RetentionPolicy } from '../../journal.ts';
import { dayAt } from '../engine/days.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import type { Param, Statement } from '../sessions/session.ts';
import { createPartitions, listPartitions, type Partition } from './day-partitions.ts';
import { type DayOfStore, type OnStep, type Visit, visitPartition } from './partition-visit.ts';
import { removeOldSpans } from './old-spans.ts';
import { REMOVE_DEAD, REMOVE_EXPIRED, REMOVE_REFRESHES, REMOVE_REQUESTS } from './removal-statements.ts';

/** Rows that a step without a partition removes. */
const MAX_REMOVED_PER_STEP = 300;
/** Requests to the inlet: small rows, of which no one else reads what is removed. */
const MAX_REQUESTS_PER_STEP = 2_000;
/** Days around today that have partitions: from yesterday on. */
const DAYS_AHEAD = 2;

/** Time in which a refresh without a body is dropped by whoever looks for due ones. */
const DROP_LIMIT_MS = 24 * 3_600_000;

/** The day of `events_default`. */
const DEFAULT = -1;

function groupByDay(partitions: readonly Partition[]): readonly DayOfStore[] {
  const defaultBlocks = partitions.find(({ table, day }) => table === 'events' && day === undefined)?.blocks;
  const days = new Set(partitions.map(({ day }) => day));
  return [...days].map((day) => {
    const of = partitions.filter((each) => each.day === day);
    const events = of.find(({ table }) => table === 'events');
    return {
      day,
      events,
      bodies: of.find(({ table }) => table === 'bodies'),
      blocks: events?.blocks ?? defaultBlocks ?? 0,
    };
  });
}

/** Repeats a statement until it has removed less than it may. */
async function repeat(
  remove: () => Promise<readonly { removed: number }[]>,
  limit: number,
  onStep: OnStep,
  signal: AbortSignal,
): Promise<void> {
  let removed = limit;
  while (removed >= limit && !signal.aborted) {
    [{ removed }] = (await remove()) as [{ removed: number }];
    await onStep(removed);
  }
}

/** What the leader knows of the partitions; another leader finds it out again. */
export interface RetentionRounds {
  /** One round. Whoever waits for its end finds everything removed that was due at its start. */
  run(policy: RetentionPolicy, onStep: OnStep, signal: AbortSignal): Promise<void>;
}

/** Carries out retention in rounds. */
export function createRetentionRounds(engine: PostgresEngine): RetentionRounds {
  const visits = new Map<number, Visit>();
  let visitedWith: string | undefined;

  const removeAs = (statement: Statement, ...params: Param[]) => {
    return () => engine.sessions.queryAs<{ removed: number }>('work', statement, params);
  };

  const removeDead = async (policy: RetentionPolicy, onStep: OnStep, signal: AbortSignal) => {
    const limit = MAX_REMOVED_PER_STEP;
    // Not before its identity may be forgotten, or a resend would be accepted as a new event.
    const deadBefore = engine.now() - Math.max(policy.dead, policy.ids);
    await repeat(removeAs(REMOVE_DEAD, false, deadBefore, limit), limit, onStep, signal);
    const malformedBefore = engine.now() - policy.dead;
    await repeat(removeAs(REMOVE_DEAD, true, malformedBefore, limit), limit, onStep, signal);
  };

  const visitAll = async (policy: RetentionPolicy, onStep: OnStep, signal: AbortSignal): Promise<void> => {
    const usedWith = JSON.stringify(policy);
    if (usedWith !== visitedWith) visits.clear();
    visitedWith = usedWith;
    const days = groupByDay(await listPartitions(engine.sessions));
    const known = new Set(days.map(({ day }) => day ?? DEFAULT));
    for (const day of visits.keys()) if (!known.has(day)) visits.delete(day);
    for (const each of days) {
      const key = each.day ?? DEFAULT;
      if (signal.aborted) return;
      if (engine.now() < (visits.get(key)?.nextAt ?? 0)) continue;
      visits.set(key, await visitPartition({ engine, policy, onStep, signal }, each));
    }
  };

  /** Epoch ms before which no request can belong to an event that is left. */
  const requestsBefore = (policy: RetentionPolicy): number =>
    Math.min(
      engine.now() - policy.ids,
      ...[...visits.values()].map(({ oldest }) => oldest ?? Number.MAX_SAFE_INTEGER),
    );

  const removeRequests = (policy: RetentionPolicy, onStep: OnStep, signal: AbortSignal) => {
    const limit = MAX_REQUESTS_PER_STEP;
    const before = requestsBefore(policy);
    return repeat(
      () => engine.sessions.query('work', REMOVE_REQUESTS, [before, limit]),
      limit,
      onStep,
      signal,
    );
  };

  return {
    run: async (policy, onStep, signal) => {
      const today = dayAt(engine.now());
      const ahead = Array.from({ length: DAYS_AHEAD + 1 }, (_, index) => today + index);
      await createPartitions(engine.sessions, [...ahead, today - 1], signal);
      await removeDead(policy, onStep, signal);
      await visitAll(policy, onStep, signal);
      if (signal.aborted) return;
      await removeRequests(policy, onStep, signal);
      const waitingBefore = engine.now() - policy.delivered - DROP_LIMIT_MS;
      await engine.sessions.query('work', REMOVE_REFRESHES, [waitingBefore]);
      await removeOldSpans(engine);
      const limit = MAX_REMOVED_PER_STEP;
      await repeat(removeAs(REMOVE_EXPIRED, engine.now(), limit), limit, onStep, signal);
    },
  };
}
