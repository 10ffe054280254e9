/*
 * Where a claim looks for heads. The index of heads contains claimed ones too, since claims are not
 * written, and most of them are at its beginning. So for each queue of heads (a source at a
 * destination, replayed or not) this remembers how far claims have got, and which heads before that
 * point can be claimed again. It is in memory only, and derived: forgetting it costs time, never an
 * event.
 */

/** A queue of heads. `replay` is 1 for replayed events. */
export interface HeadQueue {
  readonly destination: string;
  readonly source: string;
  readonly replay: number;
}

/** A head in the order of claims: by `dueAt`, then by `seq`. */
export interface Head {
  readonly seq: number;
  /** Epoch ms. */
  readonly dueAt: number;
}

/** Heads that can be remembered for one queue before everything is read again from the index. */
const MAX_RETURNED = 4_096;

const START: Head = { seq: 0, dueAt: Number.MIN_SAFE_INTEGER };

/** Negative if `a` is claimed before `b`. */
export function compareHeads(a: Head, b: Head): number {
  return a.dueAt - b.dueAt || a.seq - b.seq;
}

/** How far the claims of one queue have got. */
export class ClaimFrontier {
  /** Every head up to here is claimed or excluded, waits for its lane, or is in `returned`. */
  #reached = START;
  readonly #returned = new Map<number, Head>();

  get reached(): Head {
    return this.#reached;
  }

  /**
   * Heads before `reached` that can be claimed, in order. Call it before `reached` is read: if they
   * are too many, everything is read again. Not done when one is added, because a claim may be
   * passing heads.
   */
  returned(): Head[] {
    if (this.#returned.size > MAX_RETURNED) this.reset();
    return [...this.#returned.values()].toSorted(compareHeads);
  }

  /** A head can be claimed: it is new, its claim has ended, or its wait has changed. */
  add(head: Head): void {
    if (compareHeads(head, this.#reached) > 0) {
      // The index has it; an earlier time of the same head is obsolete.
      this.#returned.delete(head.seq);
      return;
    }
    this.#returned.set(head.seq, head);
  }

  /** The head is dealt with: it was claimed or excluded, or waits for its lane. */
  pass(head: Head): void {
    if (!this.#returned.delete(head.seq) && compareHeads(head, this.#reached) > 0) this.#reached = head;
  }

  reset(): void {
    this.#reached = START;
    this.#returned.clear();
  }
}

interface WaitingHead extends Head {
  readonly queue: HeadQueue;
}

/** The frontiers of all queues of heads. */
export class ClaimFrontiers {
  readonly #all = new Map<string, ClaimFrontier>();
  /** By lane: heads that were passed because another event of the lane is claimed. */
  readonly #waiting = new Map<string, WaitingHead>();

  of({ destination, source, replay }: HeadQueue): ClaimFrontier {
    const key = `${replay}${destination}\0${source}`;
    let frontier = this.#all.get(key);
    if (frontier === undefined) {
      frontier = new ClaimFrontier();
      this.#all.set(key, frontier);
    }
    return frontier;
  }

  add(queue: HeadQueue, head: Head): void {
    this.of(queue).add(head);
  }

  /** Passes a head whose lane is busy. It returns when the lane is free. */
  wait(queue: HeadQueue, head: Head, lane: string): void {
    this.of(queue).pass(head);
    this.#waiting.set(`${queue.destination}\0${lane}`, { ...head, queue });
  }

  /** The lane is no longer busy. */
  free(destination: string, lane: string): void {
    const key = `${destination}\0${lane}`;
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    this.#waiting.delete(key);
    this.add(waiting.queue, waiting);
  }

  /** Forgets everything, for example after changes of many heads. */
  reset(): void {
    for (const frontier of this.#all.values()) frontier.reset();
    this.#waiting.clear();
  }
}
