import type { JsonObject } from './json.ts';

/** The event id of Capillary's "send sample" function: the same for every sample (reference: capillary.md §2.4). */
export const SAMPLE_EVENT_ID = 'ccf65d56-1e34-4282-b9ad-8fe3fe558b74';

/**
 * One Capillary event after its envelope has been taken off: the same object whichever of the envelopes it came in
 * (flat, router wrapper, `{data}`, `{event}`, `{body}`; reference: capillary.md §2.1–2.2).
 */
export interface CapillaryEvent {
  /** Case-sensitive, e.g. `transactionAdded`; 1–200 characters. */
  readonly eventName: string;
  /** Capillary's id of the event; absent in some real bodies. */
  readonly eventId?: string;
  /** Capillary organisation, a safe integer. */
  readonly orgId: number;
  readonly refId?: string;
  readonly apiRequestId?: string;
  readonly loyaltyEventId?: string;
  readonly eventLogId?: string;
  /** Epoch milliseconds; absent when what came cannot be a date between 2000 and 2200. */
  readonly createdAt?: number;
  /** The event's own content, keys trimmed; `{}` when none came. */
  readonly data: JsonObject;
  /** 64 hex: SHA-256 over orgId, eventName and eventId (or, without one, over the stable fields). Same for each resend. */
  readonly identity: string;
  /** The ordering key: events of one lane are delivered in the order they were accepted. 64 hex or, for an event of nobody, absent. */
  readonly lane?: string;
  /** Capillary's customerId (userId) of the person the event is about, digits. */
  readonly customerId?: string;
  /** True for Capillary's sample-sender events. */
  readonly isSample: boolean;
}
