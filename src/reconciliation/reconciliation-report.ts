import type { TimeRange } from '../journal/landings.ts';

/* What reconciliation found, as operators see it. Times are epoch ms. Nothing personal. */

/** Why something that Capillary sent, or that was sent to AEP, is not where it should be. */
export type DifferenceKind =
  /** Capillary gave up, and the event was not accepted. */
  | 'given-up'
  /** Capillary got a 2xx, but the journal does not have the event: an alarm. */
  | 'acknowledged-unknown'
  /** Capillary gave up, although the event was accepted: the answer was lost. Nothing to do. */
  | 'answer-lost'
  /** Not accepted, and the log has no usable payload. */
  | 'no-payload'
  /** Capillary counts more events than its log still has. */
  | 'beyond-log'
  /** AEP acknowledged the record and refused it afterwards: a dead letter now. */
  | 'refused-later'
  /** A failed record of AEP that no event of the journal belongs to. */
  | 'unknown-record'
  /** AEP has fewer records of a period than were delivered. */
  | 'counts-differ'
  /** An event that Profile does not have, although the data lake should. */
  | 'not-in-profile'
  /** An event that AEP has nowhere, of a period whose counts differ. */
  | 'not-in-aep'
  /** The profile has other values than were sent last. */
  | 'profile-differs';

/** Why it happened, where that is known. */
export type DifferenceCause =
  | 'relay-unreachable'
  | 'relay-refused'
  | 'answer-lost'
  | 'sent-elsewhere-or-store-lost'
  | 'log-too-old'
  | 'validation'
  | 'near-size-limit'
  | 'flow-too-young'
  | 'flow-disabled'
  | 'dataset-not-for-profile'
  | 'too-old-for-profile'
  | 'another-writer'
  | 'unknown';

/** One difference. Those that belong together, such as the events of a batch, can be one. */
export interface Difference {
  readonly kind: DifferenceKind;
  readonly cause: DifferenceCause;
  /** How many events or records it stands for; 1 if nobody can tell. */
  readonly count: number;
  /** Something is left to do; false if it has been repaired or needs nothing. */
  readonly isOpen: boolean;
  readonly receipt?: string;
  readonly eventId?: string;
  readonly eventName?: string;
  readonly window?: TimeRange;
  /** A sentence, without personal data. */
  readonly detail: string;
  /** The command that repairs it or shows more; absent if nothing is to be done. */
  readonly fix?: string;
}

/** Why a check could not be made, or not completely. */
export interface CheckProblem {
  /** Stable code, such as `forbidden`, `unavailable`, `budget`, `no-webhook`. */
  readonly code: string;
  readonly detail: string;
  readonly fix?: string;
}

/** What Capillary sent and what became of it, over `coveredFrom`–`seesUntil`. */
export interface SentSums {
  /** Events in Capillary's log, or counted by its metrics. */
  readonly sent: number;
  /** Of these, accepted as webhooks. */
  readonly accepted: number;
  /** Taken from the log. */
  readonly recovered: number;
  readonly unrecoverable: number;
  /** Not accepted and not taken yet (`resend: false`). `sent` is the sum of the other four. */
  readonly missing: number;
}

interface CommonReport {
  /** `running`; `ok`; `differences` that are open; `failing`: the last run ended with `problem`. */
  readonly state: 'never' | 'running' | 'ok' | 'differences' | 'failing';
  /** End of the last complete run; absent before it. */
  readonly lastRunAt?: number;
  readonly problem?: CheckProblem;
  /** The newest first, at most 100; `counts` has all. */
  readonly differences: readonly Difference[];
  /** Open differences by kind, in events. */
  readonly open: Readonly<Partial<Record<DifferenceKind, number>>>;
}

export interface SourceReconciliation extends CommonReport {
  readonly source: string;
  /** Events that were generated from then on are compared. */
  readonly coveredFrom?: number;
  /** Events that were generated until then. */
  readonly seesUntil?: number;
  readonly sums: SentSums;
}

/** What was delivered to AEP, and what became of it. `delivered` is the sum of the other three. */
export interface LandedSums {
  readonly delivered: number;
  readonly landed: number;
  readonly refusedLater: number;
  readonly unconfirmed: number;
}

export interface DestinationReconciliation extends CommonReport {
  readonly destination: string;
  /** Deliveries until then are compared with the data lake. */
  readonly seesLakeUntil?: number;
  readonly seesProfileUntil?: number;
  readonly sums: LandedSums;
  /** Events and profiles that were read back by all runs that have ended. */
  readonly readBack: { readonly events: number; readonly profiles: number };
}

export interface ReconciliationReport {
  readonly sources: readonly SourceReconciliation[];
  readonly destinations: readonly DestinationReconciliation[];
}
