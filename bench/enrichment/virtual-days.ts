import type { CapillaryReads } from '../../src/capillary/api/capillary-reads.ts';
import type { ReadAnswer } from '../../src/capillary/api/read-answer.ts';
import type { CapillaryEvent } from '../../src/capillary/event.ts';
import type { JsonObject } from '../../src/capillary/json.ts';
import { createEnricher } from '../../src/enrichment/event-enricher.ts';
import { createRefreshJob } from '../../src/enrichment/refresh-job.ts';
import { createRandom } from '../../src/simulator/random.ts';
import { DAY_MS, startTraffic, type Traffic, type TrafficEvent } from './traffic.ts';
import { type Claim, createVirtualStore, type Settled } from './virtual-store.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

export interface VirtualDays extends Traffic {
  readonly callsPerMinute: number;
  /** ms that an event waits at most. */
  readonly maxDelay: number;
  /** At most so many; the first is judged, the others have as many purchases and no expiries. */
  readonly days: number;
}

/** What became of the purchases of the first day. */
export interface DaysResult {
  readonly purchases: number;
  /** ms from the purchase to a profile that knows it; infinite if there was none to the end. */
  readonly profileTimes: readonly number[];
  /** Purchases whose profile was completed by their own events, and bills of these events. */
  readonly liveProfiles: number;
  readonly liveBills: number;
  /** Of customers and bills, for the first day's traffic. */
  readonly calls: number;
  /** Left to the refresh job at the end of the first day. */
  readonly left: { readonly customers: number; readonly bills: number };
  /** ms after the end of the first day until nothing was left; undefined if that never happened. */
  readonly emptyAfter: number | undefined;
  readonly leftAtEnd: { readonly customers: number; readonly bills: number };
}

interface Purchase {
  readonly at: number;
  profileAfter: number;
  isLive: boolean;
  hasLiveBill: boolean;
}

const ORG = 100_737;
/** What an answer of Capillary takes. */
const MIN_ANSWER_MS = 150;
const MAX_ANSWER_MS = 500;

/** An API that knows everybody and every bill. */
function readsOf(clock: VirtualClock, onCall: () => void): CapillaryReads {
  const random = createRandom(2);
  const answer = async <T>(value: T): Promise<ReadAnswer<T>> => {
    const at = clock.now();
    const ms = MIN_ANSWER_MS + random() * (MAX_ANSWER_MS - MIN_ANSWER_MS);
    await new Promise<void>((resolve) => {
      clock.after(ms, resolve);
    });
    return { ok: true, value, at, call: { call: 'GET' } };
  };
  return {
    customer: (customerId) => {
      onCall();
      return answer({ kind: 'found', customer: { customerId, identifiers: [], programs: [] } });
    },
    survivor: () => answer(undefined),
    bill: (transactionId) => {
      onCall();
      return answer({ transactionId, lines: [], currency: 'INR' });
    },
    programs: () => answer([]),
    baseCurrency: () => answer('INR'),
    productNames: () => answer(new Map()),
  };
}

function eventOf({ eventName, customerId, transactionId }: TrafficEvent): CapillaryEvent {
  const data: JsonObject = transactionId === undefined ? {} : { transactionId, billType: 'REGULAR' };
  return { eventName, orgId: ORG, data, identity: '', isSample: false, customerId };
}

/** Follows the purchases to their completed profiles. */
function createLedger(clock: VirtualClock) {
  const open = new Map<string, Purchase[]>();
  const byTransaction = new Map<string, Purchase>();
  return {
    purchases: [] as Purchase[],
    add({ customerId, transactionId }: TrafficEvent): void {
      if (transactionId === undefined || byTransaction.has(transactionId)) return;
      const purchase = { at: clock.now(), profileAfter: Infinity, isLive: false, hasLiveBill: false };
      byTransaction.set(transactionId, purchase);
      open.set(customerId, [...(open.get(customerId) ?? []), purchase]);
      if (clock.monotonic() < DAY_MS) this.purchases.push(purchase);
    },
    profile(customerId: string, at: number, isLive: boolean): void {
      const left: Purchase[] = [];
      for (const purchase of open.get(customerId) ?? []) {
        if (purchase.at > at) left.push(purchase);
        else Object.assign(purchase, { profileAfter: clock.now() - purchase.at, isLive });
      }
      if (left.length === 0) open.delete(customerId);
      else open.set(customerId, left);
    },
    bill(transactionId: string, isLive: boolean): void {
      const purchase = byTransaction.get(transactionId);
      if (purchase !== undefined && isLive) purchase.hasLiveBill = true;
    },
  };
}

