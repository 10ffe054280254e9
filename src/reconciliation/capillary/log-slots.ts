import type { TimeRange } from '../../journal/landings.ts';

/* Sums are kept by slots: fixed periods of the time at which Capillary generated the events. */

/** Slots begin at multiples of it. */
export const SLOT_MS = 900_000;
/** Capillary writes its log with a delay, so what was just compared is compared again. */
export const OVERLAP_MS = 900_000;

const DAY_MS = 86_400_000;
/** What UI and metrics of Capillary show. Source: docs/platforms/capillary.md#delivery-log */
const LOG_DAYS = 30;
/** Older days are kept as one sum. */
const KEPT_DAYS = 35;
/** For so long single rows of the log are remembered. */
const ROW_DAYS = 2;
/** Slots whose events are counted by one call before each of them is looked at: 6 h. */
const SLOTS_PER_RANGE = 24;

export function slotOf(at: number): number {
  return Math.floor(at / SLOT_MS) * SLOT_MS;
}

/** Such as `2026-11-30`, of UTC. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** Days before this one are kept as one sum. */
export function firstKeptDay(now: number): string {
  return dayOf(now - KEPT_DAYS * DAY_MS);
}

/** Of earlier days no single rows are remembered. */
export function firstDayWithRows(now: number): string {
  return dayOf(now - ROW_DAYS * DAY_MS);
}

/** The beginning of the first slot that the log still has completely. */
export function oldestSlot(now: number): number {
  return slotOf(now - LOG_DAYS * DAY_MS) + SLOT_MS;
}

/** The slots of a range; the first begins at a multiple, the last one may be shorter. */
export function slotsOf({ from, until }: TimeRange): TimeRange[] {
  const slots: TimeRange[] = [];
  for (let at = slotOf(from); at < until; at += SLOT_MS)
    slots.push({ from: at, until: Math.min(at + SLOT_MS, until) });
  return slots;
}

/** The same in groups that one call can find empty. */
export function slotGroupsOf(range: TimeRange): TimeRange[][] {
  const groups = new Map<number, TimeRange[]>();
  const groupMs = SLOTS_PER_RANGE * SLOT_MS;
  for (const slot of slotsOf(range)) {
    const key = Math.floor(slot.from / groupMs);
    groups.set(key, [...(groups.get(key) ?? []), slot]);
  }
  return [...groups.values()];
}
