import type { CustomerAnswer, CustomerEntity, FetchedCall, FetchedCustomer } from '../capillary/entities.ts';
import type { ApiCaller, CallResult } from './api-caller.ts';
import type { Ticket } from './api-call-queue.ts';
import type { ReferenceData } from './reference-data.ts';
import type { CapillaryReads } from '../capillary/api/capillary-reads.ts';
import { failureOf, type FetchOutcome } from './shared-fetch.ts';

export interface CustomerFetchParts {
  readonly caller: ApiCaller;
  readonly reads: Pick<CapillaryReads, 'customer' | 'survivor'>;
  readonly reference: Pick<ReferenceData, 'whenProgramsAreKnown' | 'withProgramNames'>;
}

/** A survivor can have been merged itself. */
const MAX_MERGES = 3;

type Found = Extract<CallResult<CustomerAnswer>, { ok: true }>;

/** What was found out about a merged customer. */
interface Survivor {
  readonly into?: string;
  readonly customer?: CustomerEntity;
  readonly at: number;
  readonly calls: readonly FetchedCall[];
}

/**
 * Reads a customer. Of a merged one the survivor is read; if it cannot be found out now, the answer
 * is only that the customer was merged, so that nothing is written to a profile that is none any
 * more. Source: docs/platforms/capillary.md#merges
 */
export function createCustomerFetch({ caller, reads, reference }: CustomerFetchParts) {
  const ask = (customerId: string, ticket: Ticket): Promise<CallResult<CustomerAnswer>> =>
    caller.call('customer', ticket, (signal) => reads.customer(customerId, signal));

  /** @returns undefined if it was not said, or could not be asked */
  const survivorOf = async (
    customerId: string,
    ticket: Ticket,
  ): Promise<{ readonly into: string; readonly call: FetchedCall } | undefined> => {
    const answer = await caller.call('survivor', ticket, (signal) => reads.survivor(customerId, signal));
    if (!answer.ok || answer.value === undefined) return undefined;
    return { into: answer.value, call: answer.call };
  };

  const follow = async (customerId: string, first: Found, ticket: Ticket): Promise<Survivor | 'erased'> => {
    const seen = new Set([customerId]);
    const calls = [first.call];
    let { value: answer, at } = first;
    let into: string | undefined;
    while (answer.kind === 'merged' && seen.size <= MAX_MERGES) {
      const { into: said, customer } = answer;
      const asked = said === undefined ? await survivorOf(into ?? customerId, ticket) : undefined;
      if (asked !== undefined) calls.push(asked.call);
      const next = said ?? asked?.into;
      if (next === undefined || seen.has(next)) break;
      seen.add(next);
      into = next;
      if (customer !== undefined) return { into, customer, at, calls };
      const read = await ask(into, ticket);
      if (!read.ok) break;
      calls.push(read.call);
      at = Math.min(at, read.at);
      answer = read.value;
    }
    if (answer.kind === 'erased') return 'erased';
    const customer = answer.kind === 'merged' ? undefined : answer.customer;
    return {
      at,
      calls,
      ...(into === undefined ? {} : { into }),
      ...(customer === undefined ? {} : { customer }),
    };
  };

  return async (customerId: string, ticket: Ticket): Promise<FetchOutcome<FetchedCustomer>> => {
    await reference.whenProgramsAreKnown(ticket.priority);
    const first = await ask(customerId, ticket);
    if (!first.ok) return failureOf(first);
    const { value: answer, at, call, startedAt } = first;
    const fetched = (value: FetchedCustomer): FetchOutcome<FetchedCustomer> => ({
      kind: 'fetched',
      value,
      startedAt,
    });
    if (answer.kind === 'erased') return fetched({ kind: 'erased', at, calls: [call] });
    if (answer.kind !== 'merged') {
      const { customer } = answer;
      if (customer === undefined) return fetched({ ...answer, at, calls: [call] });
      const named = reference.withProgramNames(customer);
      return fetched({ kind: answer.kind, customer: named, at, calls: [call] });
    }
    const survivor = await follow(customerId, first, ticket);
    if (survivor === 'erased') return fetched({ kind: 'erased', at, calls: [call] });
    const { customer } = survivor;
    const named = customer === undefined ? {} : { customer: reference.withProgramNames(customer) };
    return fetched({ kind: 'merged', ...survivor, ...named });
  };
}
