/** The response of the inlet, or why none arrived. */
export type InletResult =
  | {
      readonly kind: 'response';
      readonly status: number;
      /** Positive; absent unless the response has a valid Retry-After header. */
      readonly retryAfterMs?: number;
      /** As text; at most 1 MiB is read. */
      readonly body: string;
      /** Present if the body was longer than that. */
      readonly isTruncated?: true;
      readonly durationMs: number;
    }
  | {
      readonly kind: 'failure';
      /** See FailureCode in src/http/failure.ts. */
      readonly code: string;
      readonly detail: string;
      readonly durationMs: number;
    };

/** The dataflow that a request is for. */
export interface InletFlow {
  readonly flowId: string;
}

/**
 * Sends serialized messages (each the JSON text of one `{header, body}`) to one inlet.
 * Throws only the reason of an aborted signal.
 */
export interface Inlet {
  /** Batch endpoint, `{"messages":[…]}`. */
  sendBatch(
    flow: InletFlow,
    messages: readonly string[],
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<InletResult>;
  /** Single endpoint. */
  sendSingle(
    flow: InletFlow,
    message: string,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<InletResult>;
  close(): Promise<void>;
}

/** The latest answer of the inlet or of IMS to any request, as operators see it. */
export interface LastAnswer {
  /** Epoch ms of its arrival. */
  readonly at: number;
  /** HTTP status; absent if no answer arrived. */
  readonly status?: number | undefined;
  /** The answer in its own words, or why there is none; at most 500 bytes. */
  readonly text: string;
}

/** A token, or why none is available. */
export type TokenResult =
  | { readonly ok: true; readonly token: string }
  | {
      readonly ok: false;
      /**
       * `invalid_client`, `invalid_scope`, … as IMS says, or `throttled`, `unavailable`, `network`,
       * `proxy-refused`, `proxy-failing`, or `token_refused` while the inlet refuses newly minted
       * tokens.
       */
      readonly code: string;
      readonly detail: string;
      /** True if another attempt cannot succeed until the configuration changes. */
      readonly permanent: boolean;
      /** How long to wait before the next call. */
      readonly retryAfterMs: number;
    };

/** Provides IMS access tokens for one credential. */
export interface TokenSource {
  /**
   * The cached token, or a newly minted one. Concurrent callers share one mint.
   * Throws only the reason of an aborted signal.
   */
  get(signal: AbortSignal): Promise<TokenResult>;
  /**
   * The inlet refused this token. Forces one mint per token value, however many callers report it.
   */
  reject(token: string): void;
  /**
   * Replaces the client secrets from the next mint on and, if they differ, ends any backoff.
   * @returns whether they differ
   */
  setSecrets(secrets: readonly string[]): boolean;
  /** Ends any backoff, because the cause may be fixed. */
  retryNow(): void;
  /** Seconds until the cached token expires; undefined without one. */
  secondsLeft(): number | undefined;
  /** Undefined before the first request to IMS has ended. */
  lastAnswer(): LastAnswer | undefined;
  close(): void;
}
