import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { expect } from 'vitest';
import { createAdminApp } from '../../src/admin/admin-app.ts';
import type { HookSource } from '../../src/admin/hook-routes.ts';
import type { ActionReport, AdminParts, HealthCheck, DestinationView } from '../../src/admin/admin-parts.ts';
import { configSchema } from '../../src/config/config-schema.ts';
import type { ReloadResult } from '../../src/config/running-config.ts';
import { type SourceConfig, sourceSchema } from '../../src/config/source-config.ts';
import { createDestinationState } from '../../src/delivery/destination-state.ts';
import { createMisplaced } from '../../src/delivery/misplaced-events.ts';
import type { EnrichmentStatus } from '../../src/enrichment/enrichment-status.ts';
import type { Refusal } from '../../src/intake/admission.ts';
import { createPublicApp } from '../../src/intake/public-app.ts';
import { createSourceTable } from '../../src/sources/source-table.ts';
import type { ClaimedEvent, Journal, Settlement } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { createCoverage } from '../../src/monitoring/field-coverage.ts';
import { sharedCoverage } from '../../src/monitoring/shared-coverage.ts';
import { createSharedSecrets } from '../../src/monitoring/shared-secrets.ts';
import { createIntakeReports } from '../../src/monitoring/stage-reports.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { createLogLevel } from '../../src/telemetry/log-level.ts';
import { createIntakeWindow } from '../../src/monitoring/intake-window.ts';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { createWebhookLines } from '../../src/monitoring/webhook-lines.ts';
import { checkResponses } from '../helpers/contract-check.ts';
import { contractViolation } from '../helpers/openapi.ts';

export const KEY = 'right-key';
export const NAMES = ['acme-aep', 'other-aep'];

/** A source that accepts the key of the tests; `more` overrides settings. */
export function source(name: string, more: Record<string, unknown> = {}): SourceConfig {
  return sourceSchema.parse({
    name,
    destination: 'acme-aep',
    verify: [{ type: 'header', name: 'X-Relay-Key', values: [KEY] }],
    ...more,
  });
}

export interface ReceivedAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, or the text of anything else. */
  readonly body: ReturnType<typeof JSON.parse>;
}

export interface RequestOptions {
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
  /** Raw body, instead of `json`. */
  readonly raw?: string | Uint8Array;
}

/** The settlement of an event, without its identification. */
type Outcome = (event: ClaimedEvent) => Partial<Settlement> & Pick<Settlement, 'state'>;

function createDestinations(
  journal: Journal,
  now: () => number,
  lastAnswers: () => DestinationView['lastAnswers'],
  sources: readonly SourceConfig[],
): AdminParts['destinations'] {
  const states = new Map(
    NAMES.map((name) => [
      name,
      createDestinationState({
        retry: { minDelay: 1_000, maxDelay: 5_000 },
        clocks: { now, monotonic: now },
        onChange: () => undefined,
      }),
    ]),
  );
  const misplaced = createMisplaced(journal, () => sources);
  return {
    misplaced: () => misplaced.check(),
    knownMisplaced: () => misplaced.known,
    async reroute(by, only) {
      let sum = 0;
      for (const { name, destination } of sources)
        if (name === (only ?? name)) sum += (await journal.reroute(name, destination, by)).rerouted;
      return sum;
    },
    async list() {
      const backlog = await journal.backlog();
      return [...states].map(([name, state]) => {
        const waiting = backlog.find(({ destination }) => destination === name);
        return {
          name,
          ...state.status(),
          inFlight: 0,
          concurrency: { used: 0, limit: 8 },
          tokenSecondsLeft: 3_599.5,
          lastAnswers: lastAnswers(),
          otherReplicas: [],
          pending: waiting?.pending ?? 0,
          oldestPendingAt: waiting?.oldestReceivedAt,
          batch: { maxBytes: 900_000, maxMessages: 200, maxWait: 200 },
          limits: { requestsPerSecond: 500, messagesPerSecond: 5_000, concurrency: 8 },
        };
      });
    },
    get(name) {
      const state = states.get(name);
      return (
        state && {
          async pause(by) {
            const { at } = await journal.pause(name, by);
            state.pauseByOperator(by, at);
          },
          async resume() {
            await journal.resume(name);
            state.resume();
          },
        }
      );
    },
  };
}

