/*
 * The keys of the buffered indexes are 48-bit integers, which are exact in JavaScript and short in
 * SQLite; queue-key.ts has those of lanes. They are stored, so this function cannot change without
 * a migration.
 */

/**
 * The first 48 bits of an identity. Callers must compare the complete identity of what they find.
 */
export function identityKey(identity: Uint8Array): number {
  return Buffer.from(identity.buffer, identity.byteOffset, identity.byteLength).readUIntBE(0, 6);
}

/**
 * Positions of events by key, in memory; the positions of one key in ascending order. Most keys
 * have a single position, which is stored without an array.
 */
export class KeyedPositions {
  readonly #byKey = new Map<number, number | number[]>();

  has(key: number): boolean {
    return this.#byKey.has(key);
  }

  /** The lowest position of a key. */
  first(key: number): number | undefined {
    const known = this.#byKey.get(key);
    return typeof known === 'object' ? known[0] : known;
  }

  positionsOf(key: number): readonly number[] {
    const known = this.#byKey.get(key);
    if (known === undefined) return [];
    return typeof known === 'object' ? known : [known];
  }

  add(key: number, seq: number): void {
    const known = this.#byKey.get(key);
    if (known === undefined) this.#byKey.set(key, seq);
    else if (typeof known === 'number') this.#byKey.set(key, known < seq ? [known, seq] : [seq, known]);
    // Usually appended at the end.
    else known.splice(known.findLastIndex((other) => other < seq) + 1, 0, seq);
  }

  /** @returns whether the position was present */
  delete(key: number, seq: number): boolean {
    const known = this.#byKey.get(key);
    if (typeof known !== 'object') return known === seq && this.#byKey.delete(key);
    const at = known.indexOf(seq);
    if (at < 0) return false;
    // Usually the first one, which shift() removes quickly whatever the length.
    if (at === 0) known.shift();
    else known.splice(at, 1);
    if (known.length === 1) this.#byKey.set(key, known[0] as number);
    return true;
  }

  /** All keys in ascending order. */
  keys(): Float64Array {
    return Float64Array.from(this.#byKey.keys()).toSorted();
  }
}
