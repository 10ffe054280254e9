import type { FastifyInstance } from 'fastify';
import type { Journal, ReplicaStatus } from '../journal/journal.ts';
import { isoTime } from './views.ts';

/** The processes that share the store; one that owns it alone is a single replica. */
export function replicaRoutes(
  app: FastifyInstance,
  { journal }: { readonly journal: Pick<Journal, 'replicas'> },
): void {
  app.route({
    method: 'GET',
    url: '/replicas',
    handler: async () => ({ replicas: (await journal.replicas()).map(replicaView) }),
  });
}

function replicaView({ since, silentFor, report, ...rest }: ReplicaStatus) {
  const { rates = { accepted: 0, delivered: 0 }, destinations = {} } = report;
  return { ...rest, since: isoTime(since), silentFor: Math.round(silentFor), rates, destinations };
}
