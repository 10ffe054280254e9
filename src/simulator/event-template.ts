import type { JsonObject } from '../capillary/json.ts';
import type { Customer } from './customer.ts';
import type { Random } from './random.ts';

/** What one event is made from. */
export interface EventContext {
  readonly random: Random;
  /** `createdAt`, epoch ms. */
  readonly at: number;
  /** Different for each event of a run. */
  readonly serial: number;
  readonly customer: Customer;
}

/** An event before it gets its envelope. */
export interface EventContent {
  readonly data: JsonObject;
  /** What `refId` names besides the organisation. */
  readonly ref: string;
  /** null for events of batch jobs and of the customer database. */
  readonly loyaltyEventId: string | null;
  /** Ledger key of points events. */
  readonly eventLogId?: number;
}

/** How events of one name are made. Making one changes the customer accordingly. */
export interface EventTemplate {
  /** Whether the event can happen to the customer. */
  readonly fits: (customer: Customer) => boolean;
  /** Makes it possible, as if an event in between had gone missing. */
  readonly mend: (customer: Customer) => void;
  readonly make: (context: EventContext) => EventContent;
}

/** A template for an event that can happen to anybody. */
export function anybody(make: EventTemplate['make']): EventTemplate {
  return {
    fits: () => true,
    mend: () => undefined,
    make,
  };
}
