import type { CapillaryEvent } from '../capillary/event.ts';
import { isPlausibleTime } from '../capillary/times.ts';
import { createNotes, type Notes } from './mapping-notes.ts';
import type { MappingContext } from './mapping-result.ts';
import { createReader, type Reader } from './reader.ts';

/**
 * Events that report a change at the moment of the change, deletions among them. Their `enteredAt`
 * can be that of the registration, so it is not the time of the event
 * (docs/platforms/capillary.md#event-clocks).
 */
const CHANGE_REPORTS: ReadonlySet<string> = new Set(['customerUpdated', 'requestUpdated']);

/**
 * The `timestamp` of an event in epoch ms: business time (`billDate` of a bill, else `enteredAt`,
 * of coupons `addedAt`), else the time Capillary stored it, else the time of receipt with a note
 * (docs/platforms/capillary.md#event-clocks). Never later than Capillary's own time, because
 * nothing happens after it was stored, and never later than the receipt: AEP does not accept times
 * in the future (docs/platforms/adobe.md#event-times).
 */
export function eventTime(
  event: CapillaryEvent,
  data: Reader,
  context: MappingContext,
  notes: Notes,
): number {
  const { receivedAt } = context;
  const stated = data.instant('billDate', 'start') ?? data.instant('enteredAt', 'start');
  const business = stated ?? data.instant('addedAt', 'start');
  const created = plausibleTime(event.createdAt);
  const reported = CHANGE_REPORTS.has(event.eventName) ? created : (business ?? created);
  const at = reported ?? data.instant('releasedAt', 'start');
  if (at === undefined) {
    notes.add('timestamp', 'no-event-time');
    return receivedAt;
  }
  const latest = Math.min(created ?? receivedAt, receivedAt);
  if (at > latest) {
    notes.add('timestamp', latest === receivedAt ? 'after-receipt' : 'after-creation');
  } else if (created !== undefined && created > receivedAt) {
    // `attributeTime` uses the time of receipt then.
    notes.add('createdAt', 'after-receipt');
  }
  return Math.min(at, latest);
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
