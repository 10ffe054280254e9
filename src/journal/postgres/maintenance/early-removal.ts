import type { RoomStep } from '../../room-maker.ts';
import { dayAt } from '../engine/days.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { listPartitions, type Partition } from './day-partitions.ts';
import { dropBodies } from './partition-drops.ts';
import { removeInWindow, windowAt } from './partition-walk.ts';
import { REMOVE_BODIES, REMOVE_RECORDS } from './removal-statements.ts';

/*
 * Removes what is no longer owed before its time, because the store is full: bodies of delivered
 * and ignored events, then records that Capillary no longer repeats; what has no day first, then
 * the oldest days. A walk over all partitions; what is settled behind it is found by the next one.
 */

/** Blocks of one step that finds nothing: most of a long backlog is read and left alone. */
const BLOCKS_PER_STEP = 32;
/** Time that one step may take. */
const MAX_STEP_MS = 50;
/** A walk that had nothing to remove costs time, so the next one waits this many times as long. */
const REST_FACTOR = 10;
const MIN_REST_MS = 2_000;

const NOTHING: RoomStep = { bodies: 0, records: 0, more: false };

interface Place {
  readonly part: 'bodies' | 'records';
  readonly day: number | undefined;
  /** Blocks of the events of the day, which are in the default partition without one. */
  readonly blocks: number;
  /** Whether the bodies can be dropped at once. */
  readonly mayDrop: boolean;
}

function placesOf(partitions: readonly Partition[], today: number): readonly Place[] {
  const events = partitions.filter(({ table }) => table === 'events');
  const bodies = partitions.filter(({ table }) => table === 'bodies');
  const defaultBlocks = events.find(({ day }) => day === undefined)?.blocks ?? 0;
  return [
    // A day that lacks the partition of its bodies has no more of them.
    ...bodies.map(({ day }) => {
      const own = events.find((each) => each.day === day);
      const mayDrop = day !== undefined && day < today - 1;
      return {
        part: 'bodies' as const,
        day,
        blocks: own?.blocks ?? defaultBlocks,
        mayDrop,
      };
    }),
    ...events.map(({ day, blocks }) => ({
      part: 'records' as const,
      day,
      blocks,
      mayDrop: false,
    })),
  ];
}

/** One step of making room; see RoomMakerParts. */
export function createEarlyRemoval(engine: PostgresEngine): (minIds: number) => Promise<RoomStep> {
  let places: Place[] = [];
  let block = 0;
  let startedAt = 0;
  let removedInWalk = 0;
  let restUntil = 0;

  const leavePlace = (): void => {
    places = places.slice(1);
    block = 0;
  };

  /** What one window, or the drop of a partition, has removed. */
  const removeAt = async (place: Place, minIds: number): Promise<number> => {
    if (place.mayDrop && block === 0 && place.day !== undefined) {
      const dropped = await dropBodies(engine, place.day, Number.MAX_SAFE_INTEGER);
      if (typeof dropped === 'object') {
        leavePlace();
        return dropped.done;
      }
    }
    const window = windowAt(block, place.blocks, BLOCKS_PER_STEP);
    const now = engine.now();
    const removed = await (place.part === 'bodies'
      ? removeInWindow(engine, REMOVE_BODIES, place.day, window, { before: Number.MAX_SAFE_INTEGER })
      : removeInWindow(engine, REMOVE_RECORDS, place.day, window, { before: now - minIds, now }));
    if (window.next === undefined) leavePlace();
    else block = window.next;
    return removed;
  };

  const begin = async (): Promise<boolean> => {
    if (performance.now() < restUntil) return false;
    startedAt = performance.now();
    removedInWalk = 0;
    block = 0;
    places = [...placesOf(await listPartitions(engine.sessions), dayAt(engine.now()))];
    return true;
  };

  return async (minIds) => {
    if (places.length === 0 && !(await begin())) return NOTHING;
    const until = performance.now() + MAX_STEP_MS;
    for (let place = places[0]; place !== undefined; place = places[0]) {
      const removed = await removeAt(place, minIds);
      removedInWalk += removed;
      const { part } = place;
      if (removed > 0) return { ...NOTHING, [part]: removed, more: true };
      if (performance.now() > until) return { ...NOTHING, more: true };
    }
    const duration = performance.now() - startedAt;
    if (removedInWalk === 0) restUntil = performance.now() + Math.max(MIN_REST_MS, duration * REST_FACTOR);
    return { ...NOTHING, more: removedInWalk > 0 };
  };
}
