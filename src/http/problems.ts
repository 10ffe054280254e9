import type { FastifyError, FastifyReply } from 'fastify';

/**
 * Stable codes of every error that an HTTP client of the relay can see (RFC 9457). `title` and
 * `status` are fixed per code.
 */
export const PROBLEMS = {
  'not-json': { status: 400, title: 'The body is not JSON' },
  'not-an-event': { status: 400, title: 'The body is not a Capillary event' },
  'wrong-org': { status: 400, title: 'The event belongs to another organisation' },
  'bad-request': { status: 400, title: 'The request is invalid' },
  'not-verified': { status: 401, title: 'The sender could not be verified' },
  unauthorized: { status: 401, title: 'A bearer token is required' },
  'wrong-token': { status: 401, title: 'The bearer token is wrong' },
  'unknown-source': { status: 404, title: 'There is no such source' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here' },
  'request-timeout': { status: 408, title: 'The request did not arrive in time' },
  conflict: { status: 409, title: 'The current state does not allow this' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'expectation-failed': { status: 417, title: 'The expectation cannot be met' },
  'invalid-config': { status: 422, title: 'The configuration cannot be used' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'Internal error' },
  'unknown-transfer-coding': { status: 501, title: 'The transfer coding is not supported' },
  'store-full': { status: 503, title: 'The store is full' },
  'store-failing': { status: 503, title: 'The store cannot accept events' },
  'keys-unavailable': { status: 503, title: "Adobe's public keys cannot be read" },
  draining: { status: 503, title: 'The relay is shutting down' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail?: string;
}

/**
 * The body of an error response. `detail` must contain no secret and no personal data: Capillary
 * logs responses (docs/platforms/capillary.md#answers-and-repeats).
 */
export function problem(code: ProblemCode, detail?: string): Problem {
  return {
    type: `urn:capillary-aep-relay:problem:${code}`,
    title: PROBLEMS[code].title,
    status: PROBLEMS[code].status,
    code,
    ...(detail === undefined ? {} : { detail }),
  };
}

/** Thrown in an HTTP handler; the app's error handler sends its problem document. */
export class ProblemError extends Error {
  override name = 'ProblemError';
  readonly code: ProblemCode;
  /** Seconds, for the Retry-After header of 429 and 503. */
  readonly retryAfter: number | undefined;

  constructor(code: ProblemCode, detail?: string, retryAfter?: number) {
    super(detail ?? PROBLEMS[code].title);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

const DEFAULT_RETRY_AFTER_SECONDS = 5;

function codeOf(error: FastifyError | Error): ProblemCode {
  if (error instanceof ProblemError) return error.code;
  const status = 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return 'body-too-large';
  if (status === 429) return 'rate-limited';
  return status !== undefined && status >= 400 && status < 500 ? 'bad-request' : 'internal';
}

/**
 * Sends an error in the form of RFC 9457. Only the detail of a ProblemError is shown: the message
 * of any other error could contain a secret.
 * @param known code of an error of a lower layer that the caller recognises
 * @returns the code that was sent, for logs and metrics
 */
export function sendProblem(
  error: FastifyError | Error,
  reply: FastifyReply,
  known?: ProblemCode,
): ProblemCode {
  const code = known ?? codeOf(error);
  const detail =
    error instanceof ProblemError && error.message !== PROBLEMS[code].title ? error.message : undefined;
  const body = problem(code, detail);
  if (body.status === 429 || body.status === 503) {
    const seconds = error instanceof ProblemError ? error.retryAfter : undefined;
    void reply.header('retry-after', String(Math.max(1, Math.ceil(seconds ?? DEFAULT_RETRY_AFTER_SECONDS))));
  }
  void reply.code(body.status).type('application/problem+json').send(body);
  return code;
}
