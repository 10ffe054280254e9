import { slotOf } from '../engine/lane-keys.ts';
import type { EventHolds } from './event-holds.ts';
import { SourceHeads } from './head-heap.ts';
import { Head, Lane, type LaneQueue, type QueueEntry } from './lane-heads.ts';

/*
 * The heads of a destination's lanes in the slots that this process owns. Of a lane only the heads
 * of its two queues are in memory, and whether anything waits behind them; so its length costs
 * nothing. The table is derived from the queue: forgetting it costs time, never an event.
 *
 * The head of a queue is what head-pins.ts says. A scan meets entries in the order in which they
 * were queued, which is the same order, unless an older one was queued again. Then the head is in
 * doubt and read from the database, if it is not claimed; a claimed one stays, and is pinned.
 */
export class LaneTable {
  /** The slots whose entries are in memory, with the epochs of their leases. */
  readonly slots = new Map<number, number>();
  readonly claimed = new Set<Head>();
  /** Queues whose head has to be read. */
  readonly missing = new Set<LaneQueue>();
  /** Claimed heads behind which an older entry was queued. */
  readonly unpinned = new Set<Head>();
  readonly #holds: EventHolds;
  readonly #lanes = new Map<string, Lane>();
  /** Entries without a lane by their `pos`. */
  readonly #loose = new Map<number, Head>();
  /** By source. */
  readonly #live = new Map<string, SourceHeads<Head>>();
  readonly #replayed = new Map<string, SourceHeads<Head>>();
  /** Positions of entries whose payload needs a key that is not configured. */
  readonly #unreadable = new Set<number>();

  constructor(holds: EventHolds) {
    this.#holds = holds;
  }

  /** The heads that can be claimed, for each of these sources that has any. */
  ofSources(isReplay: boolean, sources: Iterable<string>): SourceHeads<Head>[] {
    const all = isReplay ? this.#replayed : this.#live;
    return [...new Set(sources)].flatMap((source) => all.get(source) ?? []);
  }

  sources(isReplay: boolean): Iterable<string> {
    return (isReplay ? this.#replayed : this.#live).keys();
  }

  /**
   * Learns of an entry of the queue. Harmless if it is known, has left, or has lost its slot since
   * it was read.
   */
  meet(entry: QueueEntry): void {
    if (!this.slots.has(slotOf(entry.laneKey))) return;
    if (entry.lane === null) {
      if (this.#loose.has(entry.pos)) return;
      const head = new Head(entry, undefined);
      this.#loose.set(entry.pos, head);
      this.#begin(head);
      return;
    }
    let lane = this.#lanes.get(entry.lane);
    if (lane === undefined) {
      lane = new Lane(entry.lane, entry.laneKey);
      this.#lanes.set(entry.lane, lane);
    }
    const queue = lane.queue(entry.isReplay);
    if (queue.isLoading) {
      queue.hasMore = true;
      queue.metWhileLoading = Math.min(queue.metWhileLoading, entry.seq);
    } else if (queue.head === undefined) this.#setHead(queue, entry);
    else if (queue.head.pos !== entry.pos) this.#meetBehind(queue, queue.head, entry);
  }

  #meetBehind(queue: LaneQueue, head: Head, entry: QueueEntry): void {
    queue.hasMore = true;
    const isOlder = entry.seq < head.seq;
    if (!isOlder && !entry.isPinned) return;
    if (this.#holds.isHeld(head)) {
      if (isOlder && !head.isPinned) this.unpinned.add(head);
    } else this.leave(head);
  }

  #setHead(queue: LaneQueue, entry: QueueEntry): void {
    const head = new Head(entry, queue.lane);
    queue.head = head;
    this.#begin(head);
  }

  #begin(head: Head): void {
    if (this.#unreadable.has(head.pos)) head.state = 'unreadable';
    this.#refresh(head);
  }

