import type { BillEntity, CustomerAnswer } from '../entities.ts';
import { type BillReadType, readBill } from './bill-reads.ts';
import type { CapillaryClient } from './capillary-client.ts';
import { readCustomer, readSurvivor } from './customer-reads.ts';
import type { ReadAnswer } from './read-answer.ts';
import {
  type ProgramReference,
  readBaseCurrency,
  readProductNames,
  readPrograms,
} from './reference-reads.ts';

export interface CapillaryReadsOptions {
  readonly client: Pick<CapillaryClient, 'get'>;
  /**
   * IANA zone of the cluster, for times that are written without one
   * (docs/platforms/capillary.md#read-times).
   */
  readonly serverZone: string;
  /** Once it is known: it comes first, and balances without a program are its. */
  readonly defaultProgram?: () => string | undefined;
  /** Epoch ms. */
  readonly now?: () => number;
}

/**
 * The reads of enrichment. Each is one call, tried once: when it is repeated is for the caller to
 * decide. Failures are values; only the reason of an aborted signal is thrown.
 */
export interface CapillaryReads {
  /** The whole customer, of any source; erased and merged ones are values. */
  customer(customerId: string, signal: AbortSignal): Promise<ReadAnswer<CustomerAnswer>>;
  /** The id of the customer that a merged one has become; undefined if it is not said. */
  survivor(customerId: string, signal: AbortSignal): Promise<ReadAnswer<string | undefined>>;
  bill(transactionId: string, type: BillReadType, signal: AbortSignal): Promise<ReadAnswer<BillEntity>>;
  programs(signal: AbortSignal): Promise<ReadAnswer<readonly ProgramReference[]>>;
  /** ISO code of the currency in which all amounts are; undefined if it is not said. */
  baseCurrency(signal: AbortSignal): Promise<ReadAnswer<string | undefined>>;
  /** @param skus of one call (`skusOfOneCall`); those without a name are absent from the answer */
  productNames(
    skus: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadAnswer<ReadonlyMap<string, string>>>;
}

export function createCapillaryReads(options: CapillaryReadsOptions): CapillaryReads {
  const { client, serverZone, defaultProgram = () => undefined, now = Date.now } = options;
  return {
    customer: (customerId, signal) =>
      readCustomer(client, customerId, { serverZone, now: now(), defaultProgram: defaultProgram() }, signal),
    survivor: (customerId, signal) => readSurvivor(client, customerId, signal),
    bill: (transactionId, type, signal) => readBill(client, transactionId, type, { serverZone }, signal),
    programs: (signal) => readPrograms(client, signal),
    baseCurrency: (signal) => readBaseCurrency(client, signal),
    productNames: (skus, signal) => readProductNames(client, skus, signal),
  };
}
