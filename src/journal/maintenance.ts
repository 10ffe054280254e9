/* Retention, re-encryption and the health of the store. */

/** Ages in ms. Pending events are never removed. */
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

/** Progress of a re-encryption; opaque outside the engine. */
export interface ReencryptionPosition {
  readonly table: number;
  readonly after: number;
  /** Payloads met so far that no configured key decrypts. */
  readonly unreadable: number;
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

export interface StoreHealth {
  /** Bytes used by records; free space inside the file does not count. */
  readonly usedBytes: number;
  /** Bytes free on the volume. */
  readonly freeBytes: number;
}

/** One batch of calls that the engine carried out, for metrics. */
export interface BatchReport {
  readonly calls: number;
  /** True if the batch wrote something and therefore waited for the disk. */
  readonly writes: boolean;
  /** Time in ms to execute and commit the batch. */
  readonly durationMs: number;
}
