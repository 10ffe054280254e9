import type { EventFilter, Page, PageRequest } from './event-log.ts';

/**
 * A request that no verifier accepted. A bounded number is stored so that they can be verified
 * again after a secret has been corrected.
 */
export interface NewQuarantined {
  readonly source: string;
  readonly receivedAt: number;
  readonly ip: string;
  /** Codes of the verifiers that rejected it. */
  readonly reasons: readonly string[];
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

/** Bounds of one source's quarantine; the oldest requests are evicted first. `maxAge` is in ms. */
export interface QuarantineBounds {
  readonly maxCount: number;
  readonly maxBytes: number;
  readonly maxAge: number;
}

export interface Quarantined extends NewQuarantined {
  readonly receipt: string;
  readonly body: Buffer;
}

/** Keeps a bounded number of requests that no verifier accepted. */
export interface Quarantine {
  /**
   * Stores a copy within the bounds; `evicted` counts older requests deleted to make room. A
   * request that alone exceeds the bounds is not stored, and its receipt cannot be found. Sizes
   * include body and headers.
   */
  quarantine(
    request: NewQuarantined,
    bounds: QuarantineBounds,
  ): Promise<{ readonly receipt: string; readonly evicted: number }>;
  /** A page may hold fewer than `limit` items if bodies are large; only the cursor is reliable. */
  listQuarantined(
    filter: Pick<EventFilter, 'receipts' | 'source' | 'since' | 'until'>,
    page: PageRequest,
  ): Promise<Page<Quarantined>>;
  removeQuarantined(receipts: readonly string[]): Promise<{ readonly removed: number }>;
}
