import type { Logger } from 'pino';
import { createInlet } from './adobe/inlet/inlet-client.ts';
import { createTokenSource } from './adobe/ims/token-source.ts';
import type { DestinationConfig } from './config/config-schema.ts';
import { currentStoreUrl } from './config/current-store-url.ts';
import type { LoadedConfig } from './config/load-config.ts';
import { summarize } from './config/config-summary.ts';
import { createRunningConfig, liveSection, type ReloadResult } from './config/running-config.ts';
import { watchSecrets } from './config/watch-secrets.ts';
import { createDestinationDirectory } from './delivery/destination-directory.ts';
import { createDestinations } from './delivery/destinations.ts';
import { createEnrichers } from './enrichment/enrichers.ts';
import { createEgress } from './http/egress.ts';
import { closeWithin, listen, requireFreePort } from './http/listen.ts';
import { createAdmissionControl } from './intake/admission.ts';
import { createSourceTable } from './sources/source-table.ts';
import { PAYLOAD_LOST } from './journal/event-reasons.ts';
import type { Journal, Ledger, ReplayRequest } from './journal/journal.ts';
import { createConfigReports, removedSourceWarnings, reportMisplaced } from './monitoring/config-reports.ts';
import { createEnrichmentReports } from './monitoring/enrichment-reports.ts';
import { createCoverage } from './monitoring/field-coverage.ts';
import { postCoverage, sharedCoverage } from './monitoring/shared-coverage.ts';
import { createSharedSecrets } from './monitoring/shared-secrets.ts';
import { createHealthChecks } from './monitoring/health-checks.ts';
import { createIntakeWindow } from './monitoring/intake-window.ts';
import { createLogLevel } from './telemetry/log-level.ts';
import { createMetrics } from './monitoring/metrics.ts';
import {
  createAdminReports,
  createDeliveryReports,
  createIntakeReports,
  createJournalReports,
} from './monitoring/stage-reports.ts';
import { createMaintenanceReports } from './monitoring/maintenance-reports.ts';
import { createMetricsRefresh } from './monitoring/metrics-refresh.ts';
import { createReconciliationReports } from './monitoring/reconciliation-reports.ts';
import { createReplicaReports } from './monitoring/replica-report.ts';
import { createWebhookLines } from './monitoring/webhook-lines.ts';
import { openReconcilers } from './open-reconcilers.ts';
import { createNotificationHook } from './reconciliation/aep/notification-hook.ts';
import { backUp, limitsOf, openStore } from './open-store.ts';

export interface RelayOptions {
  readonly loaded: LoadedConfig;
  readonly log: Logger;
  /** Epoch ms. */
  readonly now?: () => number;
}

export interface Relay {
  /** Starts delivery and opens both ports. @returns their base URLs */
  start(): Promise<{ readonly intakeUrl: string; readonly adminUrl: string }>;
  /**
   * Reads the configuration again and applies what needs no restart.
   * @throws ConfigError if it cannot be used; then nothing has changed
   */
  reload(): Promise<ReloadResult>;
  /**
   * Stops accepting webhooks, finishes what is in flight and leaves the rest in the journal. Under
   * 10 s. Idempotent.
   */
  stop(): Promise<void>;
  /** Resolves when the storage thread has died and the process must exit. */
  readonly failed: Promise<Error>;
}

/**
 * Time before the port closes, in which kept connections are ended by their answers. Replicas still
 * accept what arrives on them; a relay with a store of its own answers 503 with Retry-After.
 */
const DRAIN_MS = 200;
/** Connections with unanswered requests are closed after this time. */
const CLOSE_TIMEOUT_MS = { intake: 3_000, admin: 1_000 } as const;

async function requireFreePorts({ admin, server }: LoadedConfig['config']): Promise<void> {
  await requireFreePort('admin', admin);
  await requireFreePort('server', server);
}

/**
 * Wires the relay: the only place that knows every concrete part. Opens the journal, but accepts
 * nothing before start().
 */
