/* The answer of GET /admin/v1/ledger. Times are ISO 8601 in UTC. */

export interface LedgerCounts {
  readonly accepted: number;
  readonly pending: number;
  readonly delivered: number;
  readonly ignored: number;
  readonly dead: number;
  readonly malformed: number;
  readonly quarantined: number;
  readonly balanced: boolean;
  /** Of sources with `reconcile`: what Capillary sent in the time that is compared. */
  readonly sent?: number;
  readonly recovered?: number;
  readonly unrecoverable?: number;
  readonly missing?: number;
  /** Of sources whose destination has `reconcile`: `delivered` is landed + unconfirmed. */
  readonly landed?: number;
  readonly refusedLater?: number;
  readonly unconfirmed?: number;
}

export interface LedgerAnswer extends LedgerCounts {
  readonly sources: Readonly<
    Record<
      string,
      LedgerCounts & {
        readonly configured: boolean;
        /** The time that is compared with Capillary's log. */
        readonly sentFrom?: string;
        readonly sentUntil?: string;
      }
    >
  >;
}
