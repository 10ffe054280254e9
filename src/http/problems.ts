/** Stable codes of every error an HTTP client of the relay can see (RFC 9457). `title` and `status` are fixed per code. */
export const PROBLEMS = {
  'not-json': { status: 400, title: 'The body is not JSON' },
  'not-an-event': { status: 400, title: 'The body is not a Capillary event' },
  'wrong-org': { status: 400, title: 'The event is of another organisation' },
  'bad-request': { status: 400, title: 'The request cannot be used' },
  'not-verified': { status: 401, title: 'The sender could not be verified' },
  unauthorized: { status: 401, title: 'A bearer token is needed' },
  'unknown-source': { status: 404, title: 'There is no such source' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here' },
  'request-timeout': { status: 408, title: 'The request did not arrive in time' },
  conflict: { status: 409, title: 'The state does not allow this' },
  'body-too-large': { status: 413, title: 'The body is over the limit' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'The headers are over the limit' },
  internal: { status: 500, title: 'The relay failed' },
  'store-full': { status: 503, title: 'The store is at its limit' },
  'store-failing': { status: 503, title: 'The store cannot take events' },
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

/** The body of an error answer. `detail` must hold no secret and no personal datum: Capillary keeps answers in its log. */
export function problem(code: ProblemCode, detail?: string): Problem {
  return {
    type: `urn:capillary-aep-relay:problem:${code}`,
    title: PROBLEMS[code].title,
    status: PROBLEMS[code].status,
    code,
    ...(detail === undefined ? {} : { detail }),
  };
}

/** Thrown inside an HTTP handler; the app's error handler turns it into its problem answer. */
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
