import type { PlatformClient } from '../../adobe/platform/platform-client.ts';
import type { DestinationConfig, SourceConfig } from '../../config/config-schema.ts';
import type { Journal } from '../../journal/journal.ts';
import type { Landings } from '../../journal/landings.ts';
import type { ReconciliationObserver } from '../reconcile-run.ts';
import type { CheckProblem, Difference, DifferenceKind } from '../reconciliation-report.ts';
import type { SentRecords } from './sent-records.ts';

/** What the check of failed batches does for a run. */
export interface FailedBatches {
  check(signal: AbortSignal, since?: number): Promise<{ readonly problem?: CheckProblem }>;
  report(): Promise<{
    readonly differences: readonly Difference[];
    readonly open: Readonly<Partial<Record<DifferenceKind, number>>>;
  }>;
}

export type DestinationJournal = Pick<Journal, 'list' | 'ledger' | 'programs' | 'find' | 'count'> &
  Pick<
    Landings,
    | 'deliverySpans'
    | 'confirm'
    | 'doubt'
    | 'doubts'
    | 'clearDoubts'
    | 'watched'
    | 'unwatch'
    | 'landings'
    | 'sentEvents'
    | 'refuse'
    | 'reconciliationNotes'
    | 'saveReconciliationNotes'
  >;

export interface DestinationReconcilerParts {
  /** With `reconcile`. */
  readonly destination: DestinationConfig;
  /** Those whose events go there: the report has the sums of their counts. */
  readonly sources: readonly SourceConfig[];
  /** Closed with the reconciler. */
  readonly client: PlatformClient;
  readonly journal: DestinationJournal;
  readonly sentRecords: SentRecords;
  /** Instead of the one that the reconciler creates. */
  readonly failedBatches?: FailedBatches;
  readonly observer: Pick<ReconciliationObserver, 'runEnded' | 'found' | 'called'>;
  /** Epoch ms. */
  readonly now: () => number;
  /** Look-ups in Profile of one run. */
  readonly callsPerRun?: number;
}
