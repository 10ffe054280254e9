// Answers of the admin API, with the fields that the commands read; openapi.yaml describes all of
// them. Times are ISO 8601 in UTC.

export interface EventAnswer {
  readonly receipt: string;
  readonly source: string;
  readonly destination: string;
  /** `pending`, `delivered`, `ignored`, `dead`, `malformed`. */
  readonly state: string;
  readonly reason?: string;
  readonly detail?: string;
  /** Absent for a malformed body, like the fields down to `createdAt`. */
  readonly eventName?: string;
  readonly eventId?: string;
  readonly orgId?: number;
  readonly customerId?: string;
  readonly identity?: string;
  readonly createdAt?: string;
  readonly receivedAt: string;
  readonly verifiedBy: string;
  readonly settledAt?: string;
  readonly dueAt?: string;
  readonly failures: number;
  /** `event`, `profile`: the messages that Adobe has accepted. */
  readonly delivered: readonly string[];
  readonly replays: number;
  /** True while it is pending because of a replay; otherwise absent. */
  readonly isReplay?: boolean;
  readonly bodyBytes: number;
}

export type TimelineEntry = { readonly at: string } & (
  | { readonly what: 'received'; readonly source: string; readonly bytes: number }
  | { readonly what: 'verified'; readonly by: string }
  | {
      readonly what: 'attempt';
      readonly kind: string;
      readonly outcome: string;
      readonly status?: number;
      readonly detail?: string;
      readonly xactionId?: string;
      readonly durationMs: number;
      readonly batchSize: number;
    }
  | { readonly what: 'action'; readonly by: string; readonly action: string }
  | { readonly what: 'settled'; readonly state: string; readonly reason?: string; readonly detail?: string }
);

