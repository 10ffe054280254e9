import type { CapillaryEvent } from '../capillary/event.ts';
import { isPlausibleTime } from '../capillary/times.ts';
import { createNotes, type Notes } from './mapping-notes.ts';
import type { MappingContext } from './mapping-result.ts';
import { createReader, type Reader } from './reader.ts';

/**
 * The `timestamp` of an event in epoch ms: business time (`billDate` of a bill, else `enteredAt`,
 * of coupons `addedAt`), else the time Capillary stored it, else the time of receipt
 * (docs/platforms/capillary.md#event-clocks). Never later than the receipt: AEP does not accept
 * times in the future (docs/platforms/adobe.md#event-times).
 */
export function eventTime(
  event: CapillaryEvent,
  data: Reader,
  context: MappingContext,
  notes: Notes,
): number {
  const business = data.instant('billDate') ?? data.instant('enteredAt') ?? data.instant('addedAt');
  const at = business ?? plausibleTime(event.createdAt) ?? data.instant('releasedAt') ?? context.receivedAt;
  if (at > context.receivedAt) {
    notes.add('timestamp', 'after-receipt');
  }
  return Math.min(at, context.receivedAt);
}

/**
 * The time in epoch ms that decides which of two values of a profile attribute is newer.
 * Capillary's own clock is preferred: `enteredAt` comes from tills, can be back-dated, and repeats
 * (docs/platforms/capillary.md#event-clocks).
 */
export function attributeTime(event: CapillaryEvent, context: MappingContext): number {
  const created = plausibleTime(event.createdAt);
  if (created !== undefined) {
    return Math.min(created, context.receivedAt);
  }
  const notes = createNotes();
  return eventTime(event, createReader(event.data, 'data', context.source.timezone, notes), context, notes);
}

function plausibleTime(at: number | undefined): number | undefined {
  return at !== undefined && isPlausibleTime(at) ? Math.trunc(at) : undefined;
}
