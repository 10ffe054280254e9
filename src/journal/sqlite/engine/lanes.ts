import type { LaneAlias } from '../../journal.ts';
import type { BusyLane } from './claim-registry.ts';
import { mergeContacts } from './contact-table.ts';
import { mergeRefreshes } from './refresh-table.ts';
import type { Engine } from './sqlite-engine.ts';
import { queueKey } from '../../queue-key.ts';
import type { EventRow, QueueRow } from './rows.ts';

/*
 * Invariants: a lane has one queue for replayed events and one for all others, and each queue with
 * pending events has exactly one head. An event without a lane is a head while it is pending. At
 * most one of the two heads of a lane is claimed at a time.
 */

/** One of the two queues of a lane. `replay` is 1 for the queue of replayed events. */
interface Queue {
  readonly destination: string;
  readonly lane: string | null;
  readonly replay: number;
}

type LaneQueue = Queue & { readonly lane: string };

function isOfLane(queue: Queue): queue is LaneQueue {
  return queue.lane !== null;
}

function keyOf({ destination, lane, replay }: LaneQueue): number {
  return queueKey(destination, lane, replay);
}

/**
 * The first pending event of a queue. Lanes whose keys coincide share an entry of the index, so the
 * lane itself is compared.
 */
function firstPending({ db, indexes }: Engine, queue: LaneQueue): number | undefined {
  const { destination, lane, replay } = queue;
  const key = keyOf(queue);
  const isOfQueue = (seq: number): boolean =>
    db.one(
      `SELECT 1 FROM events
       WHERE seq = ? AND state = 'pending' AND destination = ? AND lane = ? AND replay = ?`,
      seq,
      destination,
      lane,
      replay,
    ) !== undefined;
  const first = indexes.queues.first(key);
  if (first === undefined || isOfQueue(first)) return first;
  return indexes.queues
    .positionsOf(key)
    .toSorted((a, b) => a - b)
    .find(isOfQueue);
}

/**
 * Notifies the listeners of the destination about a new head, unless its lane is busy: then the end
 * of that claim does.
 */
function notifyClaimable({ claims, claimable }: Engine, { destination, lane }: Queue): void {
  if (lane === null || !claims.isBusy(destination, lane)) claimable.add(destination);
}

/**
 * Returns 1 if an event that becomes pending in the queue is its head, that is if the queue is
 * empty. Call it before the event is written.
 */
export function claimHead(engine: Engine, queue: Queue): 0 | 1 {
  if (isOfLane(queue) && firstPending(engine, queue) !== undefined) return 0;
  notifyClaimable(engine, queue);
  return 1;
}

/**
 * Lets an event take the place of the head, if that is the oldest event of the queue, was appended
 * after it, and is not claimed. Call it before the event is written.
 * @returns whether it is the head now
 */
export function overtakeHead(engine: Engine, queue: Queue, seq: number): boolean {
  if (!isOfLane(queue)) return false;
  const { db, claims } = engine;
  const first = firstPending(engine, queue);
  if (first === undefined || first < seq || claims.isUnavailable(first)) return false;
  const changed = db.run(
    'UPDATE events SET head = 0 WHERE seq = ? AND head = 1 AND destination = ? AND lane = ? AND replay = ?',
    first,
    queue.destination,
    queue.lane,
    queue.replay,
  );
  if (changed === 0) return false;
  notifyClaimable(engine, queue);
  return true;
}

/** Adds an event that has just received its position. Call it after the event was written. */
export function enqueue({ indexes }: Engine, queue: Queue, seq: number): void {
  if (isOfLane(queue)) indexes.queues.insert(keyOf(queue), seq);
  else indexes.queues.skip(seq);
}

/** Adds an older event, ordered by its position. Call it after the event was written. */
export function enqueueExisting({ indexes }: Engine, queue: Queue, seq: number): void {
  if (isOfLane(queue)) indexes.queues.insertExisting(keyOf(queue), seq);
}

/** Makes the oldest event of a queue its head, after the previous head has left. */
function promoteNext(engine: Engine, queue: LaneQueue): void {
  const seq = firstPending(engine, queue);
  if (seq === undefined) return;
  const { source, dueAt } = engine.db.one(
    'UPDATE events SET head = 1 WHERE seq = ? RETURNING source, due_at AS dueAt',
    seq,
  ) as { source: string; dueAt: number };
  engine.frontiers.add({ ...queue, source }, { seq, dueAt });
  notifyClaimable(engine, queue);
}

type Queued = Pick<QueueRow, 'seq' | 'head'>;

/**
 * Removes an event from its queue and replaces the head if needed. Call it after the event was
 * written.
 */
