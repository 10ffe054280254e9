import type { RetentionPolicy } from '../../journal.ts';
import { dayAt, startOfDay } from '../engine/days.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import type { Partition } from './day-partitions.ts';
import { dropBodies, dropRecords, MAX_KEPT_ROWS } from './partition-drops.ts';
import {
  removeMovedBodies,
  walkBodies,
  walkDetails,
  walkRecords,
  type Window,
  windowAt,
} from './partition-walk.ts';
import { IS_FINISHED, perPartition, statementOf } from './removal-statements.ts';

/*
 * Retention in one partition of events and the bodies of its day.
 *
 * In a small one, what is due is deleted row by row as soon as it is due. A large one waits until
 * so little must stay that it can be dropped, but at most a day: then its rows are deleted, too.
 */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Blocks of events from which on a partition is large: some ten thousand events. */
const LARGE_BLOCKS = 1_024;
/** Blocks that one statement surveys: a partition can be larger than what is read in its time. */
const SURVEY_BLOCKS = 1_024;
/** Time between two looks at a large partition, each of which reads all of it. */
const LARGE_INTERVAL_MS = 30 * 60_000;
/** The same for a small one that has nothing due before. */
const SMALL_INTERVAL_MS = HOUR_MS;
/** The same after a partition could not be dropped because something held a lock. */
const BUSY_INTERVAL_MS = 60_000;

/** The state of the events in a partition at one time. */
interface Survey {
  readonly count: number;
  /** Events whose body must stay. */
  readonly kept_bodies: number;
  /** Events whose body has been due for a day. */
  readonly late_bodies: number;
  readonly kept_records: number;
  readonly late_records: number;
  /** Epoch ms at which something will become due next. */
  readonly next_at: number | null;
  /** Epoch ms of receipt of the oldest event. */
  readonly oldest: number | null;
}

const IS_BODY_DUE = `(${IS_FINISHED} AND e.settled_at + $3::bigint <= $2::bigint)`;
/** When a record becomes due, provided its body goes at its own time. */
const RECORD_DUE_AT = 'greatest(e.received_at + $4::bigint, e.settled_at + $3::bigint)';
const IS_RECORD_DUE = `(${IS_FINISHED} AND (${RECORD_DUE_AT} <= $2::bigint OR e.received_at > $2::bigint))`;

/** Parameters: day, now, age of bodies, age of records, 1 day in ms, window. */
const SURVEY = perPartition(
  'survey',
  ({ from, where }) => `
SELECT count(*)::integer AS count,
  count(*) FILTER (WHERE ${IS_BODY_DUE} IS NOT TRUE)::integer AS kept_bodies,
  count(*) FILTER (WHERE ${IS_FINISHED} AND e.settled_at + $3::bigint <= $2::bigint - $5::bigint)::integer
    AS late_bodies,
  count(*) FILTER (WHERE ${IS_RECORD_DUE} IS NOT TRUE)::integer AS kept_records,
  count(*) FILTER (WHERE ${IS_FINISHED} AND ${RECORD_DUE_AT} <= $2::bigint - $5::bigint)::integer
    AS late_records,
  least(
    min(e.settled_at + $3::bigint) FILTER (WHERE ${IS_FINISHED} AND e.settled_at + $3::bigint > $2::bigint),
    min(e.received_at + $4::bigint) FILTER (WHERE ${IS_FINISHED} AND e.received_at + $4::bigint > $2::bigint)
  )::bigint AS next_at,
  min(e.received_at)::bigint AS oldest
FROM ${from} WHERE ${where(1)} AND e.ctid >= $6::tid AND e.ctid < $7::tid`,
);

function leastOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

function sumOf(a: Survey, b: Survey): Survey {
  return {
    count: a.count + b.count,
    kept_bodies: a.kept_bodies + b.kept_bodies,
    late_bodies: a.late_bodies + b.late_bodies,
    kept_records: a.kept_records + b.kept_records,
    late_records: a.late_records + b.late_records,
    next_at: leastOf(a.next_at, b.next_at),
    oldest: leastOf(a.oldest, b.oldest),
  };
}

/** What a visit has found. */
export interface Visit {
  /** Epoch ms of receipt of the oldest event that is left. */
  readonly oldest: number | undefined;
  /** Epoch ms before which nothing is to be done here. */
  readonly nextAt: number;
}

/** A partition of events with the bodies of its day. */
export interface DayOfStore {
  /** Undefined for everything that has no partition of its own. */
  readonly day: number | undefined;
  readonly events: Partition | undefined;
  readonly bodies: Partition | undefined;
  /** Size in blocks of the partition that has its events. */
  readonly blocks: number;
}

/** Reports what one step has removed, and waits until the next one may follow. */
export type OnStep = (removed: number) => Promise<void>;

export interface VisitParts {
  readonly engine: PostgresEngine;
  readonly policy: RetentionPolicy;
  readonly onStep: OnStep;
  readonly signal: AbortSignal;
}

