import type {
  Appended,
  Backlog,
  ClaimAnswer,
  ClaimedEvent,
  ClaimRequest,
  ContactCountAnswer,
  ContactCountRequest,
  EventFilter,
  EventRecord,
  Ledger,
  NewEvent,
  NewMalformed,
  NewQuarantined,
  OperatorPause,
  Quarantined,
  QuarantineBounds,
  ReencryptionPosition,
  ReencryptionStep,
  ReplayJob,
  ReplayRequest,
  RetentionPolicy,
  Settlement,
  SharedContactFilter,
  SharedContacts,
  StoredEvent,
  StoredPrograms,
} from '../../journal.ts';

/** A Buffer arrives in the other thread as a Uint8Array; the main thread wraps it again. */
export type WireClaimed = Omit<ClaimedEvent, 'body'> & { readonly body: Uint8Array };
export type WireRecord = Omit<EventRecord, 'body'> & { readonly body?: Uint8Array };
export type WireQuarantined = Omit<Quarantined, 'body'> & { readonly body: Uint8Array };
export type WireClaimAnswer = Omit<ClaimAnswer, 'events'> & { readonly events: readonly WireClaimed[] };

export type QuarantineFilter = Pick<EventFilter, 'receipts' | 'source' | 'since' | 'until'>;

/**
 * Progress of a call over many records. An ascending scan continues at position `at`, a descending
 * one below it; without `at` the scan starts. `span` is the number of positions that the step
 * covers, `until` the last position of an ascending scan.
 */
export interface Step {
  readonly at?: number;
  readonly span: number;
  readonly until?: number;
}

/** The start of a scan. 4,096 records are read in a few ms even if no index applies. */
export const FIRST_STEP: Step = { span: 4_096 };

/** The part of an answer that says how to continue; without `next` the scan is complete. */
export interface Stepped {
  readonly next?: Step;
}

/** State of a replay after a step. */
export interface ReplayProgress {
  readonly id: number;
  /** Total of all steps. */
  readonly replayed: number;
  /** Whether another step is needed. */
  readonly more: boolean;
}

interface Operation<Request, Answer> {
  readonly request: Request;
  readonly answer: Answer;
}

/**
 * Everything the engine can do. A call over many records is a series of steps, so that an append
 * never waits for a long scan.
 */
export interface Operations {
  append: Operation<NewEvent, Appended>;
  appendMalformed: Operation<NewMalformed, { readonly receipt: string }>;
  recordDifferingCopy: Operation<{ readonly receipt: string; readonly at: number }, void>;
  quarantine: Operation<
    { readonly request: NewQuarantined; readonly bounds: QuarantineBounds },
    { readonly receipt: string; readonly evicted: number }
  >;
  claim: Operation<ClaimRequest, WireClaimAnswer>;
  settle: Operation<Settlement, { readonly stale: boolean }>;
  release: Operation<readonly string[], void>;
  profiles: Operation<
    { readonly destination: string; readonly lanes: readonly string[] },
    ReadonlyMap<string, string>
  >;
  countContacts: Operation<ContactCountRequest, ContactCountAnswer>;
  sharedContacts: Operation<SharedContactFilter, SharedContacts>;
  ledger: Operation<undefined, Ledger>;
  backlog: Operation<undefined, readonly Backlog[]>;
  find: Operation<string, WireRecord | undefined>;
  /** `bytes`: size of the rows. With `maxBytes` the step ends; at least one row is read. */
  list: Operation<
    {
      readonly filter: EventFilter;
      readonly limit: number;
      readonly maxBytes: number;
      readonly step: Step;
    },
    Stepped & { readonly items: readonly StoredEvent[]; readonly bytes: number }
  >;
  count: Operation<
    { readonly filter: EventFilter; readonly step: Step },
    Stepped & { readonly count: number }
  >;
  listQuarantined: Operation<
    { readonly filter: QuarantineFilter; readonly limit: number; readonly before?: number },
    { readonly items: readonly WireQuarantined[]; readonly more?: number }
  >;
  replay: Operation<ReplayRequest, ReplayProgress>;
  replayStep: Operation<{ readonly id: number; readonly now: number }, ReplayProgress>;
  replays: Operation<undefined, readonly ReplayJob[]>;
  discard: Operation<
    { readonly filter: EventFilter; readonly by: string; readonly now: number; readonly step: Step },
    Stepped & { readonly done: number }
  >;
  reroute: Operation<
    { readonly source: string; readonly destination: string; readonly step: Step },
    Stepped & { readonly done: number }
  >;
  promote: Operation<{ readonly receipt: string; readonly event: NewEvent; readonly by: string }, Appended>;
  removeQuarantined: Operation<readonly string[], { readonly removed: number }>;
  pauses: Operation<undefined, readonly OperatorPause[]>;
  setPause: Operation<{ readonly destination: string; readonly pause: OperatorPause | null }, void>;
  programs: Operation<undefined, readonly StoredPrograms[]>;
  savePrograms: Operation<readonly StoredPrograms[], void>;
  retain: Operation<
    { readonly policy: RetentionPolicy; readonly now: number },
    { readonly removed: number; readonly more: boolean }
  >;
  reencrypt: Operation<{ readonly from: ReencryptionPosition | undefined }, ReencryptionStep>;
  usage: Operation<undefined, { readonly usedBytes: number }>;
  probe: Operation<undefined, void>;
}

export type OperationName = keyof Operations;
export type RequestOf<Name extends OperationName> = Operations[Name]['request'];
export type AnswerOf<Name extends OperationName> = Operations[Name]['answer'];

/**
 * What a call does to the file: `intake` makes it grow, `write` records outcomes and deletes,
 * `read` leaves it unchanged.
 */
export type OperationClass = 'intake' | 'write' | 'read';

export const CLASS_OF = {
  append: 'intake',
  appendMalformed: 'intake',
  recordDifferingCopy: 'write',
  quarantine: 'intake',
  claim: 'read',
  settle: 'write',
  release: 'read',
  profiles: 'read',
  countContacts: 'intake',
  sharedContacts: 'read',
  ledger: 'read',
  backlog: 'read',
  find: 'read',
  list: 'read',
  count: 'read',
  listQuarantined: 'read',
  replay: 'write',
  replayStep: 'write',
  replays: 'read',
  discard: 'write',
  reroute: 'write',
  promote: 'write',
  removeQuarantined: 'write',
  pauses: 'read',
  setPause: 'write',
  programs: 'read',
  savePrograms: 'write',
  retain: 'write',
  reencrypt: 'write',
  usage: 'read',
  probe: 'intake',
} as const satisfies Record<OperationName, OperationClass>;

export interface Call {
  readonly name: OperationName;
  readonly request: unknown;
}

/** The result of one call. */
export type Outcome = { readonly ok: true; readonly answer: unknown } | Failure;

export interface Failure {
  readonly ok: false;
  readonly refused: boolean;
  readonly message: string;
}