export async function createRelay({ loaded, log, now = Date.now }: RelayOptions): Promise<Relay> {
  const { config } = loaded;
  log.info({ config: summarize(config) }, 'configuration');
  const metrics = createMetrics();
  const egress = createEgress(config.egress, process.env);
  /** Pending while the ports are checked, which is done for a new store only. */
  let portsChecked = Promise.resolve();
  let storeUrl = (): string => currentStoreUrl(loaded, config.store.url);
  const opening = openStore({
    store: config.store,
    url: async () => storeUrl(),
    ca: () => egress.ca,
    log,
    beforeCreate: () => (portsChecked = requireFreePorts(config)),
    onBatch: createJournalReports(metrics),
    onPayloadLost: (destination) => metrics.dead.inc({ destination, reason: PAYLOAD_LOST }),
  });
  // The storage thread starts and opens the file while this one loads both servers. The thread is
  // started as soon as the ports are known to be free, so loading must not begin before.
  const servers = portsChecked.then(() =>
    Promise.all([import('./intake/public-app.ts'), import('./admin/admin-app.ts')]),
  );
  const [journal, [{ createPublicApp }, { createAdminApp }]] = await Promise.all([opening, servers]);
  const coverage = createCoverage(now);
  const sources = createSourceTable(config.sources);
  const secrets = createSharedSecrets({ sources, journal });
  const intakeWindow = createIntakeWindow(now);
  const webhookLines = createWebhookLines(log);
  // The process exits then.
  void journal.failed.then(() => webhookLines.flush());
  const stopping = new AbortController();
  const logLevel = createLogLevel(log, now);
  const running = createRunningConfig({
    loaded,
    async prepare(next) {
      const commitDestinations = await destinations.prepare(next);
      const commit = (): void => {
        sources.set(next.sources);
        egress.set(next.egress);
        const closeReplaced = enrichers.set(next.sources);
        commitDestinations();
        void reconcilers.set(next)();
        void closeReplaced();
        logLevel.configure(next.log.level);
      };
      // A warning is no reason to refuse a new secret while the store does not answer.
      const ledger = await journal.ledger().catch((): Ledger => ({}));
      return { commit, warnings: removedSourceWarnings(next, ledger) };
    },
    ...createConfigReports(log, metrics, now),
  });
  storeUrl = () => running.storeUrl();
  const server = liveSection(running, 'server');
  const storeLimits = limitsOf(liveSection(running, 'store'));

  const admission = createAdmissionControl({
    journal,
    watermarks: storeLimits,
    acceptsWhileDraining: config.store.engine === 'postgres',
    onChange: (refusal) =>
      refusal ? log.error(refusal, 'intake closed') : log.info('intake open: the store accepts events'),
  });
  const enrichers = createEnrichers({
    sources: config.sources,
    egress,
    observer: createEnrichmentReports(log, metrics),
    replicaCount: () => journal.replicaCount(),
    isLeader: () => journal.isLeader(),
    refresh: (request) => journal.refresh(request),
    now,
  });
  const destinations = createDestinations({
    config,
    journal,
    now,
    observer: createDeliveryReports(log, metrics, coverage, now),
    enricherOf: (source) => enrichers.get(source),
    createInlet: ({ inletUrl, sandbox, limits }: DestinationConfig) =>
      createInlet({ inletUrl, sandbox, connections: limits.concurrency, egress, now }),
    createTokens: ({ name, authenticated, ims }: DestinationConfig) =>
      authenticated && ims !== undefined
        ? createTokenSource({
            ...ims,
            egress,
            now,
            onMint: (outcome) => metrics.imsMints.inc({ destination: name, outcome }),
          })
        : undefined,
  });
  const reports = createReplicaReports({ metrics, destinations });
  journal.describe(() => reports.report());
  /** An event of a request that began before a reload goes where its source sends events now. */
  const append: Journal['append'] = (events) =>
    journal.append(
      events.map((event) => {
        const destination = sources.get(event.source)?.config.destination ?? event.destination;
        return destination === event.destination ? event : { ...event, destination };
      }),
    );
  const intake = await createPublicApp({
    server,
    sources,
    journal: { ...journal, append },
    admission,
    observer: createIntakeReports(log, metrics, intakeWindow, webhookLines),
    now,
  });
  /** A replayed event goes where its source sends events now. */
  const routed = (request: ReplayRequest): ReplayRequest => ({
    ...request,
    routes: Object.fromEntries(running.current.sources.map(({ name, destination }) => [name, destination])),
  });
  const replay: Journal['replay'] = (request) => journal.replay(routed(request));
  const startReplay: Journal['startReplay'] = (request) => journal.startReplay(routed(request));
  const unsubscribe = journal.onMaintenance(
    createMaintenanceReports(log, metrics, config.store.encryptionKeys.length > 0),
  );
  const hook = createNotificationHook({ running, journal, egress, now });
  const reconcilers = openReconcilers({
    config,
    sources: () => running.current.sources,
    journal: { ...journal, append },
    admission,
    bodyLimit: () => server.bodyLimit,
    egress,
    enrichers,
    destinations,
    observer: createReconciliationReports(log, metrics),
    now,
  });
  const admin = await createAdminApp({
    journal: { ...journal, append, replay, startReplay },
    sources,
    secrets,
    get bodyLimit() {
      return server.bodyLimit;
    },
    destinations: createDestinationDirectory(destinations, journal),
    coverage: sharedCoverage({ coverage, journal }),
    intake: { ...intakeWindow, refusal: () => admission.refusal() },
    enrichment: enrichers,
    reconciliation: reconcilers,
    hook,
    metrics: {
      registry: metrics.registry,
      refresh: createMetricsRefresh({
        metrics,
        journal,
        destinations,
        admission,
        watermarks: storeLimits,
        enrichment: () => enrichers.status(),
        reconciliation: () => reconcilers.report(),
        isShared: config.store.engine === 'postgres',
        sources: () => sources.names(),
        refreshRoutes: () => enrichers.all,
        now,
      }),
    },
    isDraining: () => admission.isDraining,
    health: createHealthChecks({
      journal,
      hasStorageThread: config.store.engine === 'sqlite',
      admission,
      sources: () => running.current.sources,
      destinations,
    }),
    token: () => running.current.admin.token,
    logLevel,
    config: running,
    backup: () => backUp(config.store, journal),
    observer: createAdminReports(log, metrics),
    now,
  });

  let stopped: Promise<void> | undefined;
  const shutDown = async (): Promise<void> => {
    admission.drain();
    running.close();
    // A second signal ends the process at once.
    webhookLines.flush();
    await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
    await Promise.all([closeWithin(intake, CLOSE_TIMEOUT_MS.intake), destinations.stop()]);
    await Promise.all([reconcilers.stop(), hook.close()]);
    await enrichers.stop();
    webhookLines.flush();
    stopping.abort();
    await closeWithin(admin, CLOSE_TIMEOUT_MS.admin);
    await journal.close();
    unsubscribe();
  };

  return {
    async start() {
      await admission.start(stopping.signal);
      await destinations.start();
      enrichers.start();
      reconcilers.start();
      // Counting reads all pending events, so nobody waits for it.
      void reportMisplaced(destinations.misplaced.check(), log);
      void watchSecrets(running, stopping.signal);
      void postCoverage({ coverage, journal }, stopping.signal);
      void secrets.post(stopping.signal);
      reports.start(stopping.signal);
      journal.maintain(() => storeLimits);
      const adminUrl = await listen(admin, 'admin', config.admin);
      const intakeUrl = await listen(intake, 'server', config.server);
      return { intakeUrl, adminUrl };
    },
    reload: () => running.reload(),
    stop() {
      stopped ??= shutDown();
      return stopped;
    },
    failed: journal.failed,
  };
}
