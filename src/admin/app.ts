import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance } from 'fastify';
import { ProblemError } from '../errors.ts';
import { answerProblem } from '../intake/problems.ts';
import { answerUnreadable } from '../intake/unreadable.ts';
import { REFUSAL_DETAILS, refusalOf } from './access.ts';
import { contractRoutes } from './contract.ts';
import { coverageRoutes } from './coverage.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { destinationRoutes } from './destinations.ts';
import { eventRoutes } from './events.ts';
import { healthRoutes } from './health.ts';
import { jsonBodies } from './json-bodies.ts';
import { ledgerRoutes } from './ledger.ts';
import { logLevelRoutes } from './log-level.ts';
import { metricsRoutes } from './metrics.ts';
import type { AdminParts } from './parts.ts';
import { quarantineRoutes } from './quarantine.ts';

const BODY_LIMIT = 1_048_576;
/** ms for the request to arrive whole; an answer may take longer. */
const REQUEST_TIMEOUT = 30_000;
/** Requests per second and address, those refused included: nobody can try tokens faster. */
const MAX_PER_SECOND = 200;

/** The port for operators and probes. Not yet listening. */
export const createAdminApp = async (parts: AdminParts): Promise<FastifyInstance> => {
  const app = fastify({
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT,
    return503OnClosing: false,
    clientErrorHandler: answerUnreadable,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 300 },
    frameworkErrors: (_error, _request, reply) =>
      void answerProblem(new ProblemError('bad-request', 'the path is not a URL'), reply),
  });
  app.setErrorHandler((error: Error, _request, reply) => {
    if (answerProblem(error, reply) === 'internal') parts.observer.trouble('an admin request failed', error);
  });
  app.setNotFoundHandler(notFound);
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
  await app.register(helmet, answerHeaders);
  await app.register(rateLimit, { global: false, ...limits });
  await app.register(healthRoutes(parts));
  await app.register(metricsRoutes(parts));
  await app.register(contractRoutes);
  await app.register(async (scope) => adminApi(scope, parts), { prefix: '/admin' });
  return app;
};

/** Answers are data and never pages, but for the one of contract.ts. Whether a domain is TLS only is for the proxy to say that does the TLS. */
const answerHeaders = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  strictTransportSecurity: false,
} as const;

const limits = {
  max: MAX_PER_SECOND,
  timeWindow: 1_000,
  addHeaders: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
  addHeadersOnExceeding: {
    'x-ratelimit-limit': false,
    'x-ratelimit-remaining': false,
    'x-ratelimit-reset': false,
  },
  errorResponseBuilder: (_request: unknown, context: { readonly max: number; readonly ttl: number }) =>
    new ProblemError(
      'rate-limited',
      `at most ${context.max} requests in a second from one address`,
      context.ttl / 1_000,
    ),
};

/** Everything under /admin, paths that do not exist too, so that nobody without the token learns which do. */
const adminApi = async (scope: FastifyInstance, parts: AdminParts): Promise<void> => {
  // As a hook of the scope: the limiter's own hook of each route would run after the one that refuses.
  scope.addHook('onRequest', scope.rateLimit());
  scope.addHook('onRequest', async ({ headers, raw }, reply) => {
    const { rawHeaders, socket } = raw;
    const refusal = refusalOf({ headers, rawHeaders, remoteAddress: socket.remoteAddress }, parts.token());
    if (refusal === undefined) return;
    parts.observer.refused(refusal);
    void reply.header('www-authenticate', 'Bearer');
    throw new ProblemError('unauthorized', REFUSAL_DETAILS[refusal]);
  });
  scope.setNotFoundHandler(notFound);
  jsonBodies(scope);
  await scope.register(
    async (v1) => {
      ledgerRoutes(v1, parts);
      coverageRoutes(v1, parts);
      eventRoutes(v1, parts);
      deadLetterRoutes(v1, parts);
      quarantineRoutes(v1, parts);
      destinationRoutes(v1, parts);
      logLevelRoutes(v1, parts);
    },
    { prefix: '/v1' },
  );
};

const notFound = (): never => {
  throw new ProblemError('not-found', 'no such path; openapi.yaml has those there are');
};
