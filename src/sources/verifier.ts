import type { IncomingHttpHeaders } from 'node:http';

/** What a verifier sees: the request exactly as it came. */
export interface ReceivedRequest {
  /** Raw body bytes; a signature is checked over these and nothing else. */
  readonly body: Buffer;
  readonly headers: IncomingHttpHeaders;
  /** Node's flat list of header names and values in order: the only place where a doubled header shows. */
  readonly rawHeaders: readonly string[];
  /** Peer address after trustProxy, for `allowFrom`. */
  readonly ip: string;
  /** Epoch milliseconds at which the request came: what a signed timestamp is compared with. */
  readonly receivedAt: number;
}

/** `code` is stable and free of secrets and personal data: it goes into logs and metrics. */
export type Verdict = { readonly ok: true } | { readonly ok: false; readonly code: string };

/** Checks one kind of proof. Never throws for anything a sender can put into a request. */
export interface Verifier {
  /** Stable name for logs and the event's record, e.g. `header:x-relay-key`. Holds no secret. */
  readonly name: string;
  verify(request: ReceivedRequest): Verdict;
}

declare const verified: unique symbol;

/** A request whose sender has been proven. Only `verify/` makes one. */
export interface VerifiedRequest extends ReceivedRequest {
  readonly [verified]: true;
  /** Name of the verifier that passed. */
  readonly verifiedBy: string;
}

/** All the ways one source accepts; any one that passes is enough. */
export interface SourceVerifier {
  verify(
    request: ReceivedRequest,
  ):
    | { readonly ok: true; readonly request: VerifiedRequest }
    | { readonly ok: false; readonly reasons: readonly string[] };
}

/** For `verify/` alone: stamps a request as proven. */
export function markVerified(request: ReceivedRequest, verifiedBy: string): VerifiedRequest {
  return { ...request, verifiedBy } as VerifiedRequest;
}
