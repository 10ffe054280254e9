/*
 * What these functions return is stored, and copied from one engine to another, so they cannot
 * change without a migration.
 */

const LOW_MULTIPLIER = 0x01_00_01_93;
const HIGH_MULTIPLIER = 0x85_eb_ca_6b;

/**
 * The key of one of the two queues of a lane at a destination: a 48-bit integer, which is exact in
 * JavaScript. With a million customers there is a 1 in 500 chance that any two share a key.
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
 * A customer in the counts of contacts, as every engine stores it. Two customers of the same number
 * would count as one, which leaves out one of millions.
 */
export function customerNumber(destination: string, lane: string): number {
  return queueKey(destination, lane, 0);
}
