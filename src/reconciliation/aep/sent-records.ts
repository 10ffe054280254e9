import type { JsonObject } from '../../capillary/json.ts';

/** What was sent for an event, made again with the mapping. Its content is personal data. */
export interface SentRecord {
  readonly receipt: string;
  readonly source: string;
  readonly eventName: string;
  readonly eventId?: string;
  readonly customerId?: string;
  /** Epoch ms. */
  readonly settledAt: number;
  /** The primary identity, by which Profile finds the customer. */
  readonly identity: { readonly namespace: string; readonly id: string };
  /** Absent if no ExperienceEvent was sent for it. */
  readonly event?: {
    /** `_id` as it was sent last. */
    readonly id: string;
    /** Epoch ms of its `timestamp`. */
    readonly at: number;
    /** UTF-8 bytes of its `xdmEntity`. */
    readonly bytes: number;
  };
  /** The record of the customer as it was sent last; absent if the event sent none. */
  readonly profile?: {
    readonly entity: JsonObject;
    readonly bytes: number;
  };
}

/** Implemented by delivery, which knows how events are mapped. */
export interface SentRecords {
  /**
   * Events whose body is gone, that are not delivered, or that cannot be mapped now are omitted. At
   * most 500 in a call.
   */
  of(receipts: readonly string[]): Promise<ReadonlyMap<string, SentRecord>>;
}
