import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance } from 'fastify';
import { manageConnections } from '../http/connections.ts';
import { sendProblem, ProblemError } from '../http/problems.ts';
import { checkRequests } from '../http/request-checks.ts';
import { serverLimits } from '../http/server-limits.ts';
import { refuseUnknownRoutes } from '../http/unknown-routes.ts';
import { StoreError } from '../journal/journal.ts';
import { checkAccess, REFUSAL_DETAILS } from './access.ts';
import type { AdminParts } from './admin-parts.ts';
import { configRoutes } from './config-routes.ts';
import { createAuthThrottle } from './auth-throttle.ts';
import { coverageRoutes, ledgerRoutes } from './report-routes.ts';
import { deadLetterRoutes } from './dead-letter-routes.ts';
import { destinationRoutes } from './destination-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { hookRoutes } from './hook-routes.ts';
import { replayRoutes } from './replay-routes.ts';
import { intakeRoutes } from './intake-routes.ts';
import { logLevelRoutes } from './log-level-routes.ts';
import { openapiRoutes } from './openapi-routes.ts';
import { healthRoutes, metricsRoutes } from './probe-routes.ts';
import { quarantineRoutes } from './quarantine-routes.ts';
import { enrichmentRoutes } from './enrichment-routes.ts';
import { reconciliationRoutes } from './reconciliation-routes.ts';
import { replicaRoutes } from './replica-routes.ts';
import { MAX_EVENT_ID_LENGTH } from './requests.ts';
import { sourceRoutes } from './source-routes.ts';
import { storeRoutes } from './store-routes.ts';

const MAX_BODY_BYTES = 1_048_576;
/** Concurrent connections; see connections.ts. */
const MAX_CONNECTIONS = 1_000;
/** Per address; refused requests count too. */
const MAX_REQUESTS_PER_SECOND = 200;

/**
 * An operator has to know what keeps the store from answering, and how to fix it. The text of an
 * error without a fix is meant for the log: it can have details of the machine.
 */
function storeProblem({ message, fix }: StoreError): ProblemError {
  return new ProblemError('store-failing', fix === undefined ? undefined : `${message}; fix: ${fix}`);
}

/** A URL that reaches no route. Its error is not shown, because it quotes the URL. */
function urlProblem({ code }: { readonly code: string }): ProblemError {
  return new ProblemError(
    'bad-request',
    code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? `the id in the path is too long: at most ${MAX_EVENT_ID_LENGTH} characters`
      : 'the URL cannot be decoded',
  );
}

/** The app of the admin port, for operators and probes. Not yet listening. */
export async function createAdminApp(parts: AdminParts): Promise<FastifyInstance> {
  const app = fastify({
    ...serverLimits,
    bodyLimit: MAX_BODY_BYTES,
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_EVENT_ID_LENGTH },
    frameworkErrors: (error, _request, reply) => void sendProblem(urlProblem(error), reply),
  });
  app.setErrorHandler((error: Error, _request, reply) => {
    const shown = error instanceof StoreError ? storeProblem(error) : error;
    if (sendProblem(shown, reply) === 'internal') parts.observer.errorCaught('admin request failed', error);
  });
  manageConnections(app.server, { maxConnections: MAX_CONNECTIONS, isDraining: parts.isDraining });
  checkRequests(app);
  const notFound = refuseUnknownRoutes(app, 'no such path; GET /openapi.yaml lists the paths');
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
  await app.register(helmet, securityHeaders);
  await app.register(rateLimit, { global: false, ...rateLimits });
  await app.register(healthRoutes(parts));
  await app.register(metricsRoutes(parts));
  await app.register(openapiRoutes);
  await app.register(hookRoutes(parts));
  await app.register(async (scope) => adminApi(scope, parts, notFound), { prefix: '/admin' });
  return app;
}

/**
 * Responses are data, except for the page of openapi-routes.ts, which sets its own policy. HSTS is
 * left to the proxy that terminates TLS.
 */
const securityHeaders = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  strictTransportSecurity: false,
} as const;

const rateLimits = {
  max: MAX_REQUESTS_PER_SECOND,
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

/**
 * Everything under /admin; unknown paths too, so that only callers with the token can probe them.
 */
async function adminApi(scope: FastifyInstance, parts: AdminParts, notFound: () => never): Promise<void> {
  const throttle = createAuthThrottle(parts.now);
  // A hook of the scope, because the limiter's own per-route hook would run after the access check.
  scope.addHook('onRequest', scope.rateLimit());
  scope.addHook('onRequest', async ({ headers, raw }, reply) => {
    const { rawHeaders, socket } = raw;
    const address = socket.remoteAddress ?? '';
    throttle.assertAllowed(address);
    const refusal = checkAccess({ headers, rawHeaders, remoteAddress: socket.remoteAddress }, parts.token());
    if (refusal === undefined) return;
    const isWrong = refusal === 'wrong-token';
    if (isWrong) throttle.recordFailure(address);
    parts.observer.accessRefused(refusal);
    void reply.header('www-authenticate', isWrong ? 'Bearer error="invalid_token"' : 'Bearer');
    throw new ProblemError(isWrong ? 'wrong-token' : 'unauthorized', REFUSAL_DETAILS[refusal]);
  });
  scope.setNotFoundHandler(notFound);
  acceptJsonOnly(scope);
  await scope.register(
    async (v1) => {
      ledgerRoutes(v1, parts);
      coverageRoutes(v1, parts);
      intakeRoutes(v1, parts);
      sourceRoutes(v1, parts);
      eventRoutes(v1, parts);
      replayRoutes(v1, parts);
      deadLetterRoutes(v1, parts);
      quarantineRoutes(v1, parts);
      destinationRoutes(v1, parts);
      logLevelRoutes(v1, parts);
      configRoutes(v1, parts);
      storeRoutes(v1, parts);
      replicaRoutes(v1, parts);
      enrichmentRoutes(v1, parts);
      reconciliationRoutes(v1, parts);
    },
    { prefix: '/v1' },
  );
}

/**
 * Bodies of the admin API are JSON or absent. Forms are refused with an explanation: a web page can
 * send one to any address, but not JSON, and curl sends one by default.
 */
function acceptJsonOnly(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body.trim() === '' ? undefined : JSON.parse(body));
    } catch {
      done(new ProblemError('bad-request', 'body: is not JSON'));
    }
  });
  scope.addContentTypeParser('*', (_request, _payload, done) => {
    done(
      new ProblemError('bad-request', 'body: must be JSON, with the header Content-Type: application/json'),
    );
  });
}
