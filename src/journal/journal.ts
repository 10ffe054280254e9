import type { Enrichments } from './enrichments.ts';
import type { EventLog } from './event-log.ts';
import type { EventQueue } from './event-queue.ts';
import type { Fleet } from './fleet.ts';
import type { Landings } from './landings.ts';
import type { Maintenance } from './maintenance.ts';
import type { Quarantine } from './quarantine.ts';

export type * from './contact-counts.ts';
export type * from './enrichments.ts';
export type * from './event-log.ts';
export type * from './event-queue.ts';
export * from './fleet.ts';
export * from './landings.ts';
export type * from './maintenance.ts';
export type * from './quarantine.ts';
export type * from './settlement.ts';
export type * from './stored-event.ts';

/**
 * The store could not be read or written: disk full, I/O error, engine failed. Nothing was stored.
 */
export class StoreError extends Error {
  override name = 'StoreError';
  /** How an operator fixes the cause; absent if the message says it or nobody knows. */
  readonly fix: string | undefined;

  constructor(message: string, options?: ErrorOptions & { readonly fix?: string | undefined }) {
    super(message, options);
    this.fix = options?.fix;
  }
}

/** The call is invalid. Nothing was stored, and repeating the same call will not help. */
export class RefusedError extends Error {
  override name = 'RefusedError';
}

/**
 * The journal stores events durably until they are delivered. The texts of its seven parts and the
 * exported types are the contract. Every engine implements it, and `test/contract/` tests each
 * engine against it. The contract speaks of appending, claiming, settling and looking up, never of
 * tables or processes.
 *
 * Time. The engine's clock decides: callers pass durations and receive durations. Times in records
 * are epoch ms, for people and for ages, and are never compared with another clock to the ms.
 *
 * Failures. Calls that wait together may be made durable together; the failure of one never undoes
 * another. A call that rejects with a StoreError has stored nothing, unless it works in steps.
 *
 * Positions. The position of an event is opaque: nothing outside the engine compares positions.
 */
export interface Journal
  extends EventQueue,
    EventLog,
    Enrichments,
    Landings,
    Quarantine,
    Maintenance,
    Fleet {}
