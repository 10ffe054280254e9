/** Positions of events by key, in memory; those of one key in rising order. Most keys have one, which takes no list. */
export class KeyedPositions {
  readonly #of = new Map<number, number | number[]>();

  has(key: number): boolean {
    return this.#of.has(key);
  }

  /** The lowest position of a key. */
  first(key: number): number | undefined {
    const known = this.#of.get(key);
    return typeof known === 'object' ? known[0] : known;
  }

  of(key: number): readonly number[] {
    const known = this.#of.get(key);
    if (known === undefined) return [];
    return typeof known === 'object' ? known : [known];
  }

  add(key: number, seq: number): void {
    const known = this.#of.get(key);
    if (known === undefined) this.#of.set(key, seq);
    else if (typeof known === 'number') this.#of.set(key, known < seq ? [known, seq] : [seq, known]);
    // Mostly behind the last.
    else known.splice(known.findLastIndex((one) => one < seq) + 1, 0, seq);
  }

  /** @returns whether it was there */
  drop(key: number, seq: number): boolean {
    const known = this.#of.get(key);
    if (typeof known !== 'object') return known === seq && this.#of.delete(key);
    const at = known.indexOf(seq);
    if (at < 0) return false;
    // Mostly the first leaves, which is quick however many there are.
    if (at === 0) known.shift();
    else known.splice(at, 1);
    if (known.length === 1) this.#of.set(key, known[0] as number);
    return true;
  }

  /** All keys in rising order. */
  keys(): Float64Array {
    return Float64Array.from(this.#of.keys()).toSorted();
  }
}
