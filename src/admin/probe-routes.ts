import type { FastifyInstance, FastifyReply } from 'fastify';
import type { AdminObserver, HealthCheck, HealthSource, MetricsSource } from './admin-parts.ts';

interface HealthParts {
  readonly health: HealthSource;
  readonly observer: Pick<AdminObserver, 'errorCaught'>;
}

/** `GET /livez` and `GET /readyz`, without authentication. */
export function healthRoutes({ health, observer }: HealthParts) {
  return async (app: FastifyInstance): Promise<void> => {
    app.route({
      method: 'GET',
      url: '/livez',
      handler: async (_request, reply) => sendChecks(reply, health.live()),
    });
    app.route({
      method: 'GET',
      url: '/readyz',
      handler: async (_request, reply) => {
        try {
          return await sendChecks(reply, await health.ready());
        } catch (error) {
          observer.errorCaught('readiness could not be determined', error);
          return sendChecks(reply, [{ name: 'readiness', ok: false, detail: 'could not be determined' }]);
        }
      },
    });
  };
}

function sendChecks(reply: FastifyReply, checks: readonly HealthCheck[]): FastifyReply {
  const isOk = checks.every(({ ok }) => ok);
  return reply.code(isOk ? 200 : 503).send({ status: isOk ? 'ok' : 'failing', checks });
}

interface MetricsParts {
  readonly metrics: MetricsSource;
  readonly observer: Pick<AdminObserver, 'errorCaught'>;
}

/** Below the ten-second timeout of Prometheus: metrics are needed most while the store hangs. */
const REFRESH_TIMEOUT_MS = 4_000;

async function withTimeout(work: Promise<void>, ms: number): Promise<void> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new Error(`no response within ${ms} ms`)), ms);
  await Promise.race([work, timeout.promise]).finally(() => clearTimeout(timer));
}

/**
 * `GET /metrics` for Prometheus, without authentication: labels contain only configured names and
 * codes.
 */
export function metricsRoutes({ metrics, observer }: MetricsParts) {
  return async (app: FastifyInstance): Promise<void> => {
    app.route({
      method: 'GET',
      url: '/metrics',
      handler: async (_request, reply) => {
        try {
          await withTimeout(metrics.refresh(), REFRESH_TIMEOUT_MS);
        } catch (error) {
          // The response is still useful: the counters are correct, only some gauges are out of
          // date.
          observer.errorCaught('the gauges could not be refreshed', error);
        }
        return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
      },
    });
  };
}
