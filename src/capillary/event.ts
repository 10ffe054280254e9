import type { JsonObject } from './json.ts';

/**
 * The event id of Capillary's sample sender, the same for every sample
 * (docs/platforms/capillary.md#sample-events).
 */
export const SAMPLE_EVENT_ID = 'ccf65d56-1e34-4282-b9ad-8fe3fe558b74';

/**
 * One Capillary event without its envelope: the same object from each kind of envelope (flat,
 * router wrapper, `{data}`, `{event}`, `{body}`; docs/platforms/capillary.md#envelopes).
 */
export interface CapillaryEvent {
  /** Case-sensitive, e.g. `transactionAdded`; 1–200 characters. */
  readonly eventName: string;
  /** Capillary's id of the event; absent in some real bodies, or if it only stands for "none". */
  readonly eventId?: string;
  /** Capillary organisation, a safe integer. */
  readonly orgId: number;
  readonly refId?: string;
  readonly apiRequestId?: string;
  readonly loyaltyEventId?: string;
  readonly eventLogId?: string;
  /**
   * Epoch ms at which Capillary stored the event, or at which its router sent it if the event lacks
   * the first; absent if neither is a date between 2000 and 2200.
   */
  readonly createdAt?: number;
  /** The event's own content with trimmed keys; `{}` if there was none. */
  readonly data: JsonObject;
  /**
   * 64 hex digits: SHA-256 of orgId, eventName and eventId (or, without eventId, of the stable
   * fields). The same for every resend.
   */
  readonly identity: string;
  /**
   * Events of one lane are delivered in the order in which they were accepted. 64 hex digits;
   * absent if the event concerns no customer and no group.
   */
  readonly lane?: string;
  /** Capillary's customerId (userId) of the person that the event is about, as digits. */
  readonly customerId?: string;
  /** True for events of Capillary's sample sender. */
  readonly isSample: boolean;
  /** True if the body is not UTF-8 and has been read as Windows-1252; otherwise absent. */
  readonly isWindows1252?: boolean;
}
