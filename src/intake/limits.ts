import type { RateLimitPluginOptions } from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import type { Config } from '../config/schema.ts';
import { ProblemError } from '../http/problems.ts';
import type { SourceTable } from '../sources/source-table.ts';

/** The configured source that the path of a request names; undefined when it names none. */
export function sourceName({ params }: FastifyRequest, sources: SourceTable): string | undefined {
  return typeof params === 'object' &&
    params !== null &&
    'source' in params &&
    typeof params.source === 'string' &&
    sources.get(params.source) !== undefined
    ? params.source
    : undefined;
}

/** How many webhooks each source may send. Unknown names share a limit by address, so that guessing names cannot use up a source's allowance. */
export function limitsOf(
  { rateLimit }: Pick<Config['server'], 'rateLimit'>,
  sources: SourceTable,
): RateLimitPluginOptions {
  return {
    global: false,
    max: rateLimit.max,
    timeWindow: rateLimit.window,
    keyGenerator: (request) => {
      const name = sourceName(request, sources);
      return name === undefined ? `address ${request.ip}` : `source ${name}`;
    },
    addHeaders: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
    errorResponseBuilder: (_request, context) =>
      new ProblemError(
        'rate-limited',
        `at most ${context.max} requests in ${context.after}`,
        context.ttl / 1_000,
      ),
  };
}
