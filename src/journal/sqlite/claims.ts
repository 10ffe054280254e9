/**
 * The events that are handed out, in memory only: a claim ends with the process. What a batch changes here is undone when the batch is
 * not committed.
 */
export class Claims {
  readonly #held = new Set<number>();
  readonly #unreadable = new Set<number>();
  #undo: (() => void)[] = [];

  /** True for an event that somebody holds or that has shown to be unreadable. */
  skips(seq: number): boolean {
    return this.#held.has(seq) || this.#unreadable.has(seq);
  }

  take(seq: number): void {
    this.#held.add(seq);
    this.#undo.push(() => this.#held.delete(seq));
  }

  drop(seq: number): void {
    if (this.#held.delete(seq)) this.#undo.push(() => this.#held.add(seq));
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
}
