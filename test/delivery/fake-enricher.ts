import type { Enricher, EnrichRequest, Enrichment } from '../../src/capillary/enricher.ts';
import type { CustomerEntity, Entities, FetchedCustomer } from '../../src/capillary/entities.ts';

/** An enricher whose answers the test gives. */
export interface FakeEnricher extends Enricher {
  /** All requests, in order. */
  readonly requests: readonly EnrichRequest[];
  /** Requests that have no answer yet. */
  readonly open: readonly OpenRequest[];
}

export interface OpenRequest extends EnrichRequest {
  answer(enrichment: Enrichment): void;
}

/** What is answered at once: an enrichment, or undefined for an event that lacks nothing. */
type AtOnce = (request: EnrichRequest) => Enrichment | undefined | 'later';

/** @param atOnce `later`: the request stays open until the test answers, or until the abort */
export function createFakeEnricher(atOnce: AtOnce = () => 'later'): FakeEnricher {
  const requests: EnrichRequest[] = [];
  const open = new Set<OpenRequest>();
  return {
    requests,
    get open() {
      return [...open];
    },
    enrich(request) {
      requests.push(request);
      const answer = atOnce(request);
      if (answer !== 'later') return answer;
      const { signal } = request;
      return new Promise((resolve, reject) => {
        const one = {
          ...request,
          answer(enrichment: Enrichment) {
            open.delete(one);
            resolve(enrichment);
          },
        };
        open.add(one);
        signal.addEventListener('abort', () => {
          open.delete(one);
          reject(signal.reason as Error);
        });
      });
    },
  };
}

const CALLS = [{ call: 'GET /v2/customers/{id}', requestId: 'r1', status: 200 }];

/** A customer as the API answers. */
export function foundCustomer(
  customerId: number,
  more: Partial<CustomerEntity> = {},
  at = Date.now(),
): FetchedCustomer {
  const customer = { customerId: String(customerId), identifiers: [], programs: [], ...more };
  return { at, calls: CALLS, kind: 'found', customer };
}

export function fetchedBill(transactionId: number, at = Date.now()): NonNullable<Entities['bill']> {
  const lines = [{ sku: 'TEA-1', name: 'Tea', quantity: 1, amount: 41.25 }];
  return { at, calls: [], bill: { transactionId: String(transactionId), lines } };
}
