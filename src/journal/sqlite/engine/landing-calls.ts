import type {
  DeliverySpan,
  Doubt,
  KnownEvent,
  Landing,
  LandingCounts,
  RecordedDoubts,
  RefusedRecord,
  SentEvent,
  TimeRange,
} from '../../journal.ts';
import type { Operation, OperationClass } from './operation.ts';

/** What the engine does for Landings. */
export interface LandingOperations {
  known: Operation<
    { readonly source: string; readonly identities: readonly string[] },
    ReadonlyMap<string, KnownEvent>
  >;
  knownSince: Operation<undefined, number | undefined>;
  sentEvents: Operation<
    { readonly destination: string; readonly prefixes: readonly string[] },
    ReadonlyMap<string, SentEvent>
  >;
  deliverySpans: Operation<
    { readonly destination: string; readonly range: TimeRange },
    readonly DeliverySpan[]
  >;
  confirm: Operation<
    { readonly destination: string; readonly range: TimeRange & { readonly since: number } },
    { readonly landed: number }
  >;
  refuse: Operation<
    { readonly destination: string; readonly records: readonly RefusedRecord[] },
    { readonly refused: readonly string[] }
  >;
  doubt: Operation<
    { readonly destination: string; readonly doubts: readonly Doubt[] },
    { readonly doubted: number }
  >;
  clearDoubts: Operation<readonly string[], void>;
  doubts: Operation<{ readonly destination: string; readonly limit: number }, RecordedDoubts>;
  watched: Operation<
    { readonly destination: string; readonly page: { readonly until: number; readonly limit: number } },
    readonly string[]
  >;
  unwatch: Operation<readonly string[], void>;
  landings: Operation<undefined, Readonly<Record<string, LandingCounts>>>;
  landing: Operation<string, Landing | undefined>;
  /** Of one customer. */
  askRefresh: Operation<{ readonly source: string; readonly customerId: string }, { readonly asked: number }>;
  reconciliationNotes: Operation<string, ReadonlyMap<string, string>>;
  saveReconciliationNotes: Operation<
    { readonly scope: string; readonly notes: Readonly<Record<string, string | null>> },
    void
  >;
}

export const LANDING_CLASSES = {
  known: 'read',
  knownSince: 'read',
  sentEvents: 'read',
  deliverySpans: 'read',
  confirm: 'delivery',
  refuse: 'delivery',
  doubt: 'delivery',
  clearDoubts: 'delivery',
  doubts: 'read',
  watched: 'read',
  unwatch: 'delivery',
  landings: 'read',
  landing: 'read',
  askRefresh: 'delivery',
  reconciliationNotes: 'read',
  saveReconciliationNotes: 'delivery',
} as const satisfies Record<keyof LandingOperations, OperationClass>;
