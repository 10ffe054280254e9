import { setTimeout as sleep } from 'node:timers/promises';
import type { EventAnswer } from './admin-answers.ts';
import type { AdminClient, Query } from './admin-client.ts';
import { CommandError, EXIT } from './command-error.ts';

export interface EventsAnswer {
  readonly events: readonly EventAnswer[];
  readonly next?: string | null;
}

export interface FollowParts {
  readonly client: Pick<AdminClient, 'get'>;
  /** As for a list. */
  readonly filter: Readonly<Record<string, string>>;
  /** How many of the events that already exist are shown first. */
  readonly limit: number;
  readonly signal: AbortSignal;
  /** Called once before the first event, with the number of those that already exist. */
  readonly begin: (earlier: number) => void;
  /** Prints an event that is new or has changed its state. */
  readonly show: (event: EventAnswer) => void;
  /** Says something that is not an event. */
  readonly note: (text: string) => void;
  /** Time between two polls in ms. */
  readonly intervalMs?: number;
}

const POLL_INTERVAL_MS = 1_000;
const PAGE_SIZE = 500;
/** Receipts in one request; the API accepts as many. */
const RECEIPTS_PER_REQUEST = 100;
/** Pending events whose outcome is looked up at each poll; the oldest are given up first. */
const MAX_PENDING = 1_000;
/** Events whose state is remembered, so that the next poll knows where the last one ended. */
const MAX_KNOWN = 5_000;

/** Deletes the oldest entries beyond a number. */
function trim(entries: Map<string, unknown>, max: number): void {
  for (const key of entries.keys()) {
    if (entries.size <= max) return;
    entries.delete(key);
  }
}

/** The states of the events that were seen, and which of them are pending. */
function createSeen() {
  const states = new Map<string, string>();
  const pending = new Map<string, true>();
  return {
    has: (receipt: string): boolean => states.has(receipt),
    pending: (): string[] => [...pending.keys()],
    forget: (receipt: string): void => void pending.delete(receipt),
    /** @returns whether the event is new or has another state than before */
    record({ receipt, state }: EventAnswer): boolean {
      const isChanged = states.get(receipt) !== state;
      states.set(receipt, state);
      if (state === 'pending') pending.set(receipt, true);
      else pending.delete(receipt);
      trim(states, MAX_KNOWN);
      trim(pending, MAX_PENDING);
      return isChanged;
    },
  };
}

/**
 * Events as they are listed, newest first, in pages: a page can have fewer than were asked for.
 * @param isEnough whether no further page is needed
 */
async function readPages(
  { client }: Pick<FollowParts, 'client'>,
  query: Query,
  isEnough: (page: readonly EventAnswer[], total: number) => boolean = () => false,
): Promise<readonly EventAnswer[]> {
  const events: EventAnswer[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.get<EventsAnswer>('/events', { ...query, cursor });
    events.push(...page.events);
    if (isEnough(page.events, events.length)) break;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return events;
}

async function readPending(parts: FollowParts, receipts: readonly string[]): Promise<EventAnswer[]> {
  const found: EventAnswer[] = [];
  for (let start = 0; start < receipts.length; start += RECEIPTS_PER_REQUEST) {
    const chunk = receipts.slice(start, start + RECEIPTS_PER_REQUEST).join(',');
    found.push(...(await readPages(parts, { receipts: chunk, limit: RECEIPTS_PER_REQUEST })));
  }
  return found;
}

/** What the next poll shows: new events, then those that have changed. */
async function poll(parts: FollowParts, base: Query, seen: ReturnType<typeof createSeen>) {
  const waiting = seen.pending();
  // Back to an event that the last poll has seen, so that none is missed.
  const isConnected = (page: readonly EventAnswer[]): boolean =>
    page.some(({ receipt }) => seen.has(receipt));
  const newest = (await readPages(parts, { ...base, limit: PAGE_SIZE }, isConnected)).toReversed();
  const changed = newest.filter((event) => seen.record(event));
  const listed = new Set(newest.map(({ receipt }) => receipt));
  const elsewhere = waiting.filter((receipt) => !listed.has(receipt));
  const looked = await readPending(parts, elsewhere);
  const present = new Set(looked.map(({ receipt }) => receipt));
  for (const receipt of elsewhere) if (!present.has(receipt)) seen.forget(receipt);
  return [...changed, ...looked.toReversed().filter((event) => seen.record(event))];
}

/**
 * Shows the newest events, then each one as it is accepted and again when it is settled, until the
 * signal aborts. No event between two polls is missed, however many there are. The relay may be
 * restarted meanwhile.
 * @throws CommandError if the relay refuses the filter, or does not answer at first
 */
export async function followEvents(parts: FollowParts): Promise<void> {
  const { filter, limit, signal, begin, show, note, intervalMs = POLL_INTERVAL_MS } = parts;
  // An event enters the list when it is accepted, and its state changes later: so state and reason
  // are compared here.
  const { state, reason, ...base } = filter;
  const states = state?.split(',');
  const isWanted = (event: EventAnswer): boolean =>
    (states === undefined || states.includes(event.state)) &&
    (reason === undefined || event.reason === reason);

  const seen = createSeen();
  const list = async (query: Query, count: number): Promise<readonly EventAnswer[]> => {
    const pageSize = Math.min(count, PAGE_SIZE);
    const events = await readPages(parts, { ...query, limit: pageSize }, (_, total) => total >= count);
    return events.slice(0, count).toReversed();
  };
  for (const event of await list({ ...base, state: 'pending' }, MAX_PENDING)) seen.record(event);
  for (const event of await list(base, PAGE_SIZE)) seen.record(event);
  // Last, so that nothing falls between what is shown now and what the first poll finds.
  const earlier = await list(filter, limit);
  begin(earlier.length);
  for (const event of earlier) {
    seen.record(event);
    show(event);
  }

  let isDown = false;
  while (!signal.aborted) {
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const events = await poll(parts, base, seen);
      if (isDown) note('the relay answers again');
      isDown = false;
      for (const event of events.filter(isWanted)) show(event);
    } catch (error) {
      if (!(error instanceof CommandError) || error.exitCode === EXIT.usage) throw error;
      if (!isDown) note(`${error.message} Waiting for it.`);
      isDown = true;
    }
  }
}
