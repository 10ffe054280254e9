import { slotOf } from '../engine/lane-keys.ts';
import type { Heaped } from './head-heap.ts';

/** A row of `queue` as far as claiming needs it. */
export interface QueueEntry {
  readonly stream: number;
  readonly pos: number;
  readonly seq: number;
  readonly source: string;
  readonly lane: string | null;
  readonly laneKey: number;
  readonly isReplay: boolean;
  readonly isPinned: boolean;
  readonly bodyBytes: number;
  readonly dueAt: number;
}

/**
 * `free`: can be claimed once it is due and its lane is not busy. `unreadable`: needs a key that is
 * not configured. `gone`: it is the head no more.
 */
type HeadState = 'free' | 'claimed' | 'unreadable' | 'gone';

/** The entry of a lane that is next, or an entry without a lane. */
export class Head implements Heaped {
  readonly stream: number;
  readonly pos: number;
  readonly seq: number;
  readonly source: string;
  readonly laneKey: number;
  readonly isReplay: boolean;
  readonly bodyBytes: number;
  readonly lane: Lane | undefined;
  isPinned: boolean;
  dueAt: number;
  heap: Heaped['heap'];
  heapIndex = 0;
  state: HeadState = 'free';

  constructor(entry: QueueEntry, lane: Lane | undefined) {
    this.stream = entry.stream;
    this.pos = entry.pos;
    this.seq = entry.seq;
    this.source = entry.source;
    this.laneKey = entry.laneKey;
    this.isReplay = entry.isReplay;
    this.bodyBytes = entry.bodyBytes;
    this.lane = lane;
    this.isPinned = entry.isPinned;
    this.dueAt = entry.dueAt;
  }

  get slot(): number {
    return slotOf(this.laneKey);
  }
}

/** One of the two queues of a lane. Only its head is in memory. */
export class LaneQueue {
  readonly lane: Lane;
  readonly isReplay: boolean;
  head: Head | undefined;
  /** Whether something may wait behind the head. */
  hasMore = false;
  /** The head has left or is in doubt, and the next one has yet to be read. */
  isLoading = false;
  /** The smallest `seq` that a scan met while it was loading. */
  metWhileLoading = Number.POSITIVE_INFINITY;

  constructor(lane: Lane, isReplay: boolean) {
    this.lane = lane;
    this.isReplay = isReplay;
  }

  get isEmpty(): boolean {
    return this.head === undefined && !this.isLoading;
  }
}

/** A lane with pending entries. */
export class Lane {
  readonly name: string;
  readonly laneKey: number;
  /** The claimed head, which keeps the lane busy. */
  busy: Head | undefined;
  /** It is in memory no more: its slot was lost. */
  isDropped = false;
  #live: LaneQueue | undefined;
  #replayed: LaneQueue | undefined;

  constructor(name: string, laneKey: number) {
    this.name = name;
    this.laneKey = laneKey;
  }

  get slot(): number {
    return slotOf(this.laneKey);
  }

  queue(isReplay: boolean): LaneQueue {
    if (isReplay) return (this.#replayed ??= new LaneQueue(this, true));
    return (this.#live ??= new LaneQueue(this, false));
  }

  /** The queues that were ever used. */
  get queues(): readonly LaneQueue[] {
    return [this.#live, this.#replayed].filter((queue) => queue !== undefined);
  }

  get isEmpty(): boolean {
    return this.busy === undefined && this.queues.every((queue) => queue.isEmpty);
  }
}
