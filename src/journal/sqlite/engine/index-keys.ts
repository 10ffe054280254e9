/*
 * The keys of the buffered indexes are 48-bit integers, which are exact in JavaScript and short in
 * SQLite. They are stored, so these functions cannot change without a migration.
 */

/**
 * The first 48 bits of an identity. Callers must compare the complete identity of what they find.
 */
export function identityKey(identity: Uint8Array): number {
  return Buffer.from(identity.buffer, identity.byteOffset, identity.byteLength).readUIntBE(0, 6);
}

const LOW_MULTIPLIER = 0x01_00_01_93;
const HIGH_MULTIPLIER = 0x85_eb_ca_6b;

/**
 * The key of one of the two queues of a lane at a destination. Lanes with the same key share a
 * queue and wait for each other; with a million waiting customers there is a 1 in 500 chance that
 * any two do.
 */
export function queueKey(destination: string, lane: string, replay: number): number {
  const text = `${replay}${destination} ${lane}`;
  let low = 0x81_1c_9d_c5;
  let high = 0x9e_37_79_b9;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, LOW_MULTIPLIER);
    high = Math.imul(high ^ code, HIGH_MULTIPLIER);
    high ^= high >>> 15;
  }
  low ^= low >>> 16;
  return ((low ^ (low >>> 8)) & 0xff_ff_ff) * 0x1_00_00_00 + ((high ^ (high >>> 8)) & 0xff_ff_ff);
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
