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
 * The events that are handed out, in memory only: a claim ends with the process. What a batch changes here is undone when the batch is
 * not committed.
 */
export class Claims {
  /** By position: the lane, as it was when it was claimed; undefined for an event without one. */
  readonly #held = new Map<number, BusyLane | undefined>();
  readonly #busy = new Set<string>();
  readonly #unreadable = new Set<number>();
  #undo: (() => void)[] = [];

  /** True for an event that somebody holds or that has shown to be unreadable. */
  skips(seq: number): boolean {
    return this.#held.has(seq) || this.#unreadable.has(seq);
  }

  /** True while an event of the lane is handed out. */
  isBusy(destination: string, lane: string): boolean {
    return this.#busy.has(keyOf(destination, lane));
  }

  take({ seq, destination, lane }: Claimable): void {
    this.#hold(seq, lane === null ? undefined : { destination, lane });
    this.#undo.push(() => void this.#letGo(seq));
  }

  /** Answers the lane that was kept busy and no longer is, if there is one. */
  drop(seq: number): BusyLane | undefined {
    if (!this.#held.has(seq)) return undefined;
    const lane = this.#letGo(seq);
    this.#undo.push(() => this.#hold(seq, lane));
    return lane;
  }

  /** Leaves an event out until the process ends. Not undone: what is on the disk stays unreadable. */
  setAside(seq: number): void {
    this.#unreadable.add(seq);
  }

  commit(): void {
    this.#undo = [];
  }

  rollback(): void {
    for (const step of this.#undo.toReversed()) step();
    this.#undo = [];
  }

  #hold(seq: number, lane: BusyLane | undefined): void {
    this.#held.set(seq, lane);
    if (lane !== undefined) this.#busy.add(keyOf(lane.destination, lane.lane));
  }

  #letGo(seq: number): BusyLane | undefined {
    const lane = this.#held.get(seq);
    this.#held.delete(seq);
    if (lane !== undefined) this.#busy.delete(keyOf(lane.destination, lane.lane));
    return lane;
  }
}
