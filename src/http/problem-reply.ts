import type { FastifyError, FastifyReply } from 'fastify';
import { type ProblemCode, ProblemError, PROBLEMS, problem } from './problems.ts';
import { StoreError } from '../journal/journal.ts';

/** Seconds to wait where a refusal names none. */
const RETRY_AFTER = 5;

function codeOf(error: FastifyError | Error): ProblemCode {
  if (error instanceof ProblemError) return error.code;
  if (error instanceof StoreError) return 'store-failing';
  const status = 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return 'body-too-large';
  if (status === 429) return 'rate-limited';
  return status !== undefined && status >= 400 && status < 500 ? 'bad-request' : 'internal';
}

/**
 * Answers an error as RFC 9457 says. Only the detail of a ProblemError is shown: whatever else an error says could hold a secret.
 * @returns the code answered, for logs and metrics
 */
export function answerProblem(error: FastifyError | Error, reply: FastifyReply): ProblemCode {
  const code = codeOf(error);
  const detail =
    error instanceof ProblemError && error.message !== PROBLEMS[code].title ? error.message : undefined;
  const body = problem(code, detail);
  if (body.status === 429 || body.status === 503) {
    const seconds = error instanceof ProblemError ? error.retryAfter : undefined;
    void reply.header('retry-after', String(Math.max(1, Math.ceil(seconds ?? RETRY_AFTER))));
  }
  void reply.code(body.status).type('application/problem+json').send(body);
  return code;
}
