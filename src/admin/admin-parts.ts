import type { RunningConfig } from '../config/running-config.ts';
import type { BackupResult, Journal } from '../journal/journal.ts';
import type { Landings } from '../journal/landings.ts';
import type { Reconcilers } from '../reconciliation/reconcilers.ts';
import type { SourceTable } from '../sources/source-table.ts';
import type { LogLevel, LogLevelControl } from '../telemetry/log-level.ts';
import type { AccessRefusal } from './access.ts';
import type { EnrichmentSource } from './enrichment-routes.ts';
import type { HookSource } from './hook-routes.ts';

/* What the admin port needs from the rest of the relay. */

export interface AdminParts {
  readonly journal: Pick<
    Journal,
    | 'ledger'
    | 'backlog'
    | 'find'
    | 'list'
    | 'count'
    | 'listQuarantined'
    | 'replay'
    | 'startReplay'
    | 'replays'
    | 'enrichments'
    | 'sharedContacts'
    | 'promote'
    | 'discard'
    | 'removeQuarantined'
    | 'append'
    | 'appendMalformed'
    | 'recordDifferingCopy'
    | 'replicas'
    | 'refreshes'
  > &
    Pick<Landings, 'landing' | 'landings'>;
  readonly enrichment: EnrichmentSource;
  readonly reconciliation: ReconciliationSource;
  readonly hook?: HookSource | undefined;
  readonly sources: Pick<SourceTable, 'get' | 'names'>;
  readonly secrets: SecretSource;
  readonly intake: IntakeSource;
  /** Maximum size of an inflated body in bytes (`server.bodyLimit`). */
  readonly bodyLimit: number;
  readonly destinations: DestinationDirectory;
  readonly coverage: CoverageSource;
  readonly metrics: MetricsSource;
  readonly health: HealthSource;
  /**
   * The bearer token, read at each request so that it can change without a restart. Undefined: only
   * loopback has access.
   */
  readonly token: () => string | undefined;
  readonly logLevel: LogLevelControl;
  /** True while the relay shuts down. */
  readonly isDraining: () => boolean;
  readonly config: Pick<RunningConfig, 'reload'>;
  /** Copies the store to a temporary file, which the caller removes. */
  readonly backup: () => Promise<BackupResult>;
  readonly observer: AdminObserver;
  /** Epoch ms. */
  readonly now: () => number;
}

/**
 * One change by an operator, for the log. Counts and configured names only; the journal has the
 * receipts.
 */
export interface ActionReport {
  /** E.g. `dead-letters.replay`, `destination.pause`. */
  readonly action: string;
  readonly by: string;
  readonly destination?: string;
  /** The new log level. */
  readonly level?: LogLevel;
  /** E.g. `{matched: 3, replayed: 3}`. */
  readonly counts?: Readonly<Record<string, number>>;
  readonly dryRun?: boolean;
  /** Of a reroute: how many events of which source it found, from where to where they go. */
  readonly moves?: readonly MisplacedView[];
}

/** Receives the events of the admin port; implemented by monitoring/. */
export interface AdminObserver {
  actionPerformed(report: ActionReport): void;
  /** A request without a valid credential was refused. */
  accessRefused(reason: AccessRefusal): void;
  /** An unexpected error was handled; `error` is for the log. */
  errorCaught(message: string, error: unknown): void;
}

/** What is compared with Capillary and with AEP; of sources and destinations with `reconcile`. */
export type ReconciliationSource = Pick<Reconcilers, 'targets' | 'report' | 'runs' | 'request'>;

/** The latest answer of the inlet or of IMS. */
export interface AnswerView {
  /** Epoch ms. */
  readonly at: number;
  /** HTTP status; absent if no answer arrived. */
  readonly status?: number | undefined;
  readonly text: string;
}

/** How another replica has a destination. */
export interface ReplicaDestinationView {
  /** Name of the replica. */
  readonly replica: string;
  readonly state: string;
  readonly reason?: string | undefined;
  /** Events that are claimed and not settled there. */
  readonly inFlight: number;
}

/** The status of a destination. Times are epoch ms, as everywhere inside the relay. */
export interface DestinationView {
  readonly name: string;
  readonly state: 'flowing' | 'waiting' | 'paused';
  /** Stable code of why it is not flowing. */
  readonly reason?: string | undefined;
  readonly detail?: string | undefined;
  /** When it stopped flowing. */
  readonly since?: number | undefined;
  readonly nextTryAt?: number | undefined;
  readonly lastSuccessAt?: number | undefined;
  /** Events that are claimed and not settled. */
  readonly inFlight: number;
  /** Requests in flight, and how many are allowed at present. */
  readonly concurrency: { readonly used: number; readonly limit: number };
  /** Remaining lifetime of the cached IMS token; absent without one. */
  readonly tokenSecondsLeft?: number | undefined;
  /** Absent before the first answer. */
  readonly lastAnswers: { readonly inlet?: AnswerView | undefined; readonly ims?: AnswerView | undefined };
  /** The replicas in which the state or its reason is another one than here. */
  readonly otherReplicas: readonly ReplicaDestinationView[];
  readonly pending: number;
  /** Time of receipt of the oldest pending event. */
  readonly oldestPendingAt?: number | undefined;
  /** As configured; maxWait in ms. */
  readonly batch: { readonly maxBytes: number; readonly maxMessages: number; readonly maxWait: number };
  readonly limits: {
    readonly requestsPerSecond: number;
    readonly messagesPerSecond: number;
    readonly concurrency: number;
  };
}

