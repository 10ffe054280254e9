import type {
  Appended,
  Backlog,
  ClaimAnswer,
  ClaimedEvent,
  ClaimRequest,
  EventFilter,
  EventRecord,
  Ledger,
  NewEvent,
  NewMalformed,
  NewQuarantined,
  OperatorPause,
  Quarantined,
  QuarantineBounds,
  ReplayJob,
  ReplayRequest,
  RetentionPolicy,
  SealPosition,
  SealStep,
  Settlement,
  StoredEvent,
} from '../journal.ts';
import type { Pulse } from './pulse.ts';

/** Without their Buffers, which do not survive the way between threads as such: the client makes them again. */
export type WireClaimed = Omit<ClaimedEvent, 'body'> & { readonly body: Uint8Array };
export type WireRecord = Omit<EventRecord, 'body'> & { readonly body?: Uint8Array };
export type WireQuarantined = Omit<Quarantined, 'body'> & { readonly body: Uint8Array };
export type WireClaimAnswer = Omit<ClaimAnswer, 'events'> & { readonly events: readonly WireClaimed[] };

export type QuarantineFilter = Pick<EventFilter, 'receipts' | 'source' | 'since' | 'until'>;

/**
 * Where a call over many records stands. `at` is the next position to look at (rising scans) or the one below which to look (falling ones);
 * without it the scan begins. `span` is how many positions the step looks at, `until` the last position of a rising scan.
 */
export interface Step {
  readonly at?: number;
  readonly span: number;
  readonly until?: number;
}

/** A scan from its beginning. 4,096 records are looked at in a few ms even where no index helps. */
export const FIRST_STEP: Step = { span: 4_096 };

/** The part of an answer that says how to go on; without `next` the scan is through. */
export interface Stepped {
  readonly next?: Step;
}

/** Where a replay stands after a step. */
export interface ReplayProgress {
  readonly id: number;
  /** By all its steps together. */
  readonly replayed: number;
  /** Whether there is another step to take. */
  readonly more: boolean;
}

interface Operation<Request, Answer> {
  readonly request: Request;
  readonly answer: Answer;
}

/** Everything the worker does. A call over many records is a series of steps, so that an append never waits for a long scan. */
export interface Operations {
  append: Operation<NewEvent, Appended>;
  appendMalformed: Operation<NewMalformed, { readonly receipt: string }>;
  quarantine: Operation<
    { readonly request: NewQuarantined; readonly bounds: QuarantineBounds },
    { readonly receipt: string; readonly evicted: number }
  >;
  claim: Operation<ClaimRequest, WireClaimAnswer>;
  settle: Operation<Settlement, { readonly heldBack: boolean }>;
  release: Operation<readonly string[], void>;
  profiles: Operation<
    { readonly destination: string; readonly lanes: readonly string[] },
    ReadonlyMap<string, string>
  >;
  ledger: Operation<undefined, Ledger>;
  backlog: Operation<undefined, readonly Backlog[]>;
  find: Operation<string, WireRecord | undefined>;
  list: Operation<
    { readonly filter: EventFilter; readonly limit: number; readonly step: Step },
    Stepped & { readonly items: readonly StoredEvent[] }
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
  retain: Operation<
    { readonly policy: RetentionPolicy; readonly now: number },
    { readonly removed: number; readonly more: boolean }
  >;
  reseal: Operation<{ readonly from: SealPosition | undefined }, SealStep>;
  usage: Operation<undefined, { readonly usedBytes: number }>;
  probe: Operation<undefined, void>;
}

export type OperationName = keyof Operations;
export type RequestOf<Name extends OperationName> = Operations[Name]['request'];
export type AnswerOf<Name extends OperationName> = Operations[Name]['answer'];

/** What a call does to the file: `intake` makes it grow, `write` records outcomes and removes, `read` leaves it as it is. */
export type OperationClass = 'intake' | 'write' | 'read';

export const CLASS_OF = {
  append: 'intake',
  appendMalformed: 'intake',
  quarantine: 'intake',
  claim: 'read',
  settle: 'write',
  release: 'read',
  profiles: 'read',
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
  retain: 'write',
  reseal: 'write',
  usage: 'read',
  probe: 'intake',
} as const satisfies Record<OperationName, OperationClass>;

export interface Call {
  readonly name: OperationName;
  readonly request: unknown;
}

/** A call as it goes to the worker, and by what it is known when it is answered. */
export interface NumberedCall extends Call {
  readonly id: number;
}

/** What became of one call. */
export type Outcome = { readonly ok: true; readonly answer: unknown } | Failure;

export interface Failure {
  readonly ok: false;
  readonly refused: boolean;
  readonly message: string;
}

/** Something an operator should read. */
export interface Notice {
  readonly message: string;
  readonly receipt?: string;
}

/** What the worker is opened with. */
export interface WorkerOptions {
  readonly path: string;
  readonly keys: readonly Uint8Array[];
  readonly maxPages?: number;
  /** Entries of the indexes that are in memory before they are merged into their tables. */
  readonly generation?: number;
  /** Where the worker shows that it turns. */
  readonly pulse: Pulse;
}

/** One batch of calls that the worker has answered, for the metrics. */
export interface BatchReport {
  readonly calls: number;
  /** Whether something was written, and so the disk waited for. */
  readonly writes: boolean;
  /** ms that the worker took to carry it out and to commit it. */
  readonly durationMs: number;
}

export type ToWorker =
  | { readonly type: 'calls'; readonly calls: readonly NumberedCall[] }
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'refused'; readonly message: string }
  | {
      readonly type: 'answers';
      /** Of the calls that were one batch, and the answer to each: the bare ones, since names take longer on the way than they say. */
      readonly ids: readonly number[];
      readonly answers: readonly unknown[];
      /** Of those calls that failed, which is rare; their answers are undefined. */
      readonly failures: readonly { readonly id: number; readonly failure: Failure }[];
      readonly batch: BatchReport;
      /** Destinations at which something became claimable. */
      readonly claimable: readonly string[];
      readonly notices: readonly Notice[];
    };
