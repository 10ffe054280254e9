import type { BusyLane } from './claims.ts';
import type { Engine } from './engine.ts';
import { queueKey } from './index-keys.ts';
import type { QueueRow } from './rows.ts';

/*
 * Kept by these: a lane with something pending has exactly one head among its replays and one among its other events, if there are any of the
 * kind; an event without a lane is a head as long as it is pending. Of the two heads of a lane one at a time is handed out.
 */

/** One of the two queues of a lane. `replay` is 1 for that of the replays. */
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

/** Whether anybody is pending in a queue. */
export function isWaiting({ indexes }: Engine, queue: LaneQueue): boolean {
  return indexes.queues.has(keyOf(queue));
}

/** A head is told to the listeners of the destination, unless its lane is busy: then the end of that claim tells it. */
function tell({ claims, claimable }: Engine, { destination, lane }: Queue): void {
  if (lane === null || !claims.isBusy(destination, lane)) claimable.add(destination);
}

/** Whether an event that becomes pending in a queue is its head: only if nobody waits there. Ask before the event is written. */
export function joinLane(engine: Engine, queue: Queue): 0 | 1 {
  if (isOfLane(queue) && isWaiting(engine, queue)) return 0;
  tell(engine, queue);
  return 1;
}

/** Queues up an event that has just been given its position. Call after it was written. */
export function queueUp({ indexes }: Engine, queue: Queue, seq: number): void {
  if (isOfLane(queue)) indexes.queues.insert(keyOf(queue), seq);
  else indexes.queues.pass(seq);
}

/** Queues up an event that was there before, in its place by position. Call after it was written. */
export function queueUpAgain({ indexes }: Engine, queue: Queue, seq: number): void {
  if (isOfLane(queue)) indexes.queues.insertOlder(keyOf(queue), seq);
}

/** Passes the place of a head that has left its queue to the event that waits longest there. */
function passHead(engine: Engine, queue: LaneQueue): void {
  const next = engine.indexes.queues.first(keyOf(queue));
  if (next === undefined) return;
  engine.db.run('UPDATE events SET head = 1 WHERE seq = ?', next);
  tell(engine, queue);
}

type Queued = Pick<QueueRow, 'seq' | 'head'>;

/** Takes an event out of its queue, and passes its place on if it was the head. Call after it was written. */
export function leaveQueue(engine: Engine, left: Queue & Queued): void {
  if (!isOfLane(left)) return;
  engine.indexes.queues.delete(keyOf(left), left.seq);
  if (left.head === 1) passHead(engine, left);
}

/** Who is pending in a queue, in rising order. */
function waitingIn({ db, indexes }: Engine, queue: LaneQueue): Queued[] {
  return [...new Set(indexes.queues.of(keyOf(queue)))]
    .toSorted((a, b) => a - b)
    .flatMap(
      (seq) => db.all('SELECT seq, head FROM events WHERE seq = ? AND lane = ?', seq, queue.lane) as Queued[],
    );
}

/** Puts what is pending in one lane behind the one that another lane waits for. Who was first there stays it where nobody is waited for. */
export function moveLane(engine: Engine, destination: string, from: string, to: string): void {
  for (const replay of [0, 1]) {
    const queue = { destination, lane: from, replay };
    const rows = waitingIn(engine, queue);
    if (rows.length === 0) continue;
    const target = { destination, lane: to, replay };
    const keepsHead = joinLane(engine, target);
    for (const { seq } of rows) {
      engine.db.run(
        'UPDATE events SET lane = ?, own_lane = coalesce(own_lane, lane), head = head * ? WHERE seq = ?',
        to,
        keepsHead,
        seq,
      );
      queueUpAgain(engine, target, seq);
      engine.indexes.queues.delete(keyOf(queue), seq);
    }
    // Of another lane with the same key somebody can be left.
    if (rows.some(({ head }) => head === 1)) passHead(engine, queue);
  }
}

/**
 * Ends the claim of an event, if it has one. Who waits for its lane in another queue is claimable from then on.
 * @returns the lane that it kept busy
 */
export function endClaim(engine: Engine, row: QueueRow): BusyLane | undefined {
  const held = engine.claims.drop(row.seq);
  if (held === undefined) return undefined;
  const { destination, lane } = held;
  // Its own queue is left out: there it is still the head, or its place is passed on.
  const queues = [0, 1].filter(
    (replay) => destination !== row.destination || lane !== row.lane || replay !== row.replay,
  );
  if (queues.some((replay) => isWaiting(engine, { destination, lane, replay })))
    engine.claimable.add(destination);
  return held;
}