/** Pending events of `source` that wait at `from`, while it sends events to `to`. */
export interface MisplacedView {
  readonly source: string;
  readonly from: string;
  readonly to: string;
  readonly pending: number;
}

/** Resolves once the change is durable, so that it survives a restart. */
export interface DestinationControl {
  pause(by: string): Promise<void>;
  resume(by: string): Promise<void>;
}

export interface DestinationDirectory {
  /** All destinations, in the order of the configuration. */
  list(): Promise<readonly DestinationView[]>;
  get(name: string): DestinationControl | undefined;
  /** Pending events at a destination that their source no longer has in the configuration. */
  misplaced(): Promise<readonly MisplacedView[]>;
  /** As they were last counted. */
  knownMisplaced(): readonly MisplacedView[];
  /** Moves those of a source, or of all sources. @returns how many were moved */
  reroute(by: string, source?: string): Promise<number>;
}

export interface CoverageFilter {
  readonly source?: string | undefined;
  readonly eventName?: string | undefined;
}

/** The payload fields of one event name that no mapping read. */
export interface CoverageEntry {
  readonly source: string;
  readonly eventName: string;
  readonly mapping: 'own' | 'generic' | 'override';
  /** Number of events examined: a sample of those that were settled. */
  readonly events: number;
  /**
   * Most frequent first. `count`: events that had the field without it being read; `example`: one
   * masked value.
   */
  readonly fields: readonly { readonly path: string; readonly count: number; readonly example: string }[];
  /** Occurrences of fields beyond those listed. */
  readonly more: number;
}

/** What was counted since the start of the process, in epoch ms. */
export interface CoverageReport {
  readonly since: number;
  readonly events: readonly CoverageEntry[];
}

/** The counts of all replicas. */
export interface CoverageSource {
  report(filter: CoverageFilter): Promise<CoverageReport>;
}

/** The webhooks of one source. Times are epoch ms; absent: never since the start of the process. */
export interface SourceIntake {
  /** Outcome of the webhook log → how often within the last minutes. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Webhooks that were refused since the last one that was not. */
  readonly refusedInARow: number;
  readonly lastAcceptedAt?: number;
  readonly lastRefusedAt?: number;
}

export interface IntakeCounts {
  /** Length of the period that is counted. */
  readonly minutes: number;
  /** Its beginning, or the later start of the process. */
  readonly since: number;
  /** By configured source; `unknown` for requests that name no such source. */
  readonly sources: ReadonlyMap<string, SourceIntake>;
  /** Requests to paths that are no webhook. */
  readonly otherPaths: number;
}

export interface IntakeSource {
  counts(): IntakeCounts;
  /** Quarantined requests of a source were accepted. */
  released(source: string): void;
  /** Why webhooks are answered 503 now, if they are. */
  refusal(): { readonly code: string; readonly detail: string; readonly cause?: string } | undefined;
}

/** A static secret that the relay accepts from the sender of a source. */
export interface AcceptedSecret {
  readonly source: string;
  /** Name of the verifier, such as `header:x-relay-key`, `basic` or `bearer`. */
  readonly verifier: string;
  /** As `secretFingerprint` computes it; the secret itself is never shown. */
  readonly fingerprint: string;
  /** Number of replicas that accept it. */
  readonly acceptedBy: number;
  /** Receipt of the last webhook that it has verified, epoch ms; absent: none since the start. */
  readonly lastVerifiedAt?: number;
}

export interface SecretSource {
  /**
   * Of all replicas that are alive.
   * @param source only those that this replica accepts from it; the others list all of theirs
   */
  report(
    source?: string,
  ): Promise<{ readonly replicas: number; readonly secrets: readonly AcceptedSecret[] }>;
}

/** One health check. Its result is public, so `detail` contains no secret. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

export interface HealthSource {
  /** Is the process alive? If not, it should be restarted. */
  live(): readonly HealthCheck[];
  /** Can it store events durably? If not, it should receive no webhooks for now. */
  ready(): Promise<readonly HealthCheck[]>;
}

export interface MetricsSource {
  readonly registry: { readonly contentType: string; metrics(): Promise<string> };
  /** Updates the gauges that are read from elsewhere (ledger, backlog, store). */
  refresh(): Promise<void>;
}
