const DAY_MS = 86_400_000;
/** Days that can be the day of an event: 2000 to 2099. */
const FIRST_DAY = Date.UTC(2000, 0, 1) / DAY_MS;
const LAST_DAY = Date.UTC(2100, 0, 1) / DAY_MS - 1;

/** The day of events that say nothing plausible about when they were created. */
export const NO_DAY = 0;

/**
 * The partition key of an event: days since 1970 of its `createdAt`. A pure function of the event,
 * so that a repetition of it has the same day whenever and wherever it arrives.
 */
export function dayOf(createdAt: number | undefined): number {
  if (createdAt === undefined) return NO_DAY;
  const day = Math.floor(createdAt / DAY_MS);
  return day >= FIRST_DAY && day <= LAST_DAY ? day : NO_DAY;
}

/** The day of a time of the engine's clock, in epoch ms. */
export function dayAt(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** Epoch ms at which a day begins. */
export function startOfDay(day: number): number {
  return day * DAY_MS;
}
