/*
 * The keys of the buffered indexes: whole numbers of 48 bits, which are exact in JavaScript and short in SQLite. They are stored, so what makes
 * them can never change without a migration.
 */

/** The key of an identity: its beginning. Who finds an event by it compares the whole identity. */
export function identityKey(identity: Uint8Array): number {
  return Buffer.from(identity.buffer, identity.byteOffset, identity.byteLength).readUIntBE(0, 6);
}

const PRIME = 0x01_00_01_93;
const OTHER_PRIME = 0x85_eb_ca_6b;

/**
 * The key of one of the two queues of a lane at a destination. Two lanes that share a key are one queue, in which they wait for each other; of a
 * million waiting customers one in five hundred times any two do.
 */
export function queueKey(destination: string, lane: string, replay: number): number {
  const text = `${replay}${destination} ${lane}`;
  let low = 0x81_1c_9d_c5;
  let high = 0x9e_37_79_b9;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, PRIME);
    high = Math.imul(high ^ code, OTHER_PRIME);
    high ^= high >>> 15;
  }
  low ^= low >>> 16;
  return ((low ^ (low >>> 8)) & 0xff_ff_ff) * 0x1_00_00_00 + ((high ^ (high >>> 8)) & 0xff_ff_ff);
}
