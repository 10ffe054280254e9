import { isPlausible } from '../capillary/times.ts';
import type { CapillaryEvent } from '../capillary/event.ts';
import type { MappingContext } from './mapped.ts';
import { createNotes, type Notes } from './notes.ts';
import { createReader, type Reader } from './reader.ts';

/**
 * The `timestamp` of an event, epoch ms: when it happened in the business (`billDate` of a bill, else
 * `enteredAt`, of coupons `addedAt`), else when Capillary stored it, else when it came to us. Never after its receipt: AEP refuses
 * times of the future (reference: adobe.md §4.4).
 */
export function eventTime(
  event: CapillaryEvent,
  data: Reader,
  context: MappingContext,
  notes: Notes,
): number {
  const business = data.instant('billDate') ?? data.instant('enteredAt') ?? data.instant('addedAt');
  const at = business ?? plausible(event.createdAt) ?? context.receivedAt;
  if (at > context.receivedAt) {
    notes.add('timestamp', 'after-receipt');
  }
  return Math.min(at, context.receivedAt);
}

/**
 * The time that decides which of two values of a profile attribute is newer, epoch ms. It goes by Capillary's
 * own clock: `enteredAt` comes from tills, may be back-dated, and repeats (reference: capillary.md §6.6).
 */
export function attributeTime(event: CapillaryEvent, context: MappingContext): number {
  const created = plausible(event.createdAt);
  if (created !== undefined) {
    return Math.min(created, context.receivedAt);
  }
  const notes = createNotes();
  return eventTime(event, createReader(event.data, 'data', context.source.timezone, notes), context, notes);
}

function plausible(at: number | undefined): number | undefined {
  return at !== undefined && isPlausible(at) ? Math.trunc(at) : undefined;
}
