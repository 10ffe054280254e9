/* What the two sides of reconciliation have in common: one run over one source or destination. */

export interface RunRequest {
  /** Epoch ms: compare again from then on; absent: what is new, and the overlap. */
  readonly since?: number;
  /** Take missing events from the log, whatever the configuration says. Sources only. */
  readonly resend?: boolean;
}

/**
 * Compares one source with Capillary, or one destination with AEP. What it knows between runs is
 * in the journal (Landings, notes), so a run that was interrupted, even by a crash, is continued by
 * the next one, in this or another process.
 */
export interface Reconciler<Report> {
  /** Name of the source or destination. */
  readonly name: string;
  /** Time between two runs, ms. */
  readonly every: number;
  /**
   * One complete run. Failures of the other side end it early and are in the report as `problem`;
   * only the reason of the aborted signal, and what the journal throws, is thrown.
   */
  run(request: RunRequest, signal: AbortSignal): Promise<void>;
  /** From the journal, so that every replica can show it. */
  report(): Promise<Report>;
  /** Ends its connections. Idempotent. */
  close(): Promise<void>;
}

/** Receives what happens, for metrics and the log; implemented by monitoring/. */
export interface ReconciliationObserver {
  /** A run has ended; one that was interrupted goes on later, and is not reported. */
  runEnded(run: {
    readonly side: 'capillary' | 'aep';
    readonly name: string;
    readonly outcome: 'ok' | 'differences' | 'failed';
    /** Code of why it could not be completed, such as `forbidden`. */
    readonly problem?: string | undefined;
    readonly durationMs: number;
  }): void;
  /** Differences that were not known before; `count` in events. */
  found(difference: {
    readonly side: 'capillary' | 'aep';
    readonly name: string;
    readonly kind: string;
    readonly cause: string;
    readonly count: number;
  }): void;
  /** Events were taken from Capillary's log. */
  recovered(source: string, count: number): void;
  /** A call to Capillary or AEP was answered or failed; `outcome` is a stable code. */
  called(side: 'capillary' | 'aep', name: string, outcome: string): void;
  errorCaught(name: string, message: string, error: unknown): void;
}
