import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createAdminApp } from './admin/app.ts';
import { createInlet } from './adobe/inlet-client.ts';
import { createTokenSource } from './adobe/ims-client.ts';
import type { LoadedConfig } from './config/load.ts';
import type { DestinationConfig } from './config/schema.ts';
import { summarize } from './config/summary.ts';
import { watchSecrets } from './config/watch-secrets.ts';
import { createDestinationDirectory } from './delivery/destination-directory.ts';
import { createDestinations } from './delivery/destinations.ts';
import { createIntakeApp } from './intake/app.ts';
import { createCapacity } from './intake/capacity.ts';
import { createSourceTable } from './sources/source-table.ts';
import type { Journal } from './journal/journal.ts';
import { keepSealed } from './journal/resealing.ts';
import { keepRetention } from './journal/retention.ts';
import { openSqliteJournal } from './journal/sqlite/journal.ts';
import { createCoverage } from './monitoring/coverage.ts';
import { createHealthChecks } from './monitoring/health-checks.ts';
import { createLogLevel } from './telemetry/log-level.ts';
import { createMetrics } from './monitoring/metrics.ts';
import {
  createAdminReports,
  createDeliveryReports,
  createIntakeReports,
  createJournalReports,
} from './monitoring/reports.ts';
import { createRefresh } from './monitoring/refresh.ts';

export interface RelayOptions {
  readonly loaded: LoadedConfig;
  readonly log: Logger;
  /** Epoch ms. */
  readonly now?: () => number;
}

export interface Relay {
  /** Opens both ports. @returns their base URLs */
  start(): Promise<{ readonly intakeUrl: string; readonly adminUrl: string }>;
  /** Stops taking webhooks, finishes what is under way, leaves the rest journaled. Under 10 s. Idempotent. */
  stop(): Promise<void>;
  /** Resolves when the store has died and the relay must end. */
  readonly failed: Promise<Error>;
}

/** ms during which late webhooks are still answered with 503 and Retry-After before the port closes. */
const DRAIN = 200;
/** ms after which requests that still have no answer are cut off: webhooks, and calls of operators. */
const CUT = { intake: 3_000, admin: 1_000 } as const;

/** A body that trickles in, or a replay of millions, must not hold the shutdown: the one is sent again, the other goes on at the next start. */
async function closeWithin(app: FastifyInstance, ms: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), ms);
  await app.close();
  clearTimeout(cut);
}

function urlOf(app: FastifyInstance): string {
  const address = app.server.address() as AddressInfo;
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

/** Wires the relay: the only place that knows every concrete part. Opens the journal; takes nothing before start(). */
export async function createRelay({ loaded, log, now = Date.now }: RelayOptions): Promise<Relay> {
  const { config } = loaded;
  log.info({ config: summarize(config) }, 'configuration');
  const metrics = createMetrics();
  const journal: Journal = await openSqliteJournal({
    path: config.store.path,
    encryptionKeys: config.store.encryptionKeys,
    log,
    onBatch: createJournalReports(metrics),
  });
  const coverage = createCoverage(now);
  const sources = createSourceTable(config.sources);
  const ending = new AbortController();
  let adminToken = config.admin.token;

  const capacity = createCapacity({
    journal,
    limits: config.store,
    changed: (refusal) =>
      refusal ? log.error(refusal, 'intake closed') : log.info('intake open: the store can take events'),
  });
  const destinations = createDestinations({
    config,
    journal,
    now,
    observer: createDeliveryReports(log, metrics, coverage),
    createInlet: ({ inletUrl, sandbox, limits }: DestinationConfig) =>
      createInlet({ inletUrl, sandbox, connections: limits.concurrency, now }),
    createTokens: ({ name, authenticated, ims }: DestinationConfig) =>
      authenticated && ims !== undefined
        ? createTokenSource({
            ...ims,
            now,
            onMint: (outcome) => metrics.imsMints.inc({ destination: name, outcome }),
          })
        : undefined,
  });
  const intake = await createIntakeApp({
    server: config.server,
    sources,
    journal,
    gate: capacity,
    observer: createIntakeReports(log, metrics),
    now,
  });
  const replay: Journal['replay'] = async (request) => {
    const answer = await journal.replay(request);
    await destinations.reroute();
    return answer;
  };
  journal.onReplayed(() => {
    destinations
      .reroute()
      .catch((error: unknown) => log.error({ err: error }, 'replayed events could not be rerouted'));
  });
  const admin = await createAdminApp({
    journal: { ...journal, replay },
    sources,
    destinations: createDestinationDirectory(destinations, journal),
    coverage,
    metrics: {
      registry: metrics.registry,
      refresh: createRefresh({ metrics, journal, destinations, capacity, marks: config.store, now }),
    },
    health: createHealthChecks({ journal, gate: capacity, sources: config.sources, destinations, now }),
    token: () => adminToken,
    logLevel: createLogLevel(log, now),
    observer: createAdminReports(log, metrics),
    now,
  });

  const watch = (): Promise<void> =>
    watchSecrets(loaded, {
      signal: ending.signal,
      onChange: (next) => {
        sources.set(next.sources);
        destinations.setSecrets(next.destinations);
        adminToken = next.admin.token;
        log.info('secrets were read again');
        if (!isDeepStrictEqual(next.store.encryptionKeys, config.store.encryptionKeys))
          log.warn('store.encryptionKeys has changed: it takes effect with a restart');
      },
      onError: (error) => log.error({ err: error }, 'changed secrets cannot be used; the old ones stay'),
    });

  let stopped: Promise<void> | undefined;
  const shutDown = async (): Promise<void> => {
    capacity.drain();
    await new Promise((resolve) => setTimeout(resolve, DRAIN));
    await Promise.all([closeWithin(intake, CUT.intake), destinations.stop()]);
    ending.abort();
    await closeWithin(admin, CUT.admin);
    await journal.close();
  };

  return {
    async start() {
      await capacity.start(ending.signal);
      await destinations.start();
      void watch();
      void keepRetention({
        journal,
        policy: config.store.retention,
        now,
        signal: ending.signal,
        removed: (records) => metrics.retentionRemoved.inc(records),
        failed: (error) => log.error({ err: error }, 'retention failed'),
      });
      void keepSealed({
        journal,
        signal: ending.signal,
        progress: (share) => metrics.storeSealedShare.set(share),
        ended: (counts) =>
          counts.unreadable === 0
            ? log.info(counts, 'the whole store is sealed with the first encryption key')
            : log.error(counts, 'some payloads of the store are sealed with keys that are not configured'),
        failed: (error) => log.error({ err: error }, 'sealing the store anew failed; it is tried again'),
      });
      await admin.listen({ host: config.admin.host, port: config.admin.port });
      await intake.listen({ host: config.server.host, port: config.server.port });
      return { intakeUrl: urlOf(intake), adminUrl: urlOf(admin) };
    },
    stop() {
      stopped ??= shutDown();
      return stopped;
    },
    failed: journal.failed,
  };
}
