/** The lane that a claimed event keeps busy. */
export interface BusyLane {
  readonly destination: string;
  readonly lane: string;
}

interface Claimable {
  readonly seq: number;
  readonly destination: string;
  readonly lane: string | null;
}

function keyOf(destination: string, lane: string): string {
  return `${lane} ${destination}`;
}

/**
 * The claimed events. Held in memory only, because a claim ends with the process. The changes of a
 * batch are undone if the batch is not committed.
 */
export class ClaimRegistry {
  /** By position: the lane at the time of the claim; undefined for an event without a lane. */
  readonly #claimed = new Map<number, BusyLane | undefined>();
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

  claim({ seq, destination, lane }: Claimable): void {
    this.#add(seq, lane === null ? undefined : { destination, lane });
    this.#undo.push(() => void this.#remove(seq));
  }

  /** Ends a claim. Returns the lane that is no longer busy, if there is one. */
  release(seq: number): BusyLane | undefined {
    if (!this.#claimed.has(seq)) return undefined;
    const lane = this.#remove(seq);
    this.#undo.push(() => this.#add(seq, lane));
    return lane;
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

  #add(seq: number, lane: BusyLane | undefined): void {
    this.#claimed.set(seq, lane);
    if (lane !== undefined) this.#busy.add(keyOf(lane.destination, lane.lane));
  }

  #remove(seq: number): BusyLane | undefined {
    const lane = this.#claimed.get(seq);
    this.#claimed.delete(seq);
    if (lane !== undefined) this.#busy.delete(keyOf(lane.destination, lane.lane));
    return lane;
  }
}
