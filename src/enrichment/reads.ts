import type { ApiError } from '../capillary/api/api-errors.ts';
import type { BillEntity, CustomerAnswer, FetchedCall } from '../capillary/entities.ts';

/** What was read, or why it was not. */
export type ReadAnswer<T> =
  | {
      readonly ok: true;
      readonly value: T;
      /** Epoch ms: what the answer says was true then or later. */
      readonly at: number;
      readonly call: FetchedCall;
    }
  | { readonly ok: false; readonly error: ApiError };

export interface ProgramReference {
  readonly programId: string;
  readonly name?: string;
  readonly isDefault: boolean;
}

/**
 * The reads that enrichment needs of Capillary's API. Each is one call, tried once: when it is
 * repeated is decided here. Only the reason of an aborted signal is thrown.
 */
export interface Reads {
  /** The whole customer, of any source. An erased one can be a value or a failure. */
  customer(customerId: string, signal: AbortSignal): Promise<ReadAnswer<CustomerAnswer>>;
  /** The id of the customer that a merged one has become; undefined if it is not said. */
  survivor(customerId: string, signal: AbortSignal): Promise<ReadAnswer<string | undefined>>;
  bill(
    transactionId: string,
    type: 'REGULAR' | 'RETURN' | 'NOT_INTERESTED' | 'NOT_INTERESTED_RETURN',
    signal: AbortSignal,
  ): Promise<ReadAnswer<BillEntity>>;
  programs(signal: AbortSignal): Promise<ReadAnswer<readonly ProgramReference[]>>;
  /** ISO code of the organisation's base currency. */
  baseCurrency(signal: AbortSignal): Promise<ReadAnswer<string | undefined>>;
  /** @param skus at most 100; those without a name are absent from the answer */
  productNames(
    skus: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadAnswer<ReadonlyMap<string, string>>>;
}
