import type { BillEntity, FetchedBill } from '../capillary/entities.ts';
import type { ApiCaller } from './api-caller.ts';
import type { Ticket } from './api-call-queue.ts';
import type { ReferenceData } from './reference-data.ts';
import type { CapillaryReads } from '../capillary/api/capillary-reads.ts';
import { failureOf, type FetchOutcome } from './shared-fetch.ts';
import type { Wants } from './wants.ts';

export interface BillFetchParts {
  readonly caller: ApiCaller;
  readonly reads: Pick<CapillaryReads, 'bill'>;
  readonly reference: Pick<ReferenceData, 'currencyOfBills' | 'productNames'>;
}

/** The till's own text stays; the catalogue's name is for lines without one. */
function named(bill: BillEntity, names: ReadonlyMap<string, string>): BillEntity {
  const lines = bill.lines.map((line) => {
    const name = line.name ?? (line.sku === undefined ? undefined : names.get(line.sku));
    return name === undefined || line.name !== undefined ? line : { ...line, name };
  });
  return { ...bill, lines };
}

/** Reads a bill, by the first type with which it is found. */
export function createBillFetch({ caller, reads, reference }: BillFetchParts) {
  const complete = async (bill: BillEntity, ticket: Ticket): Promise<BillEntity> => {
    const nameless = bill.lines.flatMap(({ sku, name }) =>
      name === undefined && sku !== undefined ? [sku] : [],
    );
    const [currency, names] = await Promise.all([
      bill.currency ?? reference.currencyOfBills(ticket.priority),
      nameless.length === 0 ? undefined : reference.productNames(nameless, ticket.priority),
    ]);
    const whole = names === undefined ? bill : named(bill, names);
    return currency === undefined ? whole : { ...whole, currency };
  };

  return async (
    { transactionId, types }: NonNullable<Wants['bill']>,
    ticket: Ticket,
  ): Promise<FetchOutcome<FetchedBill>> => {
    let outcome: FetchOutcome<FetchedBill> = { kind: 'unknown', isFinal: false };
    for (const type of types) {
      const result = await caller.call('bill', ticket, (signal) => reads.bill(transactionId, type, signal));
      if (result.ok) {
        const { at, call, startedAt } = result;
        const bill = await complete(result.value, ticket);
        return { kind: 'fetched', value: { bill, at, calls: [call] }, startedAt };
      }
      outcome = failureOf(result);
      if (outcome.kind !== 'unknown') return outcome;
    }
    return outcome;
  };
}
