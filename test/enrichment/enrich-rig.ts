import { onTestFinished } from 'vitest';
import type { ApiError, ApiErrorKind } from '../../src/capillary/api/api-errors.ts';
import type { Enrichment, EnrichRequest } from '../../src/capillary/enricher.ts';
import type { BillEntity, CustomerAnswer, CustomerEntity } from '../../src/capillary/entities.ts';
import type { CapillaryEvent } from '../../src/capillary/event.ts';
import type { JsonObject } from '../../src/capillary/json.ts';
import type { EnrichConfig } from '../../src/config/enrich-config.ts';
import { createEnricher } from '../../src/enrichment/event-enricher.ts';
import type { CircuitStatus } from '../../src/enrichment/circuit-breaker.ts';
import type { EnrichedEvent } from '../../src/enrichment/enrichment-observer.ts';
import type { CapillaryReads } from '../../src/capillary/api/capillary-reads.ts';
import type { ReadAnswer } from '../../src/capillary/api/read-answer.ts';
import { createFakeClock } from './fake-clock.ts';

export const ORG = 100_737;
const LATENCY_MS = 100;

export function refused(kind: ApiErrorKind, more: Partial<ApiError> = {}): ReadAnswer<never> {
  return { ok: false, error: { kind, call: 'GET /v2/customers/{id}', text: '', ambiguous: false, ...more } };
}

export function aCustomer(customerId: string, more: Partial<CustomerEntity> = {}): CustomerEntity {
  return { customerId, identifiers: [], programs: [{ programId: '1', points: 10 }], ...more };
}

export function aBill(transactionId: string, more: Partial<BillEntity> = {}): BillEntity {
  return { transactionId, lines: [{ sku: 'SKU-1', quantity: 1, amount: 5 }], ...more };
}

/** A call as the fake API received it. */
export interface FakeCall {
  readonly endpoint: keyof CapillaryReads;
  readonly id: string;
  /** Monotonic ms. */
  readonly at: number;
}

type Script<T> = (id: string, count: number) => T | ReadAnswer<never>;

export interface FakeApi {
  customer: Script<CustomerAnswer>;
  survivor: Script<string | undefined>;
  bill: Script<BillEntity>;
  programs: Script<readonly { programId: string; name?: string; isDefault: boolean }[]>;
  baseCurrency: Script<string | undefined>;
  productNames: Script<ReadonlyMap<string, string>>;
  latency: number;
}

export interface RigOptions {
  readonly enrich?: Partial<EnrichConfig>;
  readonly callsPerMinute?: number;
  readonly concurrency?: number;
  readonly share?: () => number;
  readonly orgId?: () => number | undefined;
}

function isRefusal(value: unknown): value is ReadAnswer<never> {
  return typeof value === 'object' && value !== null && 'ok' in value;
}

let events = 0;

export function anEvent(eventName: string, data: JsonObject = {}, customerId?: string): CapillaryEvent {
  events += 1;
  return {
    eventName,
    orgId: ORG,
    data,
    identity: String(events).padStart(64, '0'),
    isSample: false,
    ...(customerId === undefined ? {} : { customerId }),
  };
}

export function aPurchase(customerId: string, transactionId = `9${customerId}`): CapillaryEvent {
  return anEvent('transactionAdded', { transactionId, billType: 'REGULAR' }, customerId);
}

/** An enricher with a fake API and a clock that stands still. */
export function startEnricher(options: RigOptions = {}) {
  const clock = createFakeClock();
  const calls: FakeCall[] = [];
  const circuit: CircuitStatus[] = [];
  const enriched: EnrichedEvent[] = [];
  const access: [endpoint: string, lack: string | undefined][] = [];
  const errors: unknown[] = [];
  const api: FakeApi = {
    customer: (id) => ({ kind: 'found', customer: aCustomer(id) }),
    survivor: () => undefined,
    bill: (id) => aBill(id, { customerId: id.slice(1) }),
    programs: () => [{ programId: '1', name: 'Northwind Club', isDefault: true }],
    baseCurrency: () => 'GBP',
    productNames: () => new Map([['SKU-1', 'Trail socks']]),
    latency: LATENCY_MS,
  };
  const answer = async <T>(
    endpoint: keyof CapillaryReads & keyof FakeApi,
    id: string,
    signal: AbortSignal,
  ): Promise<ReadAnswer<T>> => {
    const at = clock.now();
    calls.push({ endpoint, id, at: clock.monotonic() });
    const count = calls.filter((call) => call.endpoint === endpoint && call.id === id).length;
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      clock.after(api.latency, resolve);
    });
    const value = api[endpoint](id, count) as T | ReadAnswer<never>;
    return isRefusal(value) ? value : { ok: true, value, at, call: { call: `GET ${endpoint}`, status: 200 } };
  };
  const reads: CapillaryReads = {
    customer: (id, signal) => answer('customer', id, signal),
    survivor: (id, signal) => answer('survivor', id, signal),
    bill: (id, type, signal) => answer('bill', type === 'REGULAR' ? id : `${id}/${type}`, signal),
    programs: (signal) => answer('programs', '', signal),
    baseCurrency: (signal) => answer('baseCurrency', '', signal),
    productNames: (skus, signal) => answer('productNames', skus.join(), signal),
  };
  const enricher = createEnricher({
    source: { name: 'acme', labels: { deleted: ['Deleted'], active: ['Active'] } },
    enrich: {
      customers: true,
      transactions: true,
      coalesce: 3_000,
      attempts: 3,
      maxDelay: 60_000,
      ...options.enrich,
    },
    api: { callsPerMinute: options.callsPerMinute ?? 600, concurrency: options.concurrency ?? 4 },
    reads: () => reads,
    ...(options.share === undefined ? {} : { share: options.share }),
    ...(options.orgId === undefined ? {} : { orgId: options.orgId }),
    observer: {
      callEnded: () => undefined,
      eventEnriched: (_source, event) => enriched.push(event),
      circuitChanged: (_source, status) => circuit.push(status),
      accessChanged: (_source, endpoint, lack) => access.push([endpoint, lack]),
      errorCaught: (_source, _what, error) => errors.push(error),
    },
    clock,
    jitter: () => 0.5,
  });
  onTestFinished(() => {
    enricher.close();
    if (errors.length > 0) throw errors[0];
  });

  const request = (event: CapillaryEvent, more: Partial<EnrichRequest> = {}) =>
    enricher.enrich({
      event,
      receivedAt: clock.now(),
      purpose: 'live',
      signal: new AbortController().signal,
      ...more,
    });

  /** What became of an event so far. */
  const watch = (event: CapillaryEvent, more: Partial<EnrichRequest> = {}) => {
    const watched: { result?: Enrichment | undefined; error?: unknown; endedAt?: number } = {};
    const end = (result: Enrichment | undefined): void => {
      watched.result = result;
      watched.endedAt = clock.monotonic();
    };
    const started = request(event, more);
    if (started instanceof Promise)
      started.then(end, (error: unknown) => {
        watched.error = error;
        watched.endedAt = clock.monotonic();
      });
    else end(started);
    return watched;
  };

  return {
    enricher,
    api,
    clock,
    calls,
    circuit,
    enriched,
    access,
    request,
    watch,
    /** Calls of customers and bills, as `customer 7`. */
    asked: () =>
      calls
        .filter(({ endpoint }) => ['customer', 'survivor', 'bill'].includes(endpoint))
        .map(({ endpoint, id }) => `${endpoint} ${id}`),
  };
}
