import {
  type EventFilter,
  type Page,
  type PageRequest,
  type Quarantined,
  RefusedError,
  type StoredEvent,
} from '../../journal.ts';
import {
  type AnswerOf,
  FIRST_STEP,
  type QuarantineFilter,
  type Step,
  type Stepped,
} from '../engine/calls.ts';
import type { Channel } from './channel.ts';
import { asBuffer } from './protocol.ts';

/* Calls that consist of many steps, so that no single step blocks the storage thread for long. */

/** Runs steps until the scan is complete and returns their total. */
async function sumOfSteps(run: (step: Step) => Promise<Stepped & { readonly n: number }>): Promise<number> {
  let sum = 0;
  let step: Step | undefined = FIRST_STEP;
  while (step !== undefined) {
    const answer: Stepped & { readonly n: number } = await run(step);
    sum += answer.n;
    step = answer.next;
  }
  return sum;
}

export function countEvents(channel: Pick<Channel, 'call'>, filter: EventFilter): Promise<number> {
  return sumOfSteps(async (step) => {
    const { count, next } = await channel.call('count', { filter, step });
    return { n: count, next };
  });
}

export function discardEvents(
  channel: Pick<Channel, 'call'>,
  request: { readonly filter: EventFilter; readonly by: string },
): Promise<number> {
  return sumOfSteps(async (step) => {
    const { done, next } = await channel.call('discard', { ...request, step });
    return { n: done, next };
  });
}

export function rerouteEvents(
  channel: Pick<Channel, 'call'>,
  request: { readonly source: string; readonly destination: string; readonly by: string },
): Promise<number> {
  return sumOfSteps(async (step) => {
    const { done, next } = await channel.call('reroute', { ...request, step });
    return { n: done, next };
  });
}

const MAX_PAGE_LIMIT = 500;

/** The list that a cursor belongs to; it is refused for the other one. */
type Listing = 'events' | 'quarantine';

/** The cursor of the page that follows the record at this position. */
function cursorAt(listing: Listing, seq: number): string {
  return Buffer.from(`${listing}:${seq}`).toString('base64url');
}

function positionOf(listing: Listing, cursor: string): number {
  const [name, seq = ''] = Buffer.from(cursor, 'base64url').toString('latin1').split(':');
  if (name !== listing || !/^\d{1,15}$/u.test(seq))
    throw new RefusedError('the cursor is not valid for this list');
  return Number(seq);
}

function startOf(listing: Listing, page: PageRequest): number | undefined {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > MAX_PAGE_LIMIT)
    throw new RefusedError(`the limit of a page must be 1 to ${MAX_PAGE_LIMIT}`);
  return page.cursor === undefined ? undefined : positionOf(listing, page.cursor);
}

/** Size of the events of a page as JSON. A page has at least one. */
const MAX_PAGE_BYTES = 4 * 1_024 * 1_024;

/**
 * Reads one event more than the page holds, to know whether it is the last page. A page that is
 * ended early because of its size can be followed by an empty one.
 */
export async function listEvents(
  channel: Pick<Channel, 'call'>,
  filter: EventFilter,
  page: PageRequest,
): Promise<Page<StoredEvent>> {
  const at = startOf('events', page);
  const found: StoredEvent[] = [];
  const positions: number[] = [];
  let bytes = 0;
  let step: Step | undefined = { ...FIRST_STEP, at };
  while (step !== undefined && found.length <= page.limit && bytes < MAX_PAGE_BYTES) {
    const answer: AnswerOf<'list'> = await channel.call('list', {
      filter,
      limit: page.limit + 1 - found.length,
      maxBytes: MAX_PAGE_BYTES - bytes,
      step,
    });
    found.push(...answer.items);
    positions.push(...answer.positions);
    bytes += answer.bytes;
    step = answer.next;
  }
  const items = found.slice(0, page.limit);
  const last = positions[items.length - 1];
  const isLastPage = found.length <= page.limit && bytes < MAX_PAGE_BYTES;
  return last === undefined || isLastPage ? { items } : { items, cursor: cursorAt('events', last) };
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
