import { type PageRequest, RefusedError } from './journal.ts';

/* Pages of the lists of an engine. A cursor is the position of the last record of a page. */

const MAX_PAGE_LIMIT = 500;

/**
 * Size of one page, because all of it is in memory at once: of events as JSON, of quarantined
 * requests as received. A page has at least one item.
 */
export const MAX_PAGE_BYTES = 4 * 1_024 * 1_024;

/** The list that a cursor belongs to; it is refused for the other one. */
export type Listing = 'events' | 'quarantine';

/** The cursor of the page that follows the record at this position. */
export function cursorAt(listing: Listing, position: string | number): string {
  return Buffer.from(`${listing}:${position}`).toString('base64url');
}

function positionIn(listing: Listing, cursor: string, form: RegExp): string {
  const [name, position = ''] = Buffer.from(cursor, 'base64url').toString('latin1').split(':');
  if (name !== listing || !form.test(position))
    throw new RefusedError('the cursor is not valid for this list');
  return position;
}

/**
 * The position after which the page starts; undefined for the first page.
 * @param form what a position of the engine looks like
 * @throws RefusedError if the limit or the cursor is invalid
 */
export function startOf(listing: Listing, page: PageRequest, form: RegExp): string | undefined {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > MAX_PAGE_LIMIT)
    throw new RefusedError(`the limit of a page must be 1 to ${MAX_PAGE_LIMIT}`);
  return page.cursor === undefined ? undefined : positionIn(listing, page.cursor, form);
}
