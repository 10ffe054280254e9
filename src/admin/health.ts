import type { FastifyInstance, FastifyReply } from 'fastify';

/** One thing that was looked at. Anybody may read it, so `detail` holds no secret. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

export interface HealthSource {
  /** Does the process turn? A failing one should be restarted. */
  live(): readonly Check[];
  /** Can it take events durably? A failing one should get no webhooks for now. */
  ready(): Promise<readonly Check[]>;
}

interface HealthParts {
  readonly health: HealthSource;
  readonly observer: { trouble(message: string, error: unknown): void };
}

/** `GET /livez` and `GET /readyz`, open to everybody who reaches the port. */
export function healthRoutes({ health, observer }: HealthParts) {
  return async (app: FastifyInstance): Promise<void> => {
    app.route({
      method: 'GET',
      url: '/livez',
      handler: async (_request, reply) => answer(reply, health.live()),
    });
    app.route({
      method: 'GET',
      url: '/readyz',
      handler: async (_request, reply) => {
        try {
          return await answer(reply, await health.ready());
        } catch (error) {
          observer.trouble('readiness could not be found out', error);
          return answer(reply, [{ name: 'readiness', ok: false, detail: 'could not be found out' }]);
        }
      },
    });
  };
}

function answer(reply: FastifyReply, checks: readonly Check[]): FastifyReply {
  const isOk = checks.every(({ ok }) => ok);
  return reply.code(isOk ? 200 : 503).send({ status: isOk ? 'ok' : 'failing', checks });
}
