import { type EventFilter, type Page, type PageRequest, type Quarantined, RefusedError } from '../journal.ts';
import type { StoredEvent } from '../journal.ts';
import { asBuffer } from './buffers.ts';
import type { Channel } from './channel.ts';
import { type AnswerOf, FIRST_STEP, type QuarantineFilter, type Step } from './protocol.ts';

const MAX_LIMIT = 500;

/** What a cursor goes through; one of the other list is refused. */
type Listing = 'events' | 'quarantine';

/** The cursor of the page after the record at this position. */
function cursorAt(listing: Listing, seq: number): string {
  return Buffer.from(`${listing}:${seq}`).toString('base64url');
}

function positionOf(listing: Listing, cursor: string): number {
  const [of, seq = ''] = Buffer.from(cursor, 'base64url').toString('latin1').split(':');
  if (of !== listing || !/^\d{1,15}$/u.test(seq)) throw new RefusedError('the cursor is none of this list');
  return Number(seq);
}

function startOf(listing: Listing, page: PageRequest): number | undefined {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > MAX_LIMIT)
    throw new RefusedError(`the limit of a page must be 1 to ${MAX_LIMIT}`);
  return page.cursor === undefined ? undefined : positionOf(listing, page.cursor);
}

/** A page of events. Looks for one more than it gives, to know whether it is the last. */
export async function listEvents(
  channel: Pick<Channel, 'call'>,
  filter: EventFilter,
  page: PageRequest,
): Promise<Page<StoredEvent>> {
  const at = startOf('events', page);
  const found: StoredEvent[] = [];
  let step: Step | undefined = { ...FIRST_STEP, at };
  while (step !== undefined && found.length <= page.limit) {
    const answer: AnswerOf<'list'> = await channel.call('list', {
      filter,
      limit: page.limit + 1 - found.length,
      step,
    });
    found.push(...answer.items);
    step = answer.next;
  }
  const items = found.slice(0, page.limit);
  const last = items.at(-1);
  return last === undefined || found.length <= page.limit
    ? { items }
    : { items, cursor: cursorAt('events', last.seq) };
}

export async function listQuarantine(
  channel: Pick<Channel, 'call'>,
  filter: QuarantineFilter,
  page: PageRequest,
): Promise<Page<Quarantined>> {
  const before = startOf('quarantine', page);
  const answer = await channel.call('listQuarantined', { filter, limit: page.limit, before });
  const items = answer.items.map((item) => ({ ...item, body: asBuffer(item.body) }));
  return answer.more === undefined ? { items } : { items, cursor: cursorAt('quarantine', answer.more) };
}
