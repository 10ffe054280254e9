import { describeApiError } from '../../capillary/api/api-errors.ts';
import { type CapillaryClient, createCapillaryClient } from '../../capillary/api/capillary-client.ts';
import { createCapillaryReads } from '../../capillary/api/capillary-reads.ts';
import type { Config, SourceConfig } from '../../config/config-schema.ts';
import { enrichSchema } from '../../config/enrich-config.ts';
import { createEnricher, type EventEnricher } from '../../enrichment/event-enricher.ts';
import type { EnrichmentObserver } from '../../enrichment/enrichment-observer.ts';
import { createEgress } from '../../http/egress.ts';
import { CommandError, EXIT, errorText } from '../command-error.ts';
import { perSource } from '../route.ts';
import type { KnownEntities } from './known-entities.ts';

/** Events of a file happened before, so there are no others to wait for. */
const COALESCE_MS = 10;
/** Somebody waits for it, and nothing is repeated later. */
const MAX_DELAY_MS = 10_000;

interface Connection {
  readonly client: CapillaryClient;
  readonly enricher: EventEnricher;
}

/** Says on stderr why something could not be read; the result says what is missing. */
const OBSERVER: EnrichmentObserver = {
  callEnded: () => undefined,
  eventEnriched: () => undefined,
  circuitChanged: () => undefined,
  accessChanged(source, _endpoint, lack) {
    if (lack !== undefined) console.error(`${source}: the access group of the API client lacks ${lack}`);
  },
  errorCaught(source, what, error) {
    console.error(`${source}: ${what}: ${errorText(error)}`);
  },
};

/** @throws CommandError if the source has no API, or the API refuses its client */
async function connect(config: Config, source: SourceConfig): Promise<Connection> {
  const { api } = source;
  if (api === undefined)
    throw new CommandError(
      `--enrich requires api in the source ${source.name}: add it, or name another configuration with --config`,
      EXIT.usage,
    );
  const client = createCapillaryClient({ api, egress: createEgress(config.egress, process.env) });
  // Else each event would end with `unavailable`, which does not say why.
  const claims = await client.claims({ attempts: 1 });
  if (!claims.ok) {
    await client.close();
    throw new CommandError(`${source.name}: ${describeApiError(claims.error)}`, EXIT.failed);
  }
  const enrich = source.enrich ?? enrichSchema.parse({});
  const enricher = createEnricher({
    source,
    enrich: { ...enrich, coalesce: COALESCE_MS, maxDelay: Math.min(enrich.maxDelay, MAX_DELAY_MS) },
    api,
    reads: (defaultProgram) => createCapillaryReads({ client, serverZone: source.timezone, defaultProgram }),
    observer: OBSERVER,
  });
  return { client, enricher };
}

/** `map --enrich`: reads what each event lacks from the API of its source, as a relay would. */
export function apiEntities(config: Config): KnownEntities {
  const connections: Promise<Connection>[] = [];
  const connectionOf = perSource((name) => {
    const source = config.sources.find((candidate) => candidate.name === name);
    if (source === undefined) throw new Error(`no source ${name}`);
    const connection = connect(config, source);
    connections.push(connection);
    return connection;
  });
  return {
    async of(event, { name }) {
      const { enricher } = await connectionOf(name);
      const { signal } = new AbortController();
      return enricher.enrich({ event, receivedAt: Date.now(), purpose: 'live', signal });
    },
    async close() {
      for (const connection of await Promise.allSettled(connections)) {
        if (connection.status === 'rejected') continue;
        connection.value.enricher.close();
        await connection.value.client.close();
      }
    },
  };
}
