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

/** `GET /metrics` for Prometheus, open to everybody who reaches the port: labels hold configured names and codes only. */
export const metricsRoutes =
  ({ metrics, observer }: MetricsParts) =>
  async (app: FastifyInstance): Promise<void> => {
    app.route({
      method: 'GET',
      url: '/metrics',
      handler: async (_request, reply) => {
        try {
          await metrics.refresh();
        } catch (error) {
          // A failing store is just when metrics are needed: the counters are right, only some gauges are of before.
          observer.trouble('the gauges could not be refreshed', error);
        }
        return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
      },
    });
  };