function fail(error: unknown): never {
  throw error;
}

/** Lets days pass for the real stage and refresh job; only clock, store and API are not real. */
export async function runDays(settings: VirtualDays): Promise<DaysResult> {
  const clock = createVirtualClock(Date.UTC(2026, 9, 31));
  const ledger = createLedger(clock);
  let calls = 0;
  const enricher = createEnricher({
    source: { name: 'bench', labels: { deleted: [], active: [] } },
    enrich: {
      customers: true,
      transactions: true,
      coalesce: 3_000,
      attempts: 3,
      maxDelay: settings.maxDelay,
    },
    api: { callsPerMinute: settings.callsPerMinute, concurrency: 4 },
    reads: () =>
      readsOf(clock, () => {
        calls += 1;
      }),
    observer: {
      callEnded: () => undefined,
      eventEnriched: () => undefined,
      circuitChanged: () => undefined,
      accessChanged: () => undefined,
      errorCaught: (_source, _what, error) => fail(error),
    },
    clock,
    jitter: createRandom(3),
  });
  const { signal } = new AbortController();

  const deliver = async ({ stored, refresh }: Claim<TrafficEvent>): Promise<Settled> => {
    const { event, receivedAt } = stored;
    const isLive = refresh === undefined;
    const enriched = await enricher.enrich({
      event: eventOf(event),
      receivedAt,
      purpose: isLive ? 'live' : 'refresh',
      ...(isLive ? {} : { parts: refresh }),
      signal,
    });
    const { customer, bill } = enriched?.entities ?? {};
    if (customer !== undefined) ledger.profile(event.customerId, customer.at, isLive);
    if (bill !== undefined) ledger.bill(bill.bill.transactionId, isLive);
    const { missing } = enriched ?? {};
    return {
      refreshed: { customer: customer !== undefined, bill: bill !== undefined },
      ...(missing === undefined
        ? {}
        : {
            missing: {
              customer: missing.customer !== undefined,
              bill: missing.bill !== undefined,
              dueIn: missing.retryIn,
            },
          }),
    };
  };
  const store = createVirtualStore(clock, deliver);
  const job = createRefreshJob({
    routes: [{ source: 'bench', destination: 'bench' }],
    enricher,
    callsPerMinute: settings.callsPerMinute,
    refresh: async ({ running }) => ({ started: store.refresh(running), dropped: 0 }),
    isLeader: () => true,
    onError: fail,
    clock,
  });
  job.start();
  startTraffic(settings, clock, (event) => {
    ledger.add(event);
    store.append(event, event.customerId);
  });

  const isEmpty = (): boolean => store.backlog.customers + store.backlog.bills === 0;
  await clock.runUntil(DAY_MS);
  const left = store.backlog;
  const callsOfDay = calls;
  if (!isEmpty()) await clock.runUntil(settings.days * DAY_MS, isEmpty);
  const emptyAfter = isEmpty() ? clock.monotonic() - DAY_MS : undefined;
  const leftAtEnd = store.backlog;
  await job.stop();
  enricher.close();
  const { purchases } = ledger;
  return {
    purchases: purchases.length,
    profileTimes: purchases.map(({ profileAfter }) => profileAfter),
    liveProfiles: purchases.filter(({ isLive }) => isLive).length,
    liveBills: purchases.filter(({ hasLiveBill }) => hasLiveBill).length,
    calls: callsOfDay,
    left,
    emptyAfter,
    leftAtEnd,
  };
}
