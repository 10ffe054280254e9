import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Random bytes that one receipt takes. */
const BYTES = 16;
/** Filled for many receipts at once: each call for random bytes costs more than the bytes. */
const pool = new Uint8Array(256 * BYTES);
let used = pool.length;

function random(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += BYTES;
  return pool.subarray(used - BYTES, used);
}

let msecs = Number.NEGATIVE_INFINITY;
let seq = 0;

/** A UUID of version 7. Each is above the one before: within a millisecond, or while the clock is behind, they are counted on. */
export function newReceipt(): string {
  const bytes = random();
  const now = Date.now();
  if (now > msecs) {
    msecs = now;
    seq = Buffer.from(bytes.buffer, bytes.byteOffset).readUInt32BE(6) & 0x7f_ff_ff_ff;
  } else {
    seq = (seq + 1) | 0;
    if (seq === 0) msecs += 1;
  }
  return v7({ random: bytes, msecs, seq });
}