export function leaveQueue(engine: Engine, left: Queue & Queued): void {
  if (!isOfLane(left)) return;
  engine.indexes.queues.delete(keyOf(left), left.seq);
  if (left.head === 1) promoteNext(engine, left);
}

/** The pending events of a queue in ascending order. */
function pendingIn({ db, indexes }: Engine, queue: LaneQueue): Queued[] {
  return [...new Set(indexes.queues.positionsOf(keyOf(queue)))]
    .toSorted((a, b) => a - b)
    .flatMap(
      (seq) =>
        db.all(
          `SELECT seq, head FROM events
           WHERE seq = ? AND state = 'pending' AND destination = ? AND lane = ? AND replay = ?`,
          seq,
          queue.destination,
          queue.lane,
          queue.replay,
        ) as Queued[],
    );
}

/**
 * Moves the pending events of one lane to another. They queue behind the target's head; if the
 * target is empty, they keep their own head.
 */
function moveLane(engine: Engine, destination: string, from: string, to: string): void {
  for (const replay of [0, 1]) {
    const queue = { destination, lane: from, replay };
    const rows = pendingIn(engine, queue);
    if (rows.length === 0) continue;
    const target = { destination, lane: to, replay };
    const keepsHead = claimHead(engine, target);
    for (const { seq } of rows) {
      engine.db.run(
        'UPDATE events SET lane = ?, own_lane = coalesce(own_lane, lane), head = head * ? WHERE seq = ?',
        to,
        keepsHead,
        seq,
      );
      engine.claims.touch(seq);
      enqueueExisting(engine, target, seq);
      engine.indexes.queues.delete(keyOf(queue), seq);
    }
  }
  engine.frontiers.reset();
}

/**
 * Ends the claim of an event, if it has one. Events that wait for its lane in another queue become
 * claimable.
 * @returns the lane that the claim kept busy
 */
export function endClaim(engine: Engine, row: QueueRow): BusyLane | undefined {
  const busy = engine.claims.release(row.seq);
  if (busy === undefined) return undefined;
  const { destination, lane } = busy;
  engine.frontiers.free(destination, lane);
  // The own queue is excluded: the event is still its head there, or the head is replaced.
  const queues = [0, 1].filter(
    (replay) => destination !== row.destination || lane !== row.lane || replay !== row.replay,
  );
  if (queues.some((replay) => firstPending(engine, { destination, lane, replay }) !== undefined))
    engine.claimable.add(destination);
  return busy;
}

/*
 * Invariants: the target of an alias has no alias itself, so one lookup is enough; and no pending
 * event is in a lane that has an alias.
 */

/** Where an event is queued. `own_lane` is its original lane if an alias maps that to `lane`. */
export interface Placement {
  readonly lane: string | null;
  readonly own_lane: string | null;
}

function resolveAlias({ db, aliases }: Engine, destination: string, lane: string): string {
  if (!aliases.isAny) return lane;
  const row = db.one('SELECT target FROM aliases WHERE destination = ? AND lane = ?', destination, lane) as
    | { target: string }
    | undefined;
  return row?.target ?? lane;
}

/** Where an event with this original lane is queued at the destination now. */
export function placementFor(engine: Engine, destination: string, original: string | null): Placement {
  const lane = original === null ? null : resolveAlias(engine, destination, original);
  return { lane, own_lane: lane === original ? null : original };
}

/** The original lane of the event's own customer. */
export function ownLaneOf({ lane, own_lane }: Pick<EventRow, keyof Placement>): string | null {
  return own_lane ?? lane;
}

/** The lanes whose alias is this lane. */
export function aliasesOf({ db }: Engine, destination: string, lane: string): string[] {
  return (
    db.all(
      'SELECT lane FROM aliases INDEXED BY aliases_target WHERE destination = ? AND target = ?',
      destination,
      lane,
    ) as { lane: string }[]
  ).map((row) => row.lane);
}

/**
 * Makes lane `from` an alias of lane `to`. Ignored if `from` already has an alias or if `to` leads
 * back to it.
 */
export function addAlias(engine: Engine, destination: string, { from, to }: LaneAlias): void {
  const target = resolveAlias(engine, destination, to);
  if (target === from || resolveAlias(engine, destination, from) !== from) return;
  engine.db.run(
    'UPDATE aliases INDEXED BY aliases_target SET target = ? WHERE destination = ? AND target = ?',
    target,
    destination,
    from,
  );
  engine.aliases.isAny = true;
  engine.db.run(
    'INSERT INTO aliases (destination, lane, target) VALUES (?, ?, ?)',
    destination,
    from,
    target,
  );
  moveLane(engine, destination, from, target);
  mergeContacts(engine, destination, from, target);
  mergeRefreshes(engine, destination, from, target);
}
