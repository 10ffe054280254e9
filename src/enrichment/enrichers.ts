import { isDeepStrictEqual } from 'node:util';
import { type CapillaryClient, createCapillaryClient } from '../capillary/api/capillary-client.ts';
import { createCapillaryReads } from '../capillary/api/capillary-reads.ts';
import type { CapillaryApiConfig } from '../config/capillary-config.ts';
import type { EnrichConfig } from '../config/enrich-config.ts';
import type { SourceConfig } from '../config/source-config.ts';
import type { Egress } from '../http/egress.ts';
import type { EnrichmentObserver } from './enrichment-observer.ts';
import type { EnrichmentStatus } from './enrichment-status.ts';
import { createEnricher, type EventEnricher } from './event-enricher.ts';
import { createRefreshJob, type RefreshJob, type RefreshJobParts } from './refresh-job.ts';

export interface EnrichersParts extends Pick<RefreshJobParts, 'refresh' | 'isLeader'> {
  readonly sources: readonly SourceConfig[];
  readonly egress: Egress;
  readonly observer: EnrichmentObserver;
  /** Processes that use the same API clients, from 1. */
  readonly replicaCount: () => number;
  /** Epoch ms. */
  readonly now: () => number;
}

/** An enriched source: its enricher, and the job that completes later what it could not. */
export interface EnrichedSource {
  readonly name: string;
  /** Of its events, those that are refreshed too. */
  readonly destination: string;
  readonly enricher: EventEnricher;
  readonly job: RefreshJob;
}

/** The enrichers of all sources that have `api` and `enrich`. */
export interface Enrichers {
  /** In the order of the configuration. */
  readonly all: readonly EnrichedSource[];
  get(source: string): EventEnricher | undefined;
  /**
   * The API client of an enriched source for calls of other stages: below its own, and counted
   * with them.
   */
  backgroundClient(source: string): Pick<CapillaryClient, 'get'> | undefined;
  /** Of each source, for operators. */
  status(): readonly EnrichmentStatus[];
  /** Starts the jobs. */
  start(): void;
  /**
   * Puts other sources into use at once. Those whose API and settings are the same go on with their
   * calls and what they know.
   * @returns closes what is not used any more, once nothing waits for it
   */
  set(sources: readonly SourceConfig[]): () => Promise<void>;
  /** Ends jobs and calls. Idempotent. */
  stop(): Promise<void>;
}

/** A source as this needs it. */
interface Settings {
  readonly source: SourceConfig;
  readonly api: CapillaryApiConfig;
  readonly enrich: EnrichConfig;
}

interface Running extends EnrichedSource {
  readonly settings: Settings;
  readonly client: CapillaryClient;
}

function settingsOf(sources: readonly SourceConfig[]): readonly Settings[] {
  return sources.flatMap((source) => {
    const { api, enrich } = source;
    return api === undefined || enrich === undefined ? [] : [{ source, api, enrich }];
  });
}

/** What an enricher depends on. */
function aspectsOf({ source: { timezone, labels, orgIds }, api, enrich }: Settings): object {
  return { timezone, labels, orgIds, api, enrich };
}

/** After an attempt that failed: the token is refused, or the API is away. */
const ORGANISATION_RETRY_MS = 60_000;

/**
 * The organisation of the API client, which is asked for when the first event comes. It says
 * nothing new if the source has one organisation: intake accepts no event of others.
 */
function organisationOf(
  client: Pick<CapillaryClient, 'claims'>,
  { orgIds = [] }: Pick<SourceConfig, 'orgIds'>,
  now: () => number,
): () => number | undefined {
  let orgId: number | undefined;
  let nextAt = orgIds.length === 1 ? Number.POSITIVE_INFINITY : 0;
  const ask = async (): Promise<void> => {
    const answer = await client.claims({ attempts: 1 }).catch(() => undefined);
    if (answer?.ok !== true) return;
    ({ orgId } = answer.value);
    nextAt = Number.POSITIVE_INFINITY;
  };
  return () => {
    if (now() >= nextAt) {
      nextAt = now() + ORGANISATION_RETRY_MS;
      void ask();
    }
    return orgId;
  };
}

async function closeOne({ enricher, client, job }: Running): Promise<void> {
  await job.stop();
  enricher.close();
  await client.close();
}

export function createEnrichers(parts: EnrichersParts): Enrichers {
  const { egress, observer, replicaCount, now, refresh, isLeader } = parts;
  let isStarted = false;
  let running: readonly Running[] = [];

  /** Sources of one organisation can have the same API client, whose budget they share. */
  const usersOf = ({ url, key }: CapillaryApiConfig): number =>
    running.filter(({ settings: { api } }) => api.url === url && api.key === key).length;

  const create = (settings: Settings): Pick<Running, 'client' | 'enricher'> => {
    const { source, api, enrich } = settings;
    const share = (): number => replicaCount() * Math.max(1, usersOf(api));
    const client = createCapillaryClient({ api, egress, now, share });
    const enricher = createEnricher({
      source,
      enrich,
      api,
      orgId: organisationOf(client, source, now),
      share,
      observer,
      reads: (defaultProgram) =>
        createCapillaryReads({ client, serverZone: source.timezone, defaultProgram, now }),
    });
    return { client, enricher };
  };

  const run = (settings: Settings, kept: Running | undefined): Running => {
    const { name, destination } = settings.source;
    const { client, enricher } = kept ?? create(settings);
    const job = createRefreshJob({
      routes: [{ source: name, destination }],
      enricher,
      callsPerMinute: settings.api.callsPerMinute,
      refresh,
      isLeader,
      onError: (error) => observer.errorCaught(name, 'events could not be refreshed', error),
    });
    if (isStarted) job.start();
    return { name, destination, settings, client, enricher, job };
  };

  const set: Enrichers['set'] = (sources) => {
    const before = running;
    running = settingsOf(sources).map((settings) => {
      const old = before.find(({ name }) => name === settings.source.name);
      const isSame = old !== undefined && isDeepStrictEqual(aspectsOf(old.settings), aspectsOf(settings));
      if (isSame && old.settings.source.destination === settings.source.destination) return old;
      return run(settings, isSame ? old : undefined);
    });
    const inUse = new Set(running.map(({ enricher }) => enricher));
    const isUsed = new Set(running);
    const replaced = before.filter((old) => !isUsed.has(old));
    return async () => {
      await Promise.all(replaced.map((old) => (inUse.has(old.enricher) ? old.job.stop() : closeOne(old))));
    };
  };

  void set(parts.sources);

  return {
    get all() {
      return running;
    },
    get: (source) => running.find(({ name }) => name === source)?.enricher,
    backgroundClient(source) {
      const found = running.find(({ name }) => name === source);
      return found?.enricher.inBackground(found.client);
    },
    status: () => running.map(({ enricher }) => enricher.status()),
    start() {
      isStarted = true;
      for (const { job } of running) job.start();
    },
    set,
    async stop() {
      isStarted = false;
      await Promise.all(running.map(closeOne));
    },
  };
}
