/* What comes into the journal. */

export interface NewEvent {
  readonly source: string;
  readonly destination: string;
  /** 64 hex; see CapillaryEvent.identity. */
  readonly identity: string;
  readonly lane?: string;
  readonly customerId?: string;
  readonly orgId: number;
  readonly eventName: string;
  readonly eventId?: string;
  /** Epoch ms by Capillary's clock. */
  readonly createdAt?: number;
  /** Epoch ms by ours. */
  readonly receivedAt: number;
  readonly verifiedBy: string;
  /** The raw body as it came. */
  readonly body: Uint8Array;
  /** W3C traceparent of the span that journaled it, where the process is traced. */
  readonly traceparent?: string;
}

export interface Appended {
  readonly receipt: string;
  readonly duplicate: boolean;
}

/** A verified body that is no event. Kept as a dead letter of reason `malformed`, counted beside the accepted ones. */
export interface NewMalformed {
  readonly source: string;
  readonly destination: string;
  readonly receivedAt: number;
  readonly verifiedBy: string;
  /** What was wrong, without content of the body. */
  readonly detail: string;
  readonly body: Uint8Array;
}

/** A request that no verifier passed; kept within bounds so that it can be verified again after a secret is mended. */
export interface NewQuarantined {
  readonly source: string;
  readonly receivedAt: number;
  readonly ip: string;
  /** Codes of the verifiers that refused it. */
  readonly reasons: readonly string[];
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

/** Bounds of one source's quarantine; the oldest go first. maxAge in ms. */
export interface QuarantineBounds {
  readonly maxCount: number;
  readonly maxBytes: number;
  readonly maxAge: number;
}