  /** Puts a head where claims find it, or removes it from there. */
  #refresh(head: Head | undefined): void {
    if (head === undefined) return;
    head.heap?.remove(head);
    if (head.state !== 'free' || head.lane?.busy !== undefined) return;
    if (this.#holds.isHeld(head)) {
      this.#holds.wait(head, (waiting) => this.#refresh(waiting));
      return;
    }
    const all = head.isReplay ? this.#replayed : this.#live;
    let heads = all.get(head.source);
    if (heads === undefined) {
      heads = new SourceHeads();
      all.set(head.source, heads);
    }
    heads.add(head);
  }

  #refreshLane(lane: Lane | undefined): void {
    for (const { head } of lane?.queues ?? []) this.#refresh(head);
  }

  claim(head: Head): void {
    head.state = 'claimed';
    this.#holds.hold(head);
    this.claimed.add(head);
    if (head.lane !== undefined) head.lane.busy = head;
    this.#refresh(head);
    this.#refreshLane(head.lane);
  }

  #endClaim(head: Head): void {
    this.unpinned.delete(head);
    if (!this.claimed.delete(head)) return;
    if (head.lane !== undefined) head.lane.busy = undefined;
    this.#holds.free(head);
  }

  /** The claim of a head ends; it can be claimed again. */
  release(head: Head, dueAt = head.dueAt): void {
    if (head.state !== 'claimed') return;
    if (!this.slots.has(head.slot)) {
      this.leave(head);
      return;
    }
    head.dueAt = dueAt;
    head.state = 'free';
    this.#endClaim(head);
    this.#refresh(head);
    this.#refreshLane(head.lane);
  }

  /** The payload of a claimed head cannot be read for now: it stays, with its lane behind it. */
  suspend(head: Head): void {
    this.#unreadable.add(head.pos);
    if (head.state !== 'claimed') return;
    head.state = 'unreadable';
    this.#endClaim(head);
    this.#refreshLane(head.lane);
  }

  /**
   * A head has left the queue, or is to be read again. Puts its lane into `missing` if something
   * may follow.
   */
  leave(head: Head): void {
    if (head.state === 'gone') return;
    head.state = 'gone';
    this.#refresh(head);
    this.#endClaim(head);
    const { lane } = head;
    if (lane === undefined) {
      this.#loose.delete(head.pos);
      return;
    }
    const queue = lane.queue(head.isReplay);
    if (queue.head === head) {
      queue.head = undefined;
      if (queue.hasMore && !lane.isDropped && this.slots.has(lane.slot)) this.#load(queue);
    }
    this.#refreshLane(lane);
    this.#forgetIfEmpty(lane);
  }

  /** A head has left the queue, or another entry has become the head in its place. */
  reread(head: Head): void {
    const queue = head.lane?.queue(head.isReplay);
    if (queue?.head === head) queue.hasMore = true;
    this.leave(head);
  }

  #load(queue: LaneQueue): void {
    queue.isLoading = true;
    queue.hasMore = false;
    queue.metWhileLoading = Number.POSITIVE_INFINITY;
    this.missing.add(queue);
  }

  #forgetIfEmpty(lane: Lane): void {
    if (lane.isEmpty && this.#lanes.get(lane.name) === lane) this.#lanes.delete(lane.name);
  }

  /**
   * The answer for a queue that was taken from `missing`.
   * @param next its head, if it has one; `hasMore` if that is not the only entry
   */
  loaded(
    queue: LaneQueue,
    next: { readonly entry: QueueEntry; readonly hasMore: boolean } | undefined,
  ): void {
    const { lane, metWhileLoading, hasMore } = queue;
    if (lane.isDropped || !queue.isLoading) return;
    queue.isLoading = false;
    if (next === undefined || (metWhileLoading < next.entry.seq && !next.entry.isPinned)) {
      // Met by a scan that may have seen more than this answer.
      if (hasMore) this.#load(queue);
    } else {
      queue.hasMore = hasMore || next.hasMore;
      this.#setHead(queue, next.entry);
    }
    this.#forgetIfEmpty(lane);
  }

  /** Forgets everything in these slots. With `claims` also what is claimed, which is returned. */
  drop(slots: ReadonlySet<number>, { claims }: { readonly claims: boolean }): Head[] {
    for (const slot of slots) this.slots.delete(slot);
    const heads = this.#headsIn(slots);
    const lost = claims ? heads.filter(({ state }) => state === 'claimed') : [];
    for (const head of heads) if (claims || head.state !== 'claimed') this.leave(head);
    for (const queue of this.missing) if (slots.has(queue.lane.slot)) this.missing.delete(queue);
    for (const lane of this.#lanes.values()) {
      if (!slots.has(lane.slot)) continue;
      if (lane.busy === undefined) {
        lane.isDropped = true;
        this.#lanes.delete(lane.name);
      } else {
        // The other queue can be read only after the slot has come back.
        for (const queue of lane.queues) if (queue.isLoading) queue.isLoading = false;
      }
    }
    return lost;
  }

  /** Forgets everything but what is claimed. */
  clear(): void {
    for (const head of this.#headsIn(undefined)) {
      const queue = head.lane?.queue(head.isReplay);
      if (queue !== undefined) queue.hasMore = head.state === 'claimed';
      if (head.state !== 'claimed') this.leave(head);
    }
  }

  #headsIn(slots: ReadonlySet<number> | undefined): Head[] {
    return [...this.heads()].filter((head) => slots?.has(head.slot) ?? true);
  }

  /** All heads, claimed or not. Goes on after changes of the table. */
  *heads(): Generator<Head> {
    yield* this.#loose.values();
    for (const { queues } of this.#lanes.values())
      for (const { head } of queues) if (head !== undefined) yield head;
  }

  /** The head of a queue, if it is claimed. */
  claimedHead(lane: string, isReplay: boolean): Head | undefined {
    const head = this.#lanes.get(lane)?.queue(isReplay).head;
    return head?.state === 'claimed' ? head : undefined;
  }

  /** Whether the lane has entries in a queue other than that of this head. */
  hasOther({ lane, isReplay }: Head): boolean {
    return lane?.queues.some((queue) => queue.isReplay !== isReplay && !queue.isEmpty) ?? false;
  }
}
