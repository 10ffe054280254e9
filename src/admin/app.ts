import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance } from 'fastify';
import { ProblemError } from '../http/problems.ts';
import { answerProblem } from '../http/problem-reply.ts';
import { closeLongLived, serverLimits } from '../http/server-limits.ts';
import { REFUSAL_DETAILS, refusalOf } from './access.ts';
import { contractRoutes } from './contract.ts';
import { coverageRoutes } from './coverage.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { destinationRoutes } from './destinations.ts';
import { eventRoutes } from './events.ts';
import { createGuesses } from './guesses.ts';
import { healthRoutes } from './health.ts';
import { jsonBodies } from './json-bodies.ts';
import { ledgerRoutes } from './ledger.ts';
import { logLevelRoutes } from './log-level.ts';
import { answerNoRoute } from './methods.ts';
import { metricsRoutes } from './metrics.ts';
import type { AdminParts } from './parts.ts';
import { quarantineRoutes } from './quarantine.ts';

const BODY_LIMIT = 1_048_576;
/** Connections at once; more are dropped. */
const MAX_CONNECTIONS = 1_000;
/** Requests per second and address, those refused included. */
const MAX_PER_SECOND = 200;

/** The port for operators and probes. Not yet listening. */
export async function createAdminApp(parts: AdminParts): Promise<FastifyInstance> {
  const app = fastify({
    ...serverLimits,
    bodyLimit: BODY_LIMIT,
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 300 },
    frameworkErrors: (_error, _request, reply) =>
      void answerProblem(new ProblemError('bad-request', 'the path is not a URL'), reply),
  });
  app.setErrorHandler((error: Error, _request, reply) => {
    if (answerProblem(error, reply) === 'internal') parts.observer.trouble('an admin request failed', error);
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  closeLongLived(app);
  const noRoute = answerNoRoute(app);
  app.setNotFoundHandler(noRoute);
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
  await app.register(helmet, answerHeaders);
  await app.register(rateLimit, { global: false, ...limits });
  await app.register(healthRoutes(parts));
  await app.register(metricsRoutes(parts));
  await app.register(contractRoutes);
  await app.register(async (scope) => adminApi(scope, parts, noRoute), { prefix: '/admin' });
  return app;
}

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
async function adminApi(
  scope: FastifyInstance,
  parts: AdminParts,
  noRoute: ReturnType<typeof answerNoRoute>,
): Promise<void> {
  const guesses = createGuesses(parts.now);
  // As a hook of the scope: the limiter's own hook of each route would run after the one that refuses.
  scope.addHook('onRequest', scope.rateLimit());
  scope.addHook('onRequest', async ({ headers, raw }, reply) => {
    const { rawHeaders, socket } = raw;
    const address = socket.remoteAddress ?? '';
    guesses.expectAllowed(address);
    const refusal = refusalOf({ headers, rawHeaders, remoteAddress: socket.remoteAddress }, parts.token());
    if (refusal === undefined) return;
    if (refusal === 'wrong-token') guesses.wrong(address);
    parts.observer.refused(refusal);
    void reply.header('www-authenticate', 'Bearer');
    throw new ProblemError('unauthorized', REFUSAL_DETAILS[refusal]);
  });
  scope.setNotFoundHandler(noRoute);
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
}