/** What the mapping left out or changed. */
export interface NoteAnswer {
  /** `dropped`, `repaired`, `truncated`. */
  readonly kind: string;
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** Something that was read from Capillary's API. */
export interface ReadAnswer {
  readonly readAt: string;
  /** Of a customer: `found`, `no-loyalty`, `merged`, `erased`. */
  readonly answer?: string;
  readonly calls: readonly { readonly call: string; readonly requestId?: string; readonly status?: number }[];
  /** How many values of each kind it has. */
  readonly contents: Readonly<Record<string, number>>;
}

export interface EnrichmentAnswer {
  readonly customer?: ReadAnswer;
  readonly bill?: ReadAnswer;
  /** What is still to be read. */
  readonly refresh?: {
    readonly customer: boolean;
    readonly bill: boolean;
    readonly dueAt: string;
    readonly attempts: number;
    readonly isRunning: boolean;
  };
}

/** Whether a delivered event is in AEP; of destinations with `reconcile`. */
export type LandingAnswer =
  | { readonly state: 'landed'; readonly since: string }
  /** Without a code nobody has checked it yet. */
  | { readonly state: 'unconfirmed'; readonly code?: string; readonly detail?: string };

export interface RecordAnswer extends EventAnswer {
  readonly timeline: readonly TimelineEntry[];
  readonly notes: readonly NoteAnswer[];
  /** `own`, `generic`, `override`, `none`: how the current configuration maps its name. */
  readonly mapping?: string;
  readonly sourceConfigured?: boolean;
  /** Where its source sends now. */
  readonly sourceDestination?: string;
  readonly hasBody: boolean;
  readonly enrichment?: EnrichmentAnswer;
  readonly landing?: LandingAnswer;
  /** Duplicates of it with other data. */
  readonly differingCopies?: { readonly count: number; readonly lastAt: string };
  /** `_id` of its messages in Adobe. */
  readonly messageId?: string;
  /** The payload as JSON; otherwise `bodyBase64`. */
  readonly body?: unknown;
  readonly bodyBase64?: string;
  /** Only for a dead letter: the messages as they were sent. */
  readonly sent?: readonly { readonly kind: string; readonly message: unknown }[];
}

export interface QuarantinedAnswer {
  readonly receipt: string;
  readonly source: string;
  readonly receivedAt: string;
  readonly ip: string;
  readonly reasons: readonly string[];
  /** As the body says, which nobody has verified. */
  readonly eventName?: string;
  readonly bytes: number;
  /** With the lengths of the values in place of the values. */
  readonly headers: readonly { readonly name: string; readonly characters: number }[];
  readonly body?: unknown;
  readonly bodyBase64?: string;
}

/** One quarantined request. */
export interface QuarantinedRequestAnswer extends QuarantinedAnswer {
  /** Whether a verifier accepts it now; otherwise `problem` has their codes. */
  readonly releasable: boolean;
  readonly problem?: string;
  /** Verifiers of its source, such as `header:x-relay-key`. */
  readonly expected: readonly string[];
}

export interface CoverageAnswer {
  readonly since: string;
  readonly events: readonly {
    readonly source: string;
    readonly eventName: string;
    /** `own`, `generic`, `override`. */
    readonly mapping: string;
    readonly events: number;
    readonly fields: readonly { readonly path: string; readonly count: number; readonly example: string }[];
    readonly more: number;
  }[];
  /** The newest contacts that too many customers have, masked. */
  readonly sharedContacts: readonly {
    readonly source: string;
    readonly destination: string;
    readonly kind: string;
    readonly contact: string;
    readonly since: string;
  }[];
  readonly moreSharedContacts: number;
}

/** The latest answer of the inlet or of IMS. */
export interface LastAnswer {
  readonly at: string;
  /** Absent if no answer arrived. */
  readonly status?: number;
  readonly text: string;
}

export interface ReplicaDestinationAnswer {
  /** Name of the replica. */
  readonly replica: string;
  readonly state: string;
  readonly reason?: string;
  readonly inFlight: number;
}

export interface DestinationAnswer {
  readonly name: string;
  /** `flowing`, `waiting`, `paused`. */
  readonly state: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly since?: string;
  readonly nextTryAt?: string;
  readonly lastSuccessAt?: string;
  /** The replicas in which it has another state or reason; not from a relay before 0.4. */
  readonly otherReplicas?: readonly ReplicaDestinationAnswer[];
  readonly inFlight: number;
  /** Requests in flight, and how many are currently allowed. */
  readonly concurrency: { readonly used: number; readonly limit: number };
  readonly tokenSecondsLeft?: number;
  readonly lastAnswers: { readonly inlet?: LastAnswer; readonly ims?: LastAnswer };
  readonly pending: number;
  readonly oldestPendingAt?: string;
}

export interface DestinationsAnswer {
  readonly destinations: readonly DestinationAnswer[];
  /** Pending events where their source no longer sends; not from a relay before 0.4. */
  readonly misplaced?: readonly { readonly pending: number }[];
}

export interface ReplicaAnswer {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly since: string;
  /** Milliseconds since its last heartbeat. */
  readonly silentFor: number;
  readonly isSelf: boolean;
  readonly isLeader: boolean;
  /** By destination: how many slots it owns, of 64 in all. */
  readonly slots: Readonly<Record<string, number>>;
  /** Events a second in the last minute. */
  readonly rates: { readonly accepted: number; readonly delivered: number };
}

/** How the webhooks of one source were answered. */
export interface SourceIntakeAnswer {
  readonly source: string;
  /** Outcome → number of webhooks. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly refused: number;
  /** Since the last one that was not refused. */
  readonly refusedInARow: number;
  readonly lastAcceptedAt?: string;
  readonly lastRefusedAt?: string;
  /** In the quarantine now. */
  readonly quarantined: number;
  readonly newestQuarantined?: { readonly receivedAt: string; readonly reasons: readonly string[] };
  /** Malformed dead letters now. */
  readonly malformed: number;
}

export interface IntakeAnswer {
  readonly minutes: number;
  readonly since: string;
  readonly sources: readonly SourceIntakeAnswer[];
  /** Requests to paths that are no webhook. */
  readonly otherPaths: number;
}

/** Answer of /livez and /readyz. */
export interface HealthAnswer {
  readonly status: string;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail?: string }[];
}

/** One bulk replay. */
export interface ReplayAnswer {
  readonly id: number;
  readonly by: string;
  readonly at: string;
  readonly asNew: boolean;
  /** Without fields that can identify a person; `narrowedBy` lists their names. */
  readonly filter: Readonly<Record<string, string | readonly string[]>>;
  readonly narrowedBy: readonly string[];
  readonly matched: number;
  readonly replayed: number;
  readonly done: boolean;
  readonly finishedAt?: string;
}

/** What to know before a replay. */
export interface ReplayWarningAnswer {
  readonly code: string;
  readonly events: number;
  readonly detail: string;
}

/** Counts of an action: `matched`, then its own such as `replayed`, `stillMalformed`. */
export type CountsAnswer = Readonly<Record<string, number>>;

/** Something that an action left as it was, and why. */
export interface ProblemAnswer {
  readonly receipt: string;
  readonly detail: string;
}

/** Answer of a bulk action, besides its counts. */
export interface ActionAnswer {
  readonly problems?: readonly ProblemAnswer[];
  readonly dryRun?: boolean;
  /** In a dry run: how many would be processed, and the newest of them. */
  readonly eligible?: number;
  readonly sample?: readonly unknown[];
}
