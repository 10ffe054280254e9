/** Events within `WINDOW_MS` from which on they come often: some hundred a second. */
const BUSY_EVENTS = 4;
const WINDOW_MS = 12;

/** Tells whether events come often enough for an append to wait for company. */
export class ArrivalRate {
  /** Events of the current window and of the one before. */
  #began = 0;
  #inWindow = 0;
  #inLastWindow = 0;

  /** Counts events. @returns whether many came before them */
  add(events: number): boolean {
    const now = performance.now();
    if (now - this.#began >= WINDOW_MS) {
      this.#inLastWindow = now - this.#began < 2 * WINDOW_MS ? this.#inWindow : 0;
      this.#inWindow = 0;
      this.#began = now;
    }
    const isBusy = this.#inWindow + this.#inLastWindow >= BUSY_EVENTS;
    this.#inWindow += events;
    return isBusy;
  }
}
