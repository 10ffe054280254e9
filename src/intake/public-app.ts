import rateLimit, { type RateLimitPluginOptions } from '@fastify/rate-limit';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Config } from '../config/config-schema.ts';
import { normalizeForwardedFor, clientAddress } from '../http/client-address.ts';
import { manageConnections } from '../http/connections.ts';
import { sendProblem, ProblemError } from '../http/problems.ts';
import { checkRequests } from '../http/request-checks.ts';
import { serverLimits } from '../http/server-limits.ts';
import { refuseUnknownRoutes } from '../http/unknown-routes.ts';
import { type Journal, StoreError } from '../journal/journal.ts';
import type { ConfiguredSource, SourceTable } from '../sources/source-table.ts';
import type { Admission, Refusal } from './admission.ts';
import type { DuplicateJournal } from './duplicates.ts';
import { addToReport, buildReport, createWebhookSpans, type IntakeObserver } from './webhook-report.ts';
import { discardBody, readRequestBody } from './request-body.ts';
import { handleWebhook, receivedRequest, type WebhookParts } from './webhook.ts';

export interface PublicAppParts {
  /** Limits are read at each request, so that they can change. */
  readonly server: Pick<Config['server'], 'bodyLimit' | 'rateLimit' | 'trustProxy'>;
  readonly sources: SourceTable;
  readonly journal: Pick<Journal, 'append' | 'appendMalformed' | 'quarantine' | 'replicaCount'> &
    DuplicateJournal;
  readonly admission: Admission;
  readonly observer: IntakeObserver;
  readonly now: () => number;
}

/** Concurrent connections; see connections.ts. An idle one costs about 10 KB. */
const MAX_CONNECTIONS = 10_000;
/** Every webhook body is parsed as this type, whatever its Content-Type header says. */
const BYTES_TYPE = 'application/octet-stream';
/** The answer to load balancers that probe the root. */
const SERVICE = { service: 'capillary-aep-relay' };
const NO_BODY = Buffer.alloc(0);
const UNKNOWN_SOURCE = 'no source with this name is configured';

type Webhook = FastifyRequest<{ Params: { source: string } }>;
type HookDone = (error?: Error) => void;

/**
 * The app of the public port, which receives the webhooks. How Capillary handles each response
 * is described in docs/platforms/capillary.md#answers-and-repeats. Not yet listening.
 */