/** An event that is updated meanwhile can be missed or counted twice: it is checked later. */
async function survey({ engine, policy }: VisitParts, { day, blocks }: DayOfStore): Promise<Survey> {
  const params = [day ?? null, engine.now(), policy.delivered, policy.ids, DAY_MS];
  const read = async ({ from, to }: Window): Promise<Survey> => {
    const statement = statementOf(SURVEY, day);
    const [found] = await engine.sessions.query<Survey>('work', statement, [...params, from, to]);
    return found as Survey;
  };
  let window = windowAt(0, blocks, SURVEY_BLOCKS);
  let found = await read(window);
  while (window.next !== undefined) {
    window = windowAt(window.next, blocks, SURVEY_BLOCKS);
    found = sumOf(found, await read(window));
  }
  return found;
}

/** Removes row by row what is due. */
async function removeRows(parts: VisitParts, { day, blocks }: DayOfStore): Promise<void> {
  const { engine, policy } = parts;
  const walk = { ...parts, day, blocks };
  await walkBodies(walk, engine.now() - policy.delivered);
  await walkRecords(walk, engine.now() - policy.ids);
}

/** Whether the day is over for so long that all its partitions would usually be gone. */
function isOutlived({ engine, policy }: VisitParts, day: number): boolean {
  const age = Math.max(policy.delivered, policy.ids);
  return engine.now() > startOfDay(day + 1) + age && day < dayAt(engine.now()) - 1;
}

/** Whether the visit of a partition may drop what it has of a day. */
function isSettledDay({ engine }: VisitParts, day: number | undefined): day is number {
  return day !== undefined && day < dayAt(engine.now()) - 1;
}

/** @returns false if a lock was not available */
async function dropWhole(parts: VisitParts, of: DayOfStore, found: Survey): Promise<boolean> {
  const { engine, policy, onStep } = parts;
  const { day, events, bodies } = of;
  if (!isSettledDay(parts, day)) return true;
  let hasBodies = bodies !== undefined;
  if (hasBodies && found.kept_bodies <= MAX_KEPT_ROWS) {
    const dropped = await dropBodies(engine, day, engine.now() - policy.delivered);
    if (dropped === 'busy') return false;
    hasBodies = dropped === 'unsuitable';
    if (dropped !== 'unsuitable') await onStep(dropped.done);
  }
  if (!hasBodies) await onStep(await removeMovedBodies(engine, day, engine.now() - policy.delivered));
  if (events === undefined || hasBodies || found.kept_records > MAX_KEPT_ROWS) return true;
  await walkDetails({ ...parts, day, blocks: events.blocks }, engine.now() - policy.ids);
  const dropped = await dropRecords(engine, day, engine.now() - policy.ids);
  if (dropped === 'busy') return false;
  if (dropped !== 'unsuitable') await onStep(dropped.done);
  return true;
}

async function visitLarge(parts: VisitParts, of: DayOfStore): Promise<Visit> {
  const found = await survey(parts, of);
  const isDone = await dropWhole(parts, of, found);
  if (found.late_bodies > 0 || found.late_records > 0) await removeLate(parts, of, found);
  const interval = isDone ? LARGE_INTERVAL_MS : BUSY_INTERVAL_MS;
  return { oldest: found.oldest ?? undefined, nextAt: parts.engine.now() + interval };
}

/** Removes row by row what has been due for a day and is in no partition that could be dropped. */
async function removeLate(parts: VisitParts, of: DayOfStore, found: Survey): Promise<void> {
  const { engine, policy } = parts;
  const walk = { ...parts, day: of.day, blocks: of.blocks };
  const isDroppable = isSettledDay(parts, of.day);
  if (found.late_bodies > 0 && !(isDroppable && found.kept_bodies <= MAX_KEPT_ROWS))
    await walkBodies(walk, engine.now() - policy.delivered);
  if (found.late_records > 0 && !(isDroppable && found.kept_records <= MAX_KEPT_ROWS))
    await walkRecords(walk, engine.now() - policy.ids);
}

async function visitSmall(parts: VisitParts, of: DayOfStore): Promise<Visit> {
  const { engine, policy } = parts;
  await removeRows(parts, of);
  const found = await survey(parts, of);
  const mayDrop = of.day !== undefined && isOutlived(parts, of.day) && found.count <= MAX_KEPT_ROWS;
  const isDone = !mayDrop || (await dropWhole(parts, of, found));
  const latest = engine.now() + (isDone ? SMALL_INTERVAL_MS : BUSY_INTERVAL_MS);
  // What is settled from now on is due after the age of bodies at the earliest.
  const nextAt = Math.min(latest, found.next_at ?? latest, engine.now() + policy.delivered);
  return { oldest: found.oldest ?? undefined, nextAt };
}

/** Carries out retention in one partition. */
export function visitPartition(parts: VisitParts, of: DayOfStore): Promise<Visit> {
  return of.blocks > LARGE_BLOCKS ? visitLarge(parts, of) : visitSmall(parts, of);
}
