import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { EventState } from '../journal/journal.ts';
import type { AcceptedSecret, AdminParts } from './admin-parts.ts';
import { nonEmptyString, parseInput } from './requests.ts';
import { timeField } from './time-field.ts';
import { isoTime } from './views.ts';

const listQuery = z.strictObject({
  source: nonEmptyString().optional(),
  since: timeField().optional(),
  until: timeField().optional(),
});

const ACCEPTED: readonly EventState[] = ['pending', 'delivered', 'ignored', 'dead'];

type CountingJournal = Pick<AdminParts['journal'], 'count'>;
type Window = z.output<typeof listQuery>;

/** Only counted if asked for, because the records of a day can be many. */
async function eventCounts(journal: CountingJournal, source: string, { since, until }: Window) {
  if (since === undefined) return undefined;
  const within = { source, since, ...(until === undefined ? {} : { until }) };
  const [accepted, malformed] = await Promise.all([
    journal.count({ ...within, states: ACCEPTED }),
    journal.count({ ...within, states: ['malformed'] }),
  ]);
  return { accepted, malformed };
}

/** The verifiers of a source that have static secrets. */
function verifiersOf(source: string, secrets: readonly AcceptedSecret[]) {
  const own = secrets.filter((secret) => secret.source === source);
  return [...Map.groupBy(own, ({ verifier }) => verifier)].map(([name, accepted]) => ({
    name,
    secrets: accepted.map(({ fingerprint, acceptedBy, lastVerifiedAt }) => ({
      fingerprint,
      acceptedBy,
      lastVerifiedAt: isoTime(lastVerifiedAt),
    })),
  }));
}

/** What the relay accepts from whom: fingerprints, never secrets. */
export function sourceRoutes(
  app: FastifyInstance,
  {
    sources,
    secrets,
    journal,
  }: Pick<AdminParts, 'sources' | 'secrets'> & { readonly journal: CountingJournal },
): void {
  app.route({
    method: 'GET',
    url: '/sources',
    handler: async (request) => {
      const window = parseInput(listQuery, request.query);
      const { replicas, secrets: accepted } = await secrets.report(window.source);
      const names = sources.names().filter((name) => name === (window.source ?? name));
      return {
        replicas,
        sources: await Promise.all(
          names.map(async (name) => ({
            source: name,
            verifiers: sources.get(name)?.verifier.names ?? [],
            accepts: verifiersOf(name, accepted),
            events: await eventCounts(journal, name, window),
          })),
        ),
      };
    },
  });
}
