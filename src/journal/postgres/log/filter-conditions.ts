import { shortId } from '../../../capillary/event-id.ts';
import { EQUAL_COLUMNS } from '../../event-columns.ts';
import type { EventFilter } from '../../journal.ts';
import { hasBodySql } from '../engine/body-presence.ts';
import { STATE_CODES } from '../engine/stored-events.ts';
import { storedText, storedTextOrNull } from '../engine/stored-text.ts';
import type { Param } from '../sessions/session.ts';

/*
 * A filter as a condition of constant text, so that each kind of scan is one prepared statement
 * whatever it filters by. A part that the filter does not have is null.
 */

/** Parameters that `filterParams` returns. */
export const FILTER_PARAMS = 12;

/** An earlier version stored long ids completely. */
export function idsOf(eventId: string): readonly string[] {
  return [...new Set([eventId, shortId(eventId)])];
}

/**
 * SQL that is true for the events of a filter. The parameters from `first` on are those of
 * `filterParams`.
 * @param event the alias of a row with the columns of `events`
 */
export function filterSql(event: string, first: number): string {
  const texts = EQUAL_COLUMNS.map(([, column], index) => {
    const param = `$${first + index}::text`;
    return `(${param} IS NULL OR ${event}.${column} = ${param})`;
  });
  const [states, ids, since, until, body, settledSince, settledUntil] = [5, 6, 7, 8, 9, 10, 11].map(
    (index) => `$${first + index}`,
  );
  return [
    ...texts,
    `(${states}::text[] IS NULL OR ${event}.state::text = ANY (${states}::text[]))`,
    `(${ids}::text[] IS NULL OR ${event}.event_id = ANY (${ids}::text[]))`,
    `(${since}::bigint IS NULL OR ${event}.received_at >= ${since})`,
    `(${until}::bigint IS NULL OR ${event}.received_at < ${until})`,
    `(${settledSince}::bigint IS NULL OR ${event}.settled_at >= ${settledSince})`,
    `(${settledUntil}::bigint IS NULL OR ${event}.settled_at < ${settledUntil})`,
    `CASE WHEN ${body}::boolean IS NULL THEN true ELSE ${hasBodySql(event)} = ${body} END`,
  ].join(' AND ');
}

/** The values of the parameters of `filterSql`. Receipts are not among them. */
export function filterParams(filter: EventFilter): Param[] {
  return [
    ...EQUAL_COLUMNS.map(([key]) => storedTextOrNull(filter[key])),
    filter.states?.map((state) => STATE_CODES[state]) ?? null,
    filter.eventId === undefined ? null : idsOf(filter.eventId).map(storedText),
    filter.since ?? null,
    filter.until ?? null,
    filter.hasBody ?? null,
    filter.settledSince ?? null,
    filter.settledUntil ?? null,
  ];
}
