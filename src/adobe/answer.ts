/** What came back from the inlet, or why nothing did. */
export type InletAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      /** ms to wait as Retry-After says (seconds or date), if it came and parses; at least 0. */
      readonly retryAfter?: number;
      /** Body as text, at most 1 MiB read. */
      readonly body: string;
      readonly durationMs: number;
    }
  | {
      readonly kind: 'failure';
      /** `timeout`, `refused`, `reset`, `dns`, `tls`, `network`. */
      readonly code: string;
      readonly detail: string;
      readonly durationMs: number;
    };

/** Where messages go: an inlet, and the flow that takes them. */
export interface InletFlow {
  readonly flowId: string;
}

/** Sends serialised messages (each the JSON text of one `{header, body}`) to one inlet. Never throws but for an aborted signal. */
export interface Inlet {
  /** Batch endpoint, `{"messages":[…]}`. */
  sendBatch(
    flow: InletFlow,
    messages: readonly string[],
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<InletAnswer>;
  /** Single endpoint. */
  sendSingle(
    flow: InletFlow,
    message: string,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<InletAnswer>;
  close(): Promise<void>;
}

/** A token, or why there is none now. */
export type TokenAnswer =
  | { readonly ok: true; readonly token: string }
  | {
      readonly ok: false;
      /** `invalid_client`, `invalid_scope`, … as IMS says, or `throttled`, `unavailable`, `network`. */
      readonly code: string;
      readonly detail: string;
      /** True when asking again cannot help until the configuration changes. */
      readonly permanent: boolean;
      /** ms until asking again is worth it. */
      readonly retryAfter: number;
    };

/** Gives IMS access tokens for one credential. */
export interface TokenSource {
  /** The cached token, or a newly minted one; one mint at a time however many ask. Never throws but for an aborted signal. */
  get(signal: AbortSignal): Promise<TokenAnswer>;
  /** The inlet refused this token: forces one mint per token value, however many report it. */
  reject(token: string): void;
  /** Secrets have changed (rotation): used from the next mint on, and any backoff is forgotten. */
  setSecrets(secrets: readonly string[]): void;
  /** Forgets any wait: somebody says that what was wrong is mended. */
  retryNow(): void;
  /** Seconds until the cached token expires; undefined without one. */
  secondsLeft(): number | undefined;
  close(): void;
}
