// What GET /admin/v1/reconciliation answers, with the fields that the commands read.

export interface DifferenceAnswer {
  readonly kind: string;
  readonly cause: string;
  /** In events or records. */
  readonly count: number;
  /** Something is left to do. */
  readonly open: boolean;
  readonly receipt?: string;
  readonly eventId?: string;
  readonly eventName?: string;
  readonly window?: { readonly from: string; readonly until: string };
  readonly detail: string;
  /** A command that repairs it or shows more. */
  readonly fix?: string;
}

interface CommonAnswer {
  /** `never`, `running`, `ok`, `differences`, `failing`. */
  readonly state: string;
  readonly lastRunAt?: string;
  /** Why it could not be compared completely. */
  readonly problem?: { readonly code: string; readonly detail: string; readonly fix?: string };
  /** The newest first, at most 100. */
  readonly differences: readonly DifferenceAnswer[];
  /** Open ones: kind → number of events or records. */
  readonly open: Readonly<Record<string, number>>;
}

export interface SourceReconciliationAnswer extends CommonAnswer {
  readonly source: string;
  readonly coveredFrom?: string;
  readonly seesUntil?: string;
  readonly sums: {
    readonly sent: number;
    readonly accepted: number;
    readonly recovered: number;
    readonly unrecoverable: number;
    readonly missing: number;
  };
}

export interface DestinationReconciliationAnswer extends CommonAnswer {
  readonly destination: string;
  readonly seesLakeUntil?: string;
  readonly seesProfileUntil?: string;
  readonly sums: {
    readonly delivered: number;
    readonly landed: number;
    readonly refusedLater: number;
    readonly unconfirmed: number;
  };
  readonly readBack: { readonly events: number; readonly profiles: number };
}

export interface RunAnswer {
  readonly id: string;
  /** `waiting`, `running`, `ended`. */
  readonly state: string;
  readonly targets: readonly { readonly side: string; readonly name: string; readonly detail?: string }[];
}

export interface ReconciliationAnswer {
  readonly sources: readonly SourceReconciliationAnswer[];
  readonly destinations: readonly DestinationReconciliationAnswer[];
  readonly runs: readonly RunAnswer[];
}

/** Number of events or records that need someone. */
export function openCount({ open }: Pick<CommonAnswer, 'open'>): number {
  return Object.values(open).reduce((sum, count) => sum + count, 0);
}
