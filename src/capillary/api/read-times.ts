import { isCalendarDay, parseLocalDate } from '../times.ts';

/*
 * Times of Capillary's answers. A field without a zone is in the zone of the cluster, and usually
 * has a twin that ends with `ISO` (docs/platforms/capillary.md#read-times).
 */

/** Reads the twin, or else the field, as epoch ms; undefined if neither is a time. */
export function timeOf(
  twin: string | undefined,
  field: string | undefined,
  serverZone: string,
): number | undefined {
  for (const text of [twin, field]) {
    const at = text === undefined ? undefined : parseLocalDate(text, serverZone, 'start');
    if (at !== undefined) return at;
  }
  return undefined;
}

/** Like `timeOf` for a field that has local time with the label of UTC. */
export function mislabelledTimeOf(
  twin: string | undefined,
  field: string | undefined,
  serverZone: string,
): number | undefined {
  return timeOf(twin, field?.trim().replace(/\s?(?:[Zz]|[+-]00:?00)$/, ''), serverZone);
}

/** The day of a date, as it is written: an expiry date is the end of its day in every zone. */
export function dayOf(field: string | undefined, twin: string | undefined): string | undefined {
  return [field, twin]
    .map((text) => /^\d{4}-\d{2}-\d{2}/.exec(text ?? '')?.[0])
    .find((day) => day !== undefined && isCalendarDay(day));
}
