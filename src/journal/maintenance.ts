/* What the engine does by itself, and what it reports about itself. */

/** Ages in ms: upper bounds. Pending events are never removed. */
export interface RetentionPolicy {
  /** Age since settlement at which the body of a delivered or ignored event is deleted. */
  readonly delivered: number;
  /**
   * Age since receipt at which the record of a delivered or ignored event is deleted and its
   * identity forgotten, provided the body is already gone.
   */
  readonly ids: number;
  /**
   * Age since settlement at which a dead event is deleted, but never earlier than `ids` after
   * settlement. Age since receipt at which a malformed body is deleted.
   */
  readonly dead: number;
}

/** What the engine keeps within while it maintains the store. Read before each round. */
export interface MaintenancePolicy {
  readonly retention: RetentionPolicy;
  /** Bytes that the store may use. */
  readonly maxBytes: number;
  /** Bytes that must stay free on the volume; 0 where the engine has no volume of its own. */
  readonly minFree: number;
}

/** Something that maintenance has done. */
export type MaintenanceReport =
  /** What retention removed because of its age. */
  | { readonly kind: 'retained'; readonly removed: number }
  /** What was removed early, because the store had reached a watermark. */
  | { readonly kind: 'made-room'; readonly bodies: number; readonly records: number }
  /** Share of the payloads that are in the current stored form, from 0 to 1. */
  | { readonly kind: 'sealing'; readonly share: number }
  /** All payloads are in the current form, except those that no configured key decrypts. */
  | { readonly kind: 'sealed'; readonly resealed: number; readonly unreadable: number }
  /** A replay job has finished. */
  | { readonly kind: 'replayed'; readonly id: number }
  /** A task failed; it is tried again. */
  | { readonly kind: 'failed'; readonly task: string; readonly error: Error };

/** Events of a source that could be claimed. */
export interface Overdue {
  readonly source: string;
  readonly destination: string;
  /** ms since which the oldest of them has been due. */
  readonly since: number;
}

/** The state of the engine. */
export interface StoreStatus {
  /** False after a write has failed, until one succeeds. While it is false, each call tries. */
  readonly isWritable: boolean;
  /** ms since a write has failed first; absent while the store is writable. */
  readonly failingFor?: number;
  /** Why it cannot write. */
  readonly failure?: string;
  /** ms since the engine last gave a sign of life. It does so every second, even when idle. */
  readonly silentFor: number;
  /** Calls that wait for the engine or are being executed. */
  readonly queued: number;
  /** The oldest event that is due and unclaimed, for each source and destination. */
  readonly overdue: readonly Overdue[];
  /** Bytes used by records; free space inside the file does not count. */
  readonly usedBytes: number;
  /** Bytes that new records can use: free on the volume, and free inside the file. */
  readonly freeBytes: number;
  /** Engine-specific gauges by name, such as the size of a log in bytes. */
  readonly gauges: Readonly<Record<string, number>>;
}

/** One batch of calls that the engine carried out, for metrics. */
export interface BatchReport {
  readonly calls: number;
  /** True if the batch waited for the disk. */
  readonly writes: boolean;
  /** Time in ms to execute the batch and to make it durable. */
  readonly durationMs: number;
}

/** A copy of the store that is being made or was made. */
export interface BackupResult {
  /** The file; named relay.db in an empty folder, it is a complete store. */
  readonly file: string;
  readonly bytes: number;
}

/**
 * Keeps the store within its bounds. Retention, re-encryption and replay jobs belong to the engine:
 * one process at a time carries them out, under a lease of the engine, in steps that delay no other
 * call, and another one continues where it stopped. Nobody outside drives them.
 */
export interface Maintenance {
  /** Begins maintenance; the policy is read again before each round. Idempotent. */
  maintain(policy: () => MaintenancePolicy): void;
  /** Returns a function that unsubscribes. */
  onMaintenance(listener: (report: MaintenanceReport) => void): () => void;
  /**
   * Moves the pending events of a source to a destination, in steps: if it rejects, the earlier
   * steps remain and a repetition completes it. An operator's or a reload's decision, never a side
   * effect of a start. The history of each event has both destinations and `by`.
   */
  reroute(source: string, destination: string, by: string): Promise<{ readonly rerouted: number }>;
  /**
   * Copies the store to a new file while it is in use. The copy is consistent: it has every event
   * whose append was answered before the call.
   * @throws RefusedError if the file exists or its folder does not, or if the engine has no file
   */
  backup(file: string): Promise<BackupResult>;
  /** Never waits long for the engine: if it does not answer, the last known state is returned. */
  status(): Promise<StoreStatus>;
  /** As in `status`, without any wait. */
  silentFor(): number;
  /**
   * Resolves with the reason if the engine dies and can execute no more calls; never on close().
   */
  readonly failed: Promise<Error>;
  /**
   * Completes all calls in progress and makes everything durable, then closes. A call over a filter
   * stops after its current step and rejects. Idempotent.
   */
  close(): Promise<void>;
}
