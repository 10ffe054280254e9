import type { Attempt, MessageKind } from '../journal/journal.ts';

/** One serialised message on its way to the inlet. */
export interface OutMessage {
  readonly receipt: string;
  readonly kind: MessageKind;
  /** JSON text of `{header, body}`. */
  readonly json: string;
  /** UTF-8 bytes of `json`. */
  readonly bytes: number;
  /** It was in a request that failed as a whole, so it may be what made it fail. */
  readonly suspect: boolean;
  /** ms since the event was received. */
  readonly age: number;
  /** See NewEvent. */
  readonly traceparent?: string;
  /** The event has been waiting for longer than `retry.maxAge`. */
  readonly expired: boolean;
}

/** What became of one message in one try. Without an attempt nothing was sent. */
export type MessageOutcome =
  | { readonly kind: 'delivered'; readonly attempt: Attempt }
  /** The message's fault: it will never be taken. */
  | {
      readonly kind: 'rejected';
      readonly reason: string;
      readonly detail: string;
      readonly attempt?: Attempt;
    }
  /** Failed, to be tried again; `charged` when the fault is held to be the message's own. */
  | {
      readonly kind: 'retry';
      readonly charged: boolean;
      readonly detail: string;
      readonly retryAfter?: number;
      /** In [0, 1): the jitter of the wait, one for a whole failed request, so that its messages come due together. */
      readonly jitter: number;
      readonly attempt: Attempt;
    }
  /** The destination's fault: costs the event nothing. */
  | { readonly kind: 'held'; readonly detail: string; readonly attempt?: Attempt };