function urlOf(app: FastifyInstance): string {
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

interface Target {
  readonly url: string;
  readonly port: 'admin' | 'webhook';
}

async function ask(
  { url, port }: Target,
  method: string,
  path: string,
  options: RequestOptions,
): Promise<ReceivedAnswer> {
  const json = options.json === undefined ? undefined : JSON.stringify(options.json);
  const body = options.raw ?? json;
  const answer = await fetch(url + path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(body === undefined ? {} : { body: body as NonNullable<RequestInit['body']> }),
  });
  const text = await answer.text();
  const { status, headers } = answer;
  expect(contractViolation({ method, port, path, status, headers, text })).toBeUndefined();
  const isJson = headers.get('content-type')?.includes('json');
  return { status, headers, body: isJson ? JSON.parse(text) : text };
}

/** Both apps with a real journal on real ports. Every answer is checked against the contract. */
export async function startAdminRig(sources: readonly SourceConfig[] = [source('acme'), source('beta')]) {
  const folder = mkdtempSync(join(tmpdir(), 'relay-admin-'));
  const clock = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT));
  const journal = await openSqliteJournal({ path: join(folder, 'data'), encryptionKeys: [], clock });
  const table = createSourceTable(sources);
  const metrics = createMetrics();
  const observed = { actions: [] as ActionReport[], refusals: [] as string[], errors: [] as string[] };
  const state = {
    /** Epoch ms of the relay's and of the store's clock, which do not advance by themselves. */
    get now() {
      return clock[0] as number;
    },
    set now(ms: number) {
      clock.fill(ms);
    },
    token: undefined as string | undefined,
    draining: false,
    live: [{ name: 'loop', ok: true }] as HealthCheck[],
    ready: async (): Promise<HealthCheck[]> => [{ name: 'store', ok: true }],
    refresh: async (): Promise<void> => undefined,
    reload: async (): Promise<ReloadResult> => ({
      outcome: 'unchanged',
      file: 'relay.yaml',
      changed: [],
      needsRestart: [],
      warnings: [],
    }),
    /** Why webhooks are answered 503. */
    refusal: undefined as Refusal | undefined,
    enrichment: [] as readonly EnrichmentStatus[],
    reconciliation: undefined as AdminParts['reconciliation'] | undefined,
    hook: undefined as HookSource | undefined,
    lastAnswers: {} as DestinationView['lastAnswers'],
  };
  state.now = Date.UTC(2026, 0, 31, 8);
  const now = () => state.now;
  const coverage = createCoverage(now);
  const window = createIntakeWindow(now);
  const lines: string[] = [];
  const log = createLogger({ level: 'info', destination: { write: (text) => void lines.push(text) } });
  const parts: AdminParts = {
    journal,
    sources: table,
    secrets: createSharedSecrets({ sources: table, journal }),
    bodyLimit: 1_048_576,
    destinations: createDestinations(journal, now, () => state.lastAnswers, sources),
    coverage: sharedCoverage({ coverage, journal }),
    intake: { ...window, refusal: () => state.refusal },
    enrichment: { status: () => state.enrichment },
    reconciliation: {
      get targets() {
        return state.reconciliation?.targets ?? [];
      },
      report: async () => (await state.reconciliation?.report()) ?? { sources: [], destinations: [] },
      runs: async () => (await state.reconciliation?.runs()) ?? [],
      request: async (request, targets) => state.reconciliation?.request(request, targets),
    },
    hook: {
      isConfigured: () => state.hook?.isConfigured() === true,
      receive: async (request) => (await state.hook?.receive(request)) ?? 'refused',
    },
    metrics: { registry: metrics.registry, refresh: () => state.refresh() },
    health: { live: () => state.live, ready: () => state.ready() },
    token: () => state.token,
    logLevel: createLogLevel(log, now),
    isDraining: () => state.draining,
    config: { reload: () => state.reload() },
    backup: () => journal.backup(join(folder, 'data', '.backup-1.db')),
    observer: {
      actionPerformed: (report) => void observed.actions.push(report),
      accessRefused: (reason) => void observed.refusals.push(reason),
      errorCaught: (message) => void observed.errors.push(message),
    },
    now,
  };
  const admin = await createAdminApp(parts);
  const silent = createLogger({ level: 'silent' });
  const intake = await createPublicApp({
    server: configSchema.shape.server.parse({}),
    sources: table,
    journal,
    admission: {
      refusal: () => state.refusal,
      admit: async () => undefined,
      recordWriteFailure: () => undefined,
      isDraining: false,
      acceptsWhileDraining: false,
    },
    observer: createIntakeReports(silent, metrics, window, createWebhookLines(silent)),
    now,
  });
  const faults = [checkResponses(admin, 'admin'), checkResponses(intake, 'webhook')];
  await Promise.all([admin, intake].map((app) => app.listen({ port: 0, host: '127.0.0.1' })));

  const settle = async (outcome: Outcome, names: readonly string[] = NAMES): Promise<string[]> => {
    const receipts: string[] = [];
    for (const destination of names) {
      const start = state.now;
      // Late enough that every wait has passed.
      state.now += 1e9;
      const limits = { sources: ['acme', 'beta'], events: 1_000, replays: 1_000, bytes: 1e9 };
      const { token, events } = await journal.claim({ id: `rig ${destination}`, destination }, limits);
      state.now = start;
      const settlements = events.map((event) => {
        const { receipt, delivered } = event;
        return { receipt, attempts: [], delivered, ...outcome(event) } as unknown as Settlement;
      });
      expect(await journal.settle(token, settlements)).toEqual({ stale: [] });
      receipts.push(...events.map(({ receipt }) => receipt));
    }
    return receipts;
  };

  return {
    parts,
    journal,
    admin,
    intake,
    sources: table,
    metrics,
    coverage,
    log,
    /** The lines of the log. */
    lines,
    state,
    observed,
    /** Folder of the store. */
    storePath: join(folder, 'data'),
    get: (path: string, options: RequestOptions = {}) =>
      ask({ url: urlOf(admin), port: 'admin' }, 'GET', path, options),
    post: (path: string, json?: unknown, options: RequestOptions = {}) =>
      ask({ url: urlOf(admin), port: 'admin' }, 'POST', path, { ...options, json }),
    put: (path: string, json?: unknown, options: RequestOptions = {}) =>
      ask({ url: urlOf(admin), port: 'admin' }, 'PUT', path, { ...options, json }),
    /** Posts a webhook, with the correct key by default. */
    webhook: (name: string, body: object | string | Uint8Array, headers: Record<string, string> = {}) =>
      ask({ url: urlOf(intake), port: 'webhook' }, 'POST', `/webhooks/${name}`, {
        raw: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
        headers: { 'x-relay-key': KEY, ...headers },
      }),
    /** Claims and settles all pending events. @returns the receipts */
    settle,
    /** Moves all pending events to dead letters. */
    moveToDeadLetters: (reason = 'rejected') =>
      settle(() => ({ state: 'dead', reason, detail: '400 no such field', sent: [] })),
    async close() {
      await Promise.all([admin.close(), intake.close()]);
      await journal.close();
      rmSync(folder, { recursive: true, force: true });
      expect(faults.flat()).toEqual([]);
    },
  };
}

export type AdminRig = Awaited<ReturnType<typeof startAdminRig>>;

/** The total of the ledger, after checking the equation that must always hold. */
export async function ledgerOf(rig: AdminRig): Promise<Record<string, number>> {
  const { body } = await rig.get('/admin/v1/ledger', {
    headers: rig.state.token === undefined ? {} : { authorization: `Bearer ${rig.state.token}` },
  });
  expect(body.balanced).toBe(true);
  expect(body.accepted).toBe(body.pending + body.delivered + body.ignored + body.dead);
  const { sources: _sources, balanced: _balanced, ...counts } = body;
  return counts;
}
