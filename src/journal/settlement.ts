import type { SettledEnrichment } from './enrichments.ts';
import type { MessageKind } from './stored-event.ts';

/** One HTTP request to the inlet, to which the attempts of all its messages point. */
export interface InletRequest {
  /** Unique among all requests of the store. */
  readonly id: string;
  /** Epoch ms by the clock of the process that sent it. */
  readonly at: number;
  readonly kind: MessageKind;
  /** HTTP status; absent when there was no response. */
  readonly status?: number;
  readonly durationMs: number;
  /** Number of messages in it. */
  readonly batchSize: number;
}

/** How one message fared in a request. */
export interface Attempt {
  readonly request: InletRequest;
  /** `delivered`, `rejected`, `retry`, `throttled`, `destination`. */
  readonly outcome: string;
  /** HTTP status of the message's own item; absent if it has none or the message is delivered. */
  readonly itemStatus?: number;
  /** Adobe's error text or a network error code, truncated to 2 KB. */
  readonly detail?: string;
  readonly xactionId?: string;
}

/** A mapped message as it was sent, stored with a dead letter. */
export interface SentMessage {
  readonly kind: MessageKind;
  readonly json: string;
}

/**
 * Something that the mapping omitted or changed, stored with the settled event. A path can contain
 * key names chosen by the brand, but nothing has a value.
 */
export interface RecordedNote {
  readonly path: string;
  readonly code: string;
  /** What is said beside the meaning of the code. */
  readonly detail?: string;
}

/** The customer of lane `from` was merged into the customer of lane `to`. */
export interface LaneAlias {
  readonly from: string;
  readonly to: string;
  /** The profile of `from` that the settlement was based on; null if there was none. */
  readonly profile: string | null;
}

export type Settlement = {
  readonly receipt: string;
  readonly attempts: readonly Attempt[];
  /** All messages delivered so far, including those of earlier attempts. */
  readonly delivered: readonly MessageKind[];
  /** Assembled profiles to write in the same step; null deletes one. */
  readonly profiles?: readonly { readonly lane: string; readonly state: string | null }[];
  /**
   * Lanes to erase in the same step because the customer was deleted. They are erased before
   * `profiles` are written. The settled event is erased too, unless it stays pending.
   */
  readonly erase?: readonly string[];
  /** Erases the content of the settled event itself, unless it stays pending. */
  readonly eraseOwn?: boolean;
  /** From now on lane `from` stands for lane `to` at the destination. Written last. */
  readonly alias?: LaneAlias;
  /** What was fetched for the event, or is to be. */
  readonly enrichment?: SettledEnrichment;
} & (
  | {
      readonly state: 'delivered';
      readonly notes?: readonly RecordedNote[];
      /** The event is to be read back from AEP; see Landings. */
      readonly watch?: boolean;
    }
  | {
      readonly state: 'ignored';
      readonly reason: string;
      readonly detail?: string;
      readonly notes?: readonly RecordedNote[];
    }
  | {
      readonly state: 'dead';
      readonly reason: string;
      readonly detail: string;
      readonly sent: readonly SentMessage[];
      readonly notes?: readonly RecordedNote[];
    }
  /** The event waits for another attempt and stays at its place in the lane. */
  | {
      readonly state: 'pending';
      /** ms until the next attempt. */
      readonly dueIn: number;
      readonly failedAttempts: number;
      readonly ownFaultCount: number;
      readonly detail?: string;
    }
);
