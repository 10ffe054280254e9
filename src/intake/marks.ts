import type { StoreConfig } from '../config/schema.ts';
import type { StoreHealth } from '../journal/journal.ts';
import type { Refusal } from './gate.ts';

/** The two marks at which the intake closes. */
export type Marks = Pick<StoreConfig, 'maxBytes' | 'minFree'>;

/** Seconds Capillary is asked to wait; it doubles its own waits to a minute (reference: capillary.md §3). */
const FULL_RETRY = 30;
/** Bytes, at most, that the store must be clear of a mark before the intake opens again, so that it does not flutter. */
const CLEARANCE = 4 * 1_024 * 1_024;
/** Bytes a row costs beside its body, with the pages of the indexes that it touches: a guess to the safe side. */
const ROW_BYTES = 16_384;

/** The most that a body takes of the disk: it is in the write-ahead log and in the file at once. */
export function costOf(bodyBytes: number): number {
  return 2 * bodyBytes + ROW_BYTES;
}

function clearanceOf(mark: number): number {
  return Math.min(CLEARANCE, Math.floor(mark / 64));
}

function full(detail: string): Refusal {
  return { code: 'store-full', detail, retryAfter: FULL_RETRY };
}

/**
 * The mark that is crossed, if one is, when so many bytes are added to what was seen. `closed`: the intake is closed by a mark already, and
 * opens only at a distance from it.
 */
export function crossedMark(
  { usedBytes, freeBytes }: StoreHealth,
  { maxBytes, minFree }: Marks,
  { added = 0, closed = false }: { readonly added?: number; readonly closed?: boolean } = {},
): Refusal | undefined {
  const maxUsed = maxBytes - (closed ? clearanceOf(maxBytes) : 0);
  if (usedBytes + added >= maxUsed) return full('the journal has reached store.maxBytes');
  const leastFree = minFree + (closed ? clearanceOf(minFree) : 0);
  if (freeBytes - added < leastFree) return full('the volume has less than store.minFree left');
  return undefined;
}
