import type { DestinationReconcileConfig } from '../config/reconcile-config.ts';
import type { MessageKind, Settlement } from '../journal/journal.ts';
import type { MessageResult } from './event-settlement.ts';

/**
 * Messages of this size and above can have a record that is too large for Profile, which Adobe
 * does not tell. Bytes of the whole message.
 * Source: docs/platforms/adobe.md#record-limits
 */
const NEAR_LIMIT_BYTES: Readonly<Record<MessageKind, number>> = { event: 8_000, profile: 80_000 };

const FNV_OFFSET = 0x81_1c_9d_c5;
const FNV_PRIME = 0x01_00_01_93;
const VALUES = 2 ** 32;

/** FNV-1a, as a number from 0 to 1: each replica chooses the same events. */
function shareOf(receipt: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < receipt.length; index += 1)
    hash = Math.imul(hash ^ receipt.charCodeAt(index), FNV_PRIME);
  // The last characters of a text change the upper bits too little.
  hash = Math.imul(hash ^ (hash >>> 16), FNV_PRIME);
  hash = Math.imul(hash ^ (hash >>> 13), FNV_PRIME);
  return ((hash ^ (hash >>> 16)) >>> 0) / VALUES;
}

/**
 * Adds to the settlement of a delivered event whether it is to be read back: a share of all, and
 * those that may be too large. With `readBack: 0` none is.
 */
export function withWatch(
  settlement: Settlement,
  results: readonly MessageResult[],
  reconcile: Pick<DestinationReconcileConfig, 'readBack'> | undefined,
): Settlement {
  const { readBack = 0 } = reconcile ?? {};
  if (readBack === 0 || settlement.state !== 'delivered' || results.length === 0) return settlement;
  const isLarge = results.some(({ message: { bytes, kind } }) => bytes >= NEAR_LIMIT_BYTES[kind]);
  return isLarge || shareOf(settlement.receipt) < readBack ? { ...settlement, watch: true } : settlement;
}
