import type {
  Appended,
  Backlog,
  Claim,
  Claimant,
  ClaimedEvent,
  ClaimLimits,
  ContactCountAnswer,
  ContactCountRequest,
  EventFilter,
  EventRecord,
  Ledger,
  NewEvent,
  NewMalformed,
  NewQuarantined,
  OperatorPause,
  Overdue,
  Quarantined,
  QuarantineBounds,
  RefreshBacklog,
  RefreshRequest,
  ReplayJob,
  ReplayRequest,
  RetentionPolicy,
  Settlement,
  SharedContactFilter,
  SharedContacts,
  StoredEnrichment,
  StoredEvent,
  ProgramsChange,
  StoredPrograms,
} from '../../journal.ts';
import { LANDING_CLASSES, type LandingOperations } from './landing-calls.ts';
import type { Operation, OperationClass } from './operation.ts';
import type { PackedEvents } from './packed-events.ts';

/** A Buffer arrives in the other thread as a Uint8Array; the main thread wraps it again. */
export type WireClaimed = Omit<ClaimedEvent, 'body'>;
export type WireRecord = Omit<EventRecord, 'body'> & { readonly body?: Uint8Array };
export type WireQuarantined = Omit<Quarantined, 'body'> & { readonly body: Uint8Array };
export type WireClaim = Omit<Claim, 'events'> & {
  readonly events: readonly WireClaimed[];
  /** Bytes of each body. */
  readonly lengths: readonly number[];
  /** The bodies of all events, one after the other. */
  readonly bodies: Uint8Array<ArrayBuffer>;
};

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

/** Progress of a re-encryption. */
export interface ReencryptionPosition {
  readonly table: number;
  readonly after: number;
  /** Payloads met so far that no configured key decrypts. */
  readonly unreadable: number;
  /** See Engine: the position is valid as long as this is the same. */
  readonly recoveries: number;
}

/** Result of one re-encryption step. */
export interface ReencryptionStep {
  /** Payloads that this step encrypted with the first key. */
  readonly reencrypted: number;
  /** Payloads of all steps so far that no configured key decrypts; they are left as they are. */
  readonly unreadable: number;
  /** Share of the store that has been processed, from 0 to 1. */
  readonly share: number;
  /** Where to continue; absent when the whole store has been processed. */
  readonly next?: ReencryptionPosition;
}

/** What the engine knows of its own state. */
export interface EngineStatus {
  /** Why the tables cannot be committed; absent while they can. */
  readonly failure?: string;
  readonly usedBytes: number;
  /** Bytes of free pages inside the file. */
  readonly freeInside: number;
  /** Bytes that accepted events will still take on the volume. */
  readonly owedBytes: number;
  /** See StoreStatus. */
  readonly overdue: readonly Overdue[];
  readonly gauges: Readonly<Record<string, number>>;
}

/** State of a replay after a step. */
export interface ReplayProgress {
  readonly id: number;
  /** Total of all steps. */
  readonly replayed: number;
  /** Whether another step is needed. */
  readonly more: boolean;
}

/**
 * Everything the engine can do. A call over many records is a series of steps, so that an append
 * never waits for a long scan.
 */
export interface Operations extends LandingOperations {
  append: Operation<PackedEvents, readonly Appended[]>;
  appendMalformed: Operation<NewMalformed, { readonly receipt: string }>;
  recordDifferingCopy: Operation<string, void>;
  quarantine: Operation<
    { readonly request: NewQuarantined; readonly bounds: QuarantineBounds },
    { readonly receipt: string; readonly evicted: number }
  >;
  claim: Operation<{ readonly claimant: Claimant; readonly limits: ClaimLimits }, WireClaim>;
  settle: Operation<
    { readonly token: string; readonly settlements: readonly Settlement[] },
    { readonly stale: readonly string[] }
  >;
  enrichments: Operation<readonly string[], ReadonlyMap<string, StoredEnrichment>>;
  refresh: Operation<RefreshRequest, { readonly started: number; readonly dropped: number }>;
  /** Of the events behind position `after`; without `next` these were all. */
  refreshes: Operation<
    { readonly after: number },
    { readonly backlogs: readonly RefreshBacklog[]; readonly next?: number }
  >;
  release: Operation<{ readonly token: string; readonly receipts: readonly string[] }, void>;
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
    Stepped & {
      readonly items: readonly StoredEvent[];
      /** Of each item. */
      readonly positions: readonly number[];
      readonly bytes: number;
    }
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
  replayStep: Operation<number, ReplayProgress>;
  replays: Operation<undefined, readonly ReplayJob[]>;
  discard: Operation<
    { readonly filter: EventFilter; readonly by: string; readonly step: Step },
    Stepped & { readonly done: number }
  >;
  reroute: Operation<
    { readonly source: string; readonly destination: string; readonly by: string; readonly step: Step },
    Stepped & { readonly done: number }
  >;
  promote: Operation<{ readonly receipt: string; readonly event: NewEvent; readonly by: string }, Appended>;
  removeQuarantined: Operation<readonly string[], { readonly removed: number }>;
  pauses: Operation<undefined, readonly OperatorPause[]>;
  pause: Operation<{ readonly destination: string; readonly by: string }, OperatorPause>;
  resume: Operation<string, void>;
  programs: Operation<undefined, readonly StoredPrograms[]>;
  savePrograms: Operation<readonly ProgramsChange[], readonly StoredPrograms[]>;
  retain: Operation<RetentionPolicy, { readonly removed: number; readonly more: boolean }>;
  /** `after`: where the last step ended. `minIds`: age in ms up to which identities are kept. */
  makeRoom: Operation<
    { readonly minIds: number },
    { readonly bodies: number; readonly records: number; readonly more: boolean }
  >;
  /** For a backup: see TableCommits.hold. */
  holdFile: Operation<undefined, { readonly handle: number }>;
  releaseFile: Operation<undefined, void>;
  reencrypt: Operation<{ readonly from: ReencryptionPosition | undefined }, ReencryptionStep>;
  status: Operation<undefined, EngineStatus>;
  probe: Operation<undefined, void>;
}

export type OperationName = keyof Operations;
export type RequestOf<Name extends OperationName> = Operations[Name]['request'];
export type AnswerOf<Name extends OperationName> = Operations[Name]['answer'];

/** See OperationClass. */
export const CLASS_OF = {
  append: 'intake',
  appendMalformed: 'intake',
  recordDifferingCopy: 'intake',
  quarantine: 'intake',
  claim: 'read',
  settle: 'delivery',
  enrichments: 'read',
  refresh: 'delivery',
  refreshes: 'read',
  release: 'read',
  profiles: 'read',
  countContacts: 'growing',
  sharedContacts: 'read',
  ledger: 'read',
  backlog: 'read',
  find: 'read',
  list: 'read',
  count: 'read',
  listQuarantined: 'read',
  replay: 'operator',
  replayStep: 'operator',
  replays: 'read',
  discard: 'operator',
  reroute: 'operator',
  promote: 'operator',
  removeQuarantined: 'operator',
  pause: 'operator',
  pauses: 'read',
  resume: 'operator',
  programs: 'read',
  savePrograms: 'delivery',
  retain: 'delivery',
  makeRoom: 'delivery',
  // Committed before it is answered, so that the file has all that was answered before.
  holdFile: 'operator',
  releaseFile: 'read',
  reencrypt: 'delivery',
  status: 'read',
  probe: 'operator',
  ...LANDING_CLASSES,
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
