/** One answered webhook: the wide log line and the metrics are made of this. Holds no content and no secret. */
export interface WebhookReport {
  /** Configured source name, or `unknown`. */
  readonly source: string;
  /** `accepted`, `duplicate`, or the problem code of the answer. */
  readonly outcome: string;
  readonly status: number;
  readonly durationMs: number;
  readonly bytes: number;
  readonly receipt?: string;
  readonly eventName?: string;
  /** Capillary's id of the event. */
  readonly eventId?: string;
  readonly verifiedBy?: string;
  /** Codes of the verifiers that refused. */
  readonly reasons?: readonly string[];
  /** Older unverified requests dropped to keep this one. */
  readonly evicted?: number;
  /** Of the trace it is in, where the process is traced. */
  readonly traceId?: string;
}

export interface IntakeObserver {
  answered(report: WebhookReport): void;
  trouble(message: string, error: unknown): void;
}
