import type { EventRow, QueueRow } from './event-row.ts';

/** The lane that a claimed event keeps busy. */
export interface BusyLane {
  readonly destination: string;
  readonly lane: string;
}

interface Held {
  readonly token: string;
  /** As it was claimed; undefined if it was changed since. */
  row: QueueRow | undefined;
  /** At the time of the claim; undefined for an event without a lane. */
  readonly lane: BusyLane | undefined;
  readonly receipt: string;
  mayBeEarly?: boolean;
}

function keyOf(destination: string, lane: string): string {
  return `${lane} ${destination}`;
}

/**
 * The claimed events. Held in memory only, because a claim ends with the process. The changes of a
 * batch are undone if the batch is not committed.
 */
export class ClaimRegistry {
  /** By position. */
  readonly #claimed = new Map<number, Held>();
  readonly #byReceipt = new Map<string, number>();
  readonly #busy = new Set<string>();
  readonly #unreadable = new Set<number>();
  #undo: (() => void)[] = [];

  /** True for an event that is claimed or was found to be unreadable. */
  isUnavailable(seq: number): boolean {
    return this.#claimed.has(seq) || this.#unreadable.has(seq);
  }

  /** True while an event of the lane is claimed. */
  isBusy(destination: string, lane: string): boolean {
    return this.#busy.has(keyOf(destination, lane));
  }

  /** Whether the event is claimed under this token. */
  isHeld(seq: number, token: string): boolean {
    return this.#claimed.get(seq)?.token === token;
  }

  /** The row of an event that is claimed under this token, unless it was changed since. */
  heldRow(receipt: string, token: string): QueueRow | undefined {
    const seq = this.#byReceipt.get(receipt);
    const held = seq === undefined ? undefined : this.#claimed.get(seq);
    return held?.token === token ? held.row : undefined;
  }

  /** The row of an event has changed: it is read again when the event is settled. */
  touch(seq: number): void {
    const held = this.#claimed.get(seq);
    if (held !== undefined) held.row = undefined;
  }

  /** Outcomes of earlier events may have been forgotten, and all rows may have changed. */
  touchAll(): void {
    for (const held of this.#claimed.values()) {
      held.row = undefined;
      held.mayBeEarly = true;
    }
  }

  /** Whether the event may have been claimed before an event that is in front of it now. */
  mayBeEarly(seq: number): boolean {
    return this.#claimed.get(seq)?.mayBeEarly === true;
  }

  claim(claimed: EventRow, token: string): void {
    const { seq, receipt, source, destination, lane, state, head, replay, due_at } = claimed;
    const row = { seq, source, destination, lane, state, head, replay, due_at };
    this.#add(receipt, seq, { token, row, receipt, lane: lane === null ? undefined : { destination, lane } });
    this.#undo.push(() => void this.#remove(seq));
  }

  /** Ends a claim. Returns the lane that is no longer busy, if there is one. */
  release(seq: number): BusyLane | undefined {
    const held = this.#remove(seq);
    if (held === undefined) return undefined;
    this.#undo.push(() => this.#add(held.receipt, seq, held));
    return held.lane;
  }

  /** Excludes an event until the process ends. Never undone: the data on disk stays unreadable. */
  markUnreadable(seq: number): void {
    this.#unreadable.add(seq);
  }

  commit(): void {
    this.#undo = [];
  }

  rollback(): void {
    for (const step of this.#undo.toReversed()) step();
    this.#undo = [];
  }

  #add(receipt: string, seq: number, held: Held): void {
    this.#claimed.set(seq, held);
    this.#byReceipt.set(receipt, seq);
    const { lane } = held;
    if (lane !== undefined) this.#busy.add(keyOf(lane.destination, lane.lane));
  }

  #remove(seq: number): Held | undefined {
    const held = this.#claimed.get(seq);
    if (held === undefined) return undefined;
    this.#claimed.delete(seq);
    this.#byReceipt.delete(held.receipt);
    const { lane } = held;
    if (lane !== undefined) this.#busy.delete(keyOf(lane.destination, lane.lane));
    return held;
  }
}