export async function createPublicApp(parts: PublicAppParts): Promise<FastifyInstance> {
  const { server, sources, admission, observer } = parts;
  const app = fastify({
    ...serverLimits,
    // While draining, the admission decides about requests, with a problem document like any other.
    return503OnClosing: false,
    // Such a URL matches no route; fastify's own response would quote it.
    frameworkErrors: (error, _request, reply) =>
      void sendProblem(
        error.code === 'FST_ERR_MAX_PARAM_LENGTH'
          ? new ProblemError('unknown-source', UNKNOWN_SOURCE)
          : new ProblemError('bad-request', 'the URL cannot be decoded'),
        reply,
      ),
    trustProxy: server.trustProxy.length > 0 ? [...server.trustProxy] : false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
  });
  manageConnections(app.server, {
    maxConnections: MAX_CONNECTIONS,
    isDraining: () => admission.isDraining,
  });
  checkRequests(app);
  refuseUnknownRoutes(app);
  const spans = createWebhookSpans();
  app.decorateRequest('reportFields', undefined);
  app.decorateRequest('sentContentType', undefined);
  app.decorateRequest('isProbe', false);
  const admit = (bytes: number, events: number): void | Promise<void> => {
    const refusal = admission.admit(bytes, events);
    return refusal instanceof Promise ? refusal.then(throwIfRefused) : throwIfRefused(refusal);
  };
  const webhookParts: WebhookParts = {
    ...parts,
    get bodyLimit() {
      return server.bodyLimit;
    },
    admit,
  };

  const findSource = (request: Webhook): ConfiguredSource => {
    const source = sources.get(request.params.source);
    if (source === undefined) throw new ProblemError('unknown-source', UNKNOWN_SOURCE);
    return source;
  };

  const beginWebhook = (request: Webhook, _reply: FastifyReply, done: HookDone): void => {
    spans.start(request);
    request.sentContentType = request.raw.headers['content-type'];
    request.raw.headers['content-type'] = BYTES_TYPE;
    const refusal = admission.refusal();
    // What the store refuses meanwhile is found out once the body is read.
    if (refusal === undefined || (admission.isDraining && admission.acceptsWhileDraining)) return done();
    if (admission.isDraining) discardBody(request.raw, server.bodyLimit, () => done(toProblem(refusal)));
    else done(toProblem(refusal));
  };
  const requireSource = (request: Webhook, _reply: FastifyReply, done: () => void): void => {
    findSource(request);
    done();
  };
  /** The rest of a body over the limit is only read for a sender that is verified without it. */
  const mayReadOn = (request: Webhook): boolean =>
    findSource(request).verifier.verifyWithoutBody(receivedRequest(request, NO_BODY, parts.now())).ok;
  const handle = (request: Webhook, reply: FastifyReply, refusal: Refusal | undefined): Promise<void> => {
    throwIfRefused(refusal);
    return spans.run(request, () => handleWebhook(webhookParts, findSource(request), request, reply));
  };

  app.setErrorHandler((error: Error, request, reply) => {
    const code = sendProblem(error, reply, error instanceof StoreError ? 'store-failing' : undefined);
    addToReport(request, { outcome: request.reportFields?.outcome ?? code });
    if (code === 'internal') observer.errorCaught('webhook handler failed', error);
    if (error instanceof StoreError) admission.recordWriteFailure();
  });
  // Synchronous hooks call `done`: an async hook would cost each webhook promises and microtasks.
  if (server.trustProxy.length > 0) app.addHook('onRequest', normalizeClientAddress);
  app.addHook('onResponse', (request, reply, done) => {
    if (request.isProbe) return done();
    const source = configuredSourceName(request, sources) ?? 'unknown';
    observer.webhookAnswered(spans.end(request, buildReport(request, reply, source)));
    done();
  });

  app.route({
    method: 'GET',
    url: '/',
    handler: (request, reply) => {
      request.isProbe = true;
      void reply.send(SERVICE);
    },
  });
  await app.register(rateLimit, rateLimitOptions(parts));
  await app.register(async (scope) => {
    // Signatures cover the raw bytes, and senders often set a wrong content type.
    scope.removeAllContentTypeParsers();
    // Fastify caches the parser of a registered type, but parses the type again for each `*` match.
    for (const type of [BYTES_TYPE, '*']) {
      scope.addContentTypeParser(type, (request, payload, done) => {
        const options = { limit: server.bodyLimit, mayReadOn: () => mayReadOn(request as Webhook) };
        readRequestBody(payload, options, done);
      });
    }
    scope.route<{ Params: { source: string } }>({
      method: ['POST', 'PUT'],
      url: '/webhooks/:source',
      // The order matters; all run before the body is read.
      onRequest: [beginWebhook, app.rateLimit(), requireSource],
      handler: (request: Webhook, reply) => {
        const admitted = admission.admit(Buffer.isBuffer(request.body) ? request.body.length : 0);
        return admitted instanceof Promise
          ? admitted.then((refusal) => handle(request, reply, refusal))
          : handle(request, reply, admitted);
      },
    });
  });
  return app;
}

/** Before anything asks for the address of the client. */
function normalizeClientAddress({ raw }: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  const header = raw.headers['x-forwarded-for'];
  if (typeof header === 'string') raw.headers['x-forwarded-for'] = normalizeForwardedFor(header);
  done();
}

function toProblem({ code, detail, retryAfter }: Refusal): ProblemError {
  return new ProblemError(code, detail, retryAfter);
}

function throwIfRefused(refusal: Refusal | undefined): void {
  if (refusal) throw toProblem(refusal);
}

/** The configured source in the path of a request, if any; also for a method without a route. */
function configuredSourceName(request: FastifyRequest, sources: SourceTable): string | undefined {
  const { params, is404, url } = request as FastifyRequest<{ Params: { source?: string } | null }>;
  const name = is404 ? /^\/webhooks\/([^/?]+)\/?(?:\?|$)/.exec(url)?.[1] : params?.source;
  return name !== undefined && sources.get(name) !== undefined ? name : undefined;
}

/**
 * Limits the requests of each source. Unknown source names count against the address, so that
 * guessing names cannot use up the limit of a source. Each of several replicas counts by itself, so
 * it applies its part of the limit.
 */
function rateLimitOptions({ server, sources, journal }: PublicAppParts): RateLimitPluginOptions {
  return {
    global: false,
    max: () => Math.ceil(server.rateLimit.max / journal.replicaCount()),
    timeWindow: () => server.rateLimit.window,
    keyGenerator: (request) => {
      const name = configuredSourceName(request, sources);
      return name === undefined ? `address ${clientAddress(request.ip)}` : `source ${name}`;
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
