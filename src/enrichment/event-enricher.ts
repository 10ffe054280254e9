import type { CapillaryClient } from '../capillary/api/capillary-client.ts';
import type { EnrichRequest, Enricher, Enrichment, MissingReason } from '../capillary/enricher.ts';
import type { FetchedBill, FetchedCustomer } from '../capillary/entities.ts';
import type { EnrichConfig } from '../config/enrich-config.ts';
import type { SourceConfig } from '../config/source-config.ts';
import { createBackgroundClient } from './background-client.ts';
import { createBillFetch } from './bill-fetch.ts';
import { PRIORITY } from './api-call-queue.ts';
import { createCallStage, type CallStageParts } from './call-stage.ts';
import { createCustomerFetch } from './customer-fetch.ts';
import type { Endpoint } from './enrichment-observer.ts';
import type { EnrichmentStatus } from './enrichment-status.ts';
import { type EventTimes, timesOf } from './event-times.ts';
import { type Collected, enrichmentOf, type Part } from './event-wait.ts';
import { createFetchPool } from './fetch-pool.ts';
import { createLostWaits } from './lost-waits.ts';
import { createRecentCounts } from './recent-counts.ts';
import type { FetchedPart, SharedFetch } from './shared-fetch.ts';
import { SYSTEM_CLOCK, type StageClock } from './stage-clock.ts';
import { type Wants, wantsOf } from './wants.ts';

export interface EnricherOptions extends Pick<CallStageParts, 'api' | 'reads' | 'observer'> {
  readonly source: Pick<SourceConfig, 'name' | 'labels'>;
  readonly enrich: EnrichConfig;
  /** Organisation of the API client, once it is known: events of others want nothing. */
  readonly orgId?: () => number | undefined;
  /** Processes that share the API key, from 1. Default: 1. */
  readonly share?: () => number;
  readonly clock?: StageClock;
  /** A number in [0, 1). */
  readonly jitter?: () => number;
}

/** Completes the events of one source from Capillary's API. */
export interface EventEnricher extends Enricher {
  /** Whether calls are left for refreshes: the API answers, and live events do not need all. */
  readonly hasCallsToSpare: boolean;
  /** The client for calls of other stages, below all of enrichment. */
  inBackground(client: Pick<CapillaryClient, 'get'>): Pick<CapillaryClient, 'get'>;
  status(): EnrichmentStatus;
  /** Everything that waits goes on at once, no call starts, and running ones end. Idempotent. */
  close(): void;
}

/** More would hold too much memory; they go on without. */
const MAX_WAITING = 500;
/** A longer wait for a call means that live events take all. */
const MAX_REFRESH_WAIT_MS = 5_000;
const MINUTE_MS = 60_000;
/** Reasons for which an event waited until it could wait no longer. */
const LOST: ReadonlySet<MissingReason> = new Set(['budget', 'timeout', 'unknown']);

function keyOf({ orgId }: EnrichRequest['event'], id: string): string {
  return `${orgId}/${id}`;
}

