import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Random bytes that one receipt needs. */
const RECEIPT_BYTES = 16;
/** Filled for many receipts at once, because each call for random bytes has a high fixed cost. */
const randomPool = new Uint8Array(256 * RECEIPT_BYTES);
let usedBytes = randomPool.length;

function nextRandomBytes(): Uint8Array {
  if (usedBytes === randomPool.length) {
    randomFillSync(randomPool);
    usedBytes = 0;
  }
  usedBytes += RECEIPT_BYTES;
  return randomPool.subarray(usedBytes - RECEIPT_BYTES, usedBytes);
}

let lastMs = Number.NEGATIVE_INFINITY;
let counter = 0;

/**
 * Creates a version 7 UUID. Each is greater than the one before: within a millisecond, or while the
 * clock is behind, a counter is incremented.
 */
export function newReceipt(): string {
  const random = nextRandomBytes();
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    counter = Buffer.from(random.buffer, random.byteOffset).readUInt32BE(6) & 0x7f_ff_ff_ff;
  } else {
    counter = (counter + 1) | 0;
    if (counter === 0) lastMs += 1;
  }
  return v7({ random, msecs: lastMs, seq: counter });
}

/** A receipt, as it is written. */
export const RECEIPT = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;

export function isReceipt(text: string): boolean {
  return RECEIPT.test(text);
}
