import type { FastifyInstance } from 'fastify';

export interface MetricsSource {
  readonly registry: { readonly contentType: string; metrics(): Promise<string> };
  /** Brings the gauges that are read from elsewhere (ledger, backlog, store) up to date. */
  refresh(): Promise<void>;
}

interface MetricsParts {
  readonly metrics: MetricsSource;
  readonly observer: { trouble(message: string, error: unknown): void };
}

/** ms that the store may take to answer: Prometheus waits ten seconds, and a hanging store is just when it should hear of it. */
const REFRESH = 4_000;

async function within(work: Promise<void>, ms: number): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${ms} ms`)), ms);
  await Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}

/** `GET /metrics` for Prometheus, open to everybody who reaches the port: labels hold configured names and codes only. */
export function metricsRoutes({ metrics, observer }: MetricsParts) {
  return async (app: FastifyInstance): Promise<void> => {
    app.route({
      method: 'GET',
      url: '/metrics',
      handler: async (_request, reply) => {
        try {
          await within(metrics.refresh(), REFRESH);
        } catch (error) {
          // A failing store is just when metrics are needed: the counters are right, only some gauges are of before.
          observer.trouble('the gauges could not be refreshed', error);
        }
        return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
      },
    });
  };
}