export function createEnricher(options: EnricherOptions): EventEnricher {
  const { source, enrich, observer, api, reads, clock = SYSTEM_CLOCK } = options;
  const { share = () => 1, orgId = () => undefined, jitter = Math.random } = options;
  const ending = new AbortController();
  const lostWaits = createLostWaits(clock);
  const counts = createRecentCounts(MINUTE_MS, 60, clock.monotonic);
  let waiting = 0;
  let isMasked = false;

  const releaseAll = (reason: MissingReason): void => {
    for (const fetch of customers.all()) fetch.release(reason);
    for (const fetch of bills.all()) fetch.release(reason);
  };

  const stage = createCallStage({
    source: source.name,
    api,
    attempts: enrich.attempts,
    reads,
    share,
    observer,
    clock,
    jitter,
    onCircuit: ({ state }) => {
      if (state === 'open') releaseAll('unavailable');
    },
    signal: ending.signal,
  });
  const { queue, budget, circuit, forbidden } = stage;
  const onError = (error: unknown): void =>
    observer.errorCaught(source.name, 'an event could not be completed', error);
  const fetchCustomer = createCustomerFetch(stage);
  const customers = createFetchPool<string, FetchedCustomer>({
    fetch: async (customerId, ticket) => {
      const outcome = await fetchCustomer(customerId, ticket);
      if (outcome.kind === 'fetched' && outcome.value.kind === 'found')
        isMasked = outcome.value.customer.isMasked === true;
      return outcome;
    },
    queue,
    clock,
    onError,
  });
  const fetchBill = createBillFetch(stage);
  const bills = createFetchPool<NonNullable<Wants['bill']>, FetchedBill>({
    fetch: fetchBill,
    queue,
    clock,
    onError,
  });

  /** Why the event goes on without asking; undefined: it waits. */
  const refusal = (endpoint: Endpoint, isActive: boolean, times: EventTimes): MissingReason | undefined => {
    if (ending.signal.aborted || circuit.isOpen) return 'unavailable';
    if (forbidden.isOff(endpoint)) return 'forbidden';
    if (waiting >= MAX_WAITING) return 'budget';
    if (times.deadline <= clock.monotonic()) return 'timeout';
    if (isActive) return undefined;
    const startsAt = clock.monotonic() + queue.msUntilStart(times.priority);
    if (Math.max(startsAt, times.due) > times.lastStart) return 'budget';
    return times.isFlood && !budget.takeFlood() ? 'budget' : undefined;
  };

  /** @returns the part at once, or what leaves the fetch */
  const ask = <T>(
    endpoint: Endpoint,
    fetch: SharedFetch<T>,
    times: EventTimes,
    done: (part: FetchedPart<T>) => void,
  ): FetchedPart<T> | (() => void) => {
    const value = fetch.answerFor(times.servedFrom);
    if (value !== undefined) return { value };
    const missing = refusal(endpoint, fetch.isActive, times);
    return missing === undefined ? fetch.join({ ...times, done }) : { missing };
  };

  const recordWait = (
    { event, purpose }: EnrichRequest,
    { missing }: Collected,
    startedAt?: number,
  ): void => {
    if (event.customerId === undefined) return;
    const lane = keyOf(event, event.customerId);
    const reasons = Object.values(missing);
    if (reasons.length === 0) lostWaits.answered(lane);
    else if (startedAt !== undefined && purpose === 'live' && reasons.some((one) => LOST.has(one)))
      lostWaits.lost(lane, startedAt);
  };

  /** Those before it in its lane may have waited for the same answers in vain. */
  const timesInLane = (request: EnrichRequest, isFlood: boolean): EventTimes => {
    const times = timesOf(request, isFlood, enrich, clock);
    const { customerId } = request.event;
    if (customerId === undefined || request.purpose !== 'live') return times;
    const lane = keyOf(request.event, customerId);
    return { ...times, deadline: lostWaits.deadlineOf(lane, times.received, times.deadline) };
  };

  /** @param startedAt absent if the event did not wait */
  const settle = (request: EnrichRequest, collected: Collected, startedAt?: number): Enrichment => {
    const { customer, missing } = collected;
    recordWait(request, collected, startedAt);
    if (customer?.kind === 'erased')
      for (const fetch of bills.all())
        fetch.forget(({ bill }) => bill.customerId === request.event.customerId);
    const waited = startedAt === undefined ? 0 : clock.monotonic() - startedAt;
    const outcome = missing.customer ?? missing.bill ?? 'complete';
    const isCached = outcome === 'complete' && startedAt === undefined;
    counts.add(outcome);
    if (isCached) counts.add('cached');
    observer.eventEnriched(source.name, { outcome, isCached, waited });
    return enrichmentOf(collected, request);
  };

  const complete = (request: EnrichRequest, wants: Wants): Enrichment | Promise<Enrichment> => {
    const { event, parts, stored, signal } = request;
    const times = timesInLane(request, wants.isFlood);
    const collected: Collected = { missing: {}, requestIds: {} };
    const leaves: (() => void)[] = [];
    let asked = 0;
    let pending = 0;
    let finish: (() => void) | undefined;

    const collect = <T>(part: Part, fetch: SharedFetch<T>, keep: (value: T) => void): void => {
      const take = (fetched: FetchedPart<T>): void => {
        if (fetched.missing === undefined) keep(fetched.value);
        else {
          collected.missing[part] = fetched.missing;
          if (fetched.requestId !== undefined) collected.requestIds[part] = fetched.requestId;
        }
        pending -= 1;
        if (pending === 0) finish?.();
      };
      asked += 1;
      pending += 1;
      const answer = ask(part, fetch, times, take);
      if (typeof answer === 'function') leaves.push(answer);
      else take(answer);
    };

    const isWanted = (part: Part): boolean =>
      parts === undefined ? stored?.[part] === undefined : parts[part];
    const { customerId, bill } = wants;
    if (customerId !== undefined && isWanted('customer'))
      collect('customer', customers.of(keyOf(event, customerId), customerId), (value) => {
        collected.customer = value;
      });
    if (bill !== undefined && isWanted('bill'))
      collect('bill', bills.of(keyOf(event, bill.transactionId), bill), (value) => {
        collected.bill = value;
      });
    if (asked === 0) return enrichmentOf(collected, request);
    if (pending === 0) return settle(request, collected);

    const startedAt = clock.monotonic();

    waiting += 1;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        waiting -= 1;
        signal.removeEventListener('abort', abort);
      };
      const abort = (): void => {
        end();
        for (const leave of leaves) leave();
        reject(signal.reason as Error);
      };
      finish = () => {
        end();
        resolve(settle(request, collected, startedAt));
      };
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort);
    });
  };

  return {
    enrich(request) {
      const { event } = request;
      // The id of a customer can be another person's in another organisation.
      const isForeign = (orgId() ?? event.orgId) !== event.orgId;
      const wants = isForeign ? undefined : wantsOf(event, enrich, source);
      if (wants !== undefined) return complete(request, wants);
      // A deletion is such an event.
      if (event.customerId !== undefined) customers.peek(keyOf(event, event.customerId))?.forget();
      return undefined;
    },
    get hasCallsToSpare() {
      return (
        !ending.signal.aborted &&
        !circuit.isOpen &&
        waiting < MAX_WAITING / 2 &&
        queue.msUntilStart(PRIORITY.refresh) <= MAX_REFRESH_WAIT_MS
      );
    },
    inBackground: (client) => createBackgroundClient({ ...stage, client, clock, jitter }),
    status: () => ({
      source: source.name,
      circuit: circuit.status,
      budget: budget.status,
      waiting,
      calls: queue.waiting,
      lastHour: counts.sums(),
      forbidden: forbidden.list(),
      isMasked,
    }),
    close() {
      if (ending.signal.aborted) return;
      ending.abort(new Error('enrichment has ended'));
      circuit.close();
      releaseAll('unavailable');
      queue.clear();
      customers.close();
      bills.close();
    },
  };
}
