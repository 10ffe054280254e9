import type { IncomingHttpHeaders } from 'node:http';

/** A request exactly as it was received: the input of a verifier. */
export interface ReceivedRequest {
  /** Raw body bytes; signatures are checked over these and nothing else. */
  readonly body: Buffer;
  readonly headers: IncomingHttpHeaders;
  /** Node's flat list of header names and values: only here are duplicate headers visible. */
  readonly rawHeaders: readonly string[];
  /** Peer address after trustProxy, for `allowFrom`. */
  readonly ip: string;
  /** Time of receipt in epoch ms; signed timestamps are compared with it. */
  readonly receivedAt: number;
}

/** `code` is stable and free of secrets and personal data: it appears in logs and metrics. */
export type Verdict =
  | {
      readonly ok: true;
      /** Of a verifier with static secrets: the one that was sent. Must not leave the process. */
      readonly secret?: string;
    }
  | { readonly ok: false; readonly code: string };

/** Checks one kind of credential. Never throws, whatever the request contains. */
export interface Verifier {
  /** Stable name for logs and the event's record, e.g. `header:x-relay-key`. Holds no secret. */
  readonly name: string;
  /** True if the credential covers the body, so that it proves nothing without the whole body. */
  readonly coversBody: boolean;
  /**
   * Accepted static secrets, as a request has them: the value of the header, the token, or user
   * name and password. Empty for signatures.
   */
  readonly secrets: readonly string[];
  verify(request: ReceivedRequest): Verdict;
}

declare const verified: unique symbol;

/** A request whose sender has been verified. Only `sources/` creates one. */
export interface VerifiedRequest extends ReceivedRequest {
  readonly [verified]: true;
  /** Name of the verifier that passed. */
  readonly verifiedBy: string;
}

/** The verified request, or the codes of the verifiers that refused. */
export type SourceVerdict =
  | { readonly ok: true; readonly request: VerifiedRequest }
  | { readonly ok: false; readonly reasons: readonly string[] };

/** All the verifiers of one source; one that passes is enough. */
export interface SourceVerifier {
  /** Names of the verifiers: what a request can be accepted for. */
  readonly names: readonly string[];
  /** The static secrets by the name of their verifier. */
  readonly secrets: readonly { readonly verifier: string; readonly secrets: readonly string[] }[];
  verify(request: ReceivedRequest): SourceVerdict;
  /** The same for a request whose body is not complete: no signature over the body counts. */
  verifyWithoutBody(request: ReceivedRequest): SourceVerdict;
}

/** Marks a request as verified. Only for `sources/`. */
export function markVerified(request: ReceivedRequest, verifiedBy: string): VerifiedRequest {
  return { ...request, verifiedBy } as VerifiedRequest;
}

/** The verdict on a valid credential that is no static secret. */
export const PASSED: Verdict = { ok: true };

/** The verdict on a valid static secret. */
export function passedWith(secret: string): Verdict {
  return { ok: true, secret };
}

/** The verdict on an invalid credential, with a code such as `hmac:bad-signature`. */
export function refuse(type: string, problem: string): Verdict {
  return {
    ok: false,
    code: `${type}:${problem}`,
  };
}
