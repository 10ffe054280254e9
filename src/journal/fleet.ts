/** The lanes of a destination are spread over this many slots, which the replicas share. */
export const SLOTS = 64;

/** What one process of the relay says about itself. */
export interface ReplicaStatus {
  readonly id: string;
  /** Host name, which on Kubernetes is the name of the pod. */
  readonly name: string;
  readonly version: string;
  /** Epoch ms of its start. */
  readonly since: number;
  /** ms since it last gave a sign of life. */
  readonly silentFor: number;
  /** The process that answers. */
  readonly isSelf: boolean;
  /** Carries out maintenance and exports the metrics of the store. */
  readonly isLeader: boolean;
  /** By destination: how many slots it owns, of `SLOTS` in all. */
  readonly slots: Readonly<Record<string, number>>;
  /** What it published last; see `Fleet.describe`. */
  readonly report: ReplicaReport;
}

/** State of a replica in numbers and names, without personal data. */
export interface ReplicaReport {
  /** Events a second in the last minute. */
  readonly rates?: { readonly accepted: number; readonly delivered: number };
  /** By destination: the state in which the replica has it, and why. */
  readonly destinations?: Readonly<Record<string, DestinationReport>>;
}

export interface DestinationReport {
  readonly state: string;
  readonly reason?: string;
  /** Events claimed and not settled. */
  readonly inFlight: number;
}

/**
 * What one replica tells the others about a destination. A hint that may be lost, but it usually
 * arrives within a second; `pauses` decides what an operator has paused.
 */
export type FleetNotice =
  /** The destination asked to slow down for this many ms. */
  | { readonly kind: 'throttled'; readonly destination: string; readonly forMs: number }
  /** An operator has paused or resumed it. */
  | { readonly kind: 'pauses'; readonly destination: string }
  /** An operator has asked to try again now. */
  | { readonly kind: 'retry-now'; readonly destination: string };

/**
 * The processes that share a store. An engine for one process has one replica, which owns
 * everything; for it the notices have no receiver.
 */
export interface Fleet {
  /** The replicas that are alive, in the order of their start. */
  replicas(): Promise<readonly ReplicaStatus[]>;
  /** How many replicas were alive when last heard of; at least 1. Never waits. */
  replicaCount(): number;
  /** Whether this process is the leader; always true for a single one. Never waits. */
  isLeader(): boolean;
  /** Share of a destination's slots that this process owns, from 0 to 1. Never waits. */
  shareOf(destination: string): number;
  /** Calls the listener after a share or the number of replicas has changed. */
  onShares(listener: () => void): () => void;
  /** What `replicas` shows of this process; called about once a second. */
  describe(report: () => ReplicaReport): void;
  /**
   * Stores what the other replicas can read of this one under a name, in place of what it stored
   * before. It is forgotten when this process has ended. Without personal data.
   */
  postReport(name: string, json: string): Promise<void>;
  /** What the other replicas that are alive have posted under the name. */
  otherReports(name: string): Promise<readonly string[]>;
  /** Tells the other replicas. Never rejects. */
  publish(notice: FleetNotice): void;
  /** Calls the listener with what other replicas published. */
  onNotice(listener: (notice: FleetNotice) => void): () => void;
}
