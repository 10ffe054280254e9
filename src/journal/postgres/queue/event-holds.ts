import type { Head } from './lane-heads.ts';

/**
 * Which events are claimed, in any lane and at any destination. An event that was queued again
 * while it is claimed has a new entry, which nobody may claim before the first claim has ended.
 */
export class EventHolds {
  readonly #heads = new Map<number, Head>();
  readonly #waiting = new Map<number, Map<Head, (head: Head) => void>>();

  hold(head: Head): void {
    this.#heads.set(head.seq, head);
  }

  /** Ends the hold of this entry, and calls who waits for it. */
  free(head: Head): void {
    if (this.#heads.get(head.seq) !== head) return;
    this.#heads.delete(head.seq);
    const waiting = this.#waiting.get(head.seq);
    this.#waiting.delete(head.seq);
    for (const [other, resume] of waiting ?? []) resume(other);
  }

  /** Whether the event of this entry is claimed, by this entry or another one. */
  isHeld({ seq }: Pick<Head, 'seq'>): boolean {
    return this.#heads.has(seq);
  }

  /** Calls `resume` with this entry when the hold of its event ends. */
  wait(head: Head, resume: (head: Head) => void): void {
    const waiting = this.#waiting.get(head.seq) ?? new Map<Head, typeof resume>();
    this.#waiting.set(head.seq, waiting.set(head, resume));
  }
}
