import type {
  EventFilter,
  Page,
  PageRequest,
  Quarantined,
  RefreshBacklog,
  StoredEvent,
} from '../../journal.ts';
import { cursorAt, type Listing, MAX_PAGE_BYTES, startOf } from '../../pages.ts';
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

/** The refreshes of all steps, in the order of their routes. */
export async function countRefreshes(channel: Pick<Channel, 'call'>): Promise<readonly RefreshBacklog[]> {
  const found = new Map<string, RefreshBacklog>();
  let after: number | undefined = 0;
  while (after !== undefined) {
    const answer: AnswerOf<'refreshes'> = await channel.call('refreshes', { after });
    for (const more of answer.backlogs) {
      const key = `${more.source}\0${more.destination}`;
      const known = found.get(key);
      found.set(key, known === undefined ? more : sumOfRefreshes(known, more));
    }
    after = answer.next;
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, backlog]) => backlog);
}

function sumOfRefreshes(a: RefreshBacklog, b: RefreshBacklog): RefreshBacklog {
  return {
    ...a,
    customers: a.customers + b.customers,
    bills: a.bills + b.bills,
    running: a.running + b.running,
    oldestAt: Math.min(a.oldestAt, b.oldestAt),
  };
}

/** A position of the SQLite engine. */
const POSITION = /^\d{1,15}$/u;

function positionBefore(listing: Listing, page: PageRequest): number | undefined {
  const start = startOf(listing, page, POSITION);
  return start === undefined ? undefined : Number(start);
}

/**
 * Reads one event more than the page holds, to know whether it is the last page. A page that is
 * ended early because of its size can be followed by an empty one.
 */
export async function listEvents(
  channel: Pick<Channel, 'call'>,
  filter: EventFilter,
  page: PageRequest,
): Promise<Page<StoredEvent>> {
  const at = positionBefore('events', page);
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
  const before = positionBefore('quarantine', page);
  const answer = await channel.call('listQuarantined', { filter, limit: page.limit, before });
  const items = answer.items.map((item) => ({ ...item, body: asBuffer(item.body) }));
  return answer.more === undefined ? { items } : { items, cursor: cursorAt('quarantine', answer.more) };
}
