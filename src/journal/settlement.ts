import type { ClaimedEvent, MessageKind } from './stored-event.ts';

export interface ClaimRequest {
  readonly destination: string;
  /** Only events of these sources; those of a source that is configured no longer stay pending. */
  readonly sources: readonly string[];
  readonly limit: number;
  /** How many of them may be replayed events; 0: none. The others go first: replays get only the room that is left. */
  readonly replays: number;
  /** Bytes. Events are added while their bodies together stay within this; the first is always given. */
  readonly maxBytes: number;
  /** Epoch ms. */
  readonly now: number;
  /**
   * ms; the longest wait that is meant. An event whose `dueAt` is farther ahead than this got it from a clock that has gone back since, and is
   * due now. Absent: every wait is believed.
   */
  readonly maxWait?: number;
}

/** Those due longest come first; replays after all the others. */
export interface ClaimAnswer {
  readonly events: readonly ClaimedEvent[];
  /**
   * Epoch ms at which the next event becomes due that is no replay and that nobody holds, if any waits; at most `now` if more could be claimed
   * at once. One whose lane is busy is left out: the end of that claim tells the listeners.
   */
  readonly nextDueAt?: number;
  /** The same of the replayed events, whatever `replays` allowed. */
  readonly nextReplayAt?: number;
}

/** One try at Adobe for one message: a line of the event's timeline. */
export interface Attempt {
  readonly at: number;
  readonly kind: MessageKind;
  /** `delivered`, `rejected`, `retry`, `throttled`, `destination`. */
  readonly outcome: string;
  /** HTTP status of the item, or of the answer; absent when none came. */
  readonly status?: number;
  /** Adobe's words or the network's error code, shortened to 2 KB. */
  readonly detail?: string;
  readonly xactionId?: string;
  readonly durationMs: number;
  /** Messages in the request. */
  readonly batchSize: number;
}

/** A mapped message as it was sent, kept with a dead letter. */
export interface SentMessage {
  readonly kind: MessageKind;
  readonly json: string;
}

/** Something that the mapping left out or changed, kept with the event that was settled. A path can hold a brand's key names, never a value. */
export interface KeptNote {
  readonly path: string;
  readonly code: string;
}

/** The customer of one lane was merged into that of another. */
export interface LaneAlias {
  readonly from: string;
  readonly to: string;
  /** Profile of `from` that the settlement was made with; null: there was none. */
  readonly profile: string | null;
}

export type Settlement = {
  readonly receipt: string;
  readonly now: number;
  readonly attempts: readonly Attempt[];
  /** Messages delivered so far, those of earlier attempts included. */
  readonly delivered: readonly MessageKind[];
  /** Assembled profiles to write in the same step; null removes one. */
  readonly profiles?: readonly { readonly lane: string; readonly state: string | null }[];
  /** Lanes to erase in the same step (deletion of a customer), before `profiles` are written. The settled event is erased too unless it stays pending. */
  readonly erase?: readonly string[];
  /** Erases the body, the sent messages and the details of the settled event itself, unless it stays pending. */
  readonly eraseOwn?: boolean;
  /** From this step on `from` is `to` at the destination; written last. */
  readonly alias?: LaneAlias;
} & (
  | { readonly state: 'delivered'; readonly notes?: readonly KeptNote[] }
  | {
      readonly state: 'ignored';
      readonly reason: string;
      readonly detail?: string;
      readonly notes?: readonly KeptNote[];
    }
  | {
      readonly state: 'dead';
      readonly reason: string;
      readonly detail: string;
      readonly sent: readonly SentMessage[];
      readonly notes?: readonly KeptNote[];
    }
  /** Back to waiting: it keeps its place in its lane. */
  | {
      readonly state: 'pending';
      readonly dueAt: number;
      readonly failures: number;
      readonly charged: number;
      readonly detail?: string;
    }
);
