import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Config } from '../config/schema.ts';
import { ProblemError } from '../http/problems.ts';
import { type Journal, StoreError } from '../journal/journal.ts';
import type { Gate, Refusal } from './gate.ts';
import { limitsOf, sourceName } from './limits.ts';
import type { IntakeObserver } from './observer.ts';
import { answerProblem } from '../http/problem-reply.ts';
import { note, reportOf } from './report.ts';
import { closeLongLived, serverLimits } from '../http/server-limits.ts';
import type { IntakeSource, SourceTable } from '../sources/source-table.ts';
import { handleWebhook } from './webhook.ts';
import { createWebhookSpans } from './webhook-span.ts';

export interface IntakeParts {
  readonly server: Config['server'];
  readonly sources: SourceTable;
  readonly journal: Pick<Journal, 'append' | 'appendMalformed' | 'quarantine'>;
  readonly gate: Gate;
  readonly observer: IntakeObserver;
  readonly now: () => number;
}

/** Connections at once; more are dropped. Each idle one costs about 10 KB. */
const MAX_CONNECTIONS = 10_000;
/** What every webhook's body is taken as, whatever its type says. */
const BYTES = 'application/octet-stream';

type Webhook = FastifyRequest<{ Params: { source: string } }>;

/** The public port: takes webhooks and answers them as DESIGN §2 says. Not yet listening. */
export async function createIntakeApp(parts: IntakeParts): Promise<FastifyInstance> {
  const { server, sources, gate, observer } = parts;
  const app = fastify({
    ...serverLimits,
    bodyLimit: server.bodyLimit,
    // The gate refuses them while draining, in the form that every refusal has.
    return503OnClosing: false,
    // A URL that cannot be decoded is refused before any route; fastify's own answer would quote it.
    frameworkErrors: (_error, _request, reply) =>
      void answerProblem(new ProblemError('bad-request', 'the URL cannot be read'), reply),
    trustProxy: server.trustProxy.length > 0 ? [...server.trustProxy] : false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  closeLongLived(app);
  const spans = createWebhookSpans();
  const webhookParts = { ...parts, note };
  app.decorateRequest('facts', undefined);

  const knownSource = (request: Webhook): IntakeSource => {
    const source = sources.get(request.params.source);
    if (source === undefined) throw new ProblemError('unknown-source', 'the path names no configured source');
    return source;
  };

  const begin = (request: Webhook, _reply: FastifyReply, done: () => void): void => {
    spans.begin(request);
    request.raw.headers['content-type'] = BYTES;
    refuseFor(gate.refusal());
    done();
  };
  const refuseUnknown = (request: Webhook, _reply: FastifyReply, done: () => void): void => {
    knownSource(request);
    done();
  };
  const take = (request: Webhook, reply: FastifyReply, refusal: Refusal | undefined): Promise<void> => {
    refuseFor(refusal);
    return spans.within(request, () => handleWebhook(webhookParts, knownSource(request), request, reply));
  };

  app.setErrorHandler((error: Error, request, reply) => {
    const code = answerProblem(error, reply);
    note(request, { outcome: code });
    if (code === 'internal') observer.trouble('a webhook failed', error);
    if (error instanceof StoreError) gate.writeFailed();
  });
  app.setNotFoundHandler((_request, reply) => void answerProblem(new ProblemError('not-found'), reply));
  // Hooks that have nothing to wait for call `done`: an async one would cost each webhook promises and turns of the microtask queue.
  app.addHook('onResponse', (request, reply, done) => {
    const source = sourceName(request, sources) ?? 'unknown';
    observer.answered(spans.end(request, reportOf(request, reply, source)));
    done();
  });

  await app.register(rateLimit, limitsOf(server, sources));
  await app.register(async (scope) => {
    // The body is taken as bytes whatever its type says: signatures are over bytes, and the type is not always exact.
    scope.removeAllContentTypeParsers();
    // Fastify remembers the parser of a type that it was told, and reads the type anew for each body that falls to `*`.
    for (const type of [BYTES, '*']) {
      scope.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    }
    scope.route<{ Params: { source: string } }>({
      method: ['POST', 'PUT'],
      url: '/webhooks/:source',
      // In this order, and all of them before the body is read.
      onRequest: [begin, app.rateLimit(), refuseUnknown],
      handler: (request: Webhook, reply) => {
        const admitted = gate.admit(Buffer.isBuffer(request.body) ? request.body.length : 0);
        return admitted instanceof Promise
          ? admitted.then((refusal) => take(request, reply, refusal))
          : take(request, reply, admitted);
      },
    });
    scope.route({
      method: ['GET', 'DELETE', 'PATCH', 'OPTIONS'],
      url: '/webhooks/:source',
      handler: async (_request, reply) => {
        void reply.header('allow', 'POST, PUT');
        throw new ProblemError('method-not-allowed', 'send the event with POST or PUT');
      },
    });
  });
  return app;
}

function refuseFor(refusal: Refusal | undefined): void {
  if (refusal) throw new ProblemError(refusal.code, refusal.detail, refusal.retryAfter);
}
