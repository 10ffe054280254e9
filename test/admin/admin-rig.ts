import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { expect } from 'vitest';
import { createAdminApp } from '../../src/admin/app.ts';
import type { Check } from '../../src/admin/health.ts';
import type { ActionReport } from '../../src/admin/observer.ts';
import type { AdminParts } from '../../src/admin/parts.ts';
import { configSchema } from '../../src/config/schema.ts';
import { type SourceConfig, sourceSchema } from '../../src/config/source.ts';
import { createDestinationState } from '../../src/delivery/destination-state.ts';
import { createIntakeApp } from '../../src/intake/app.ts';
import { createSourceTable } from '../../src/intake/source-table.ts';
import type { ClaimedEvent, Journal, Settlement } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/journal.ts';
import { createCoverage } from '../../src/observability/coverage.ts';
import { createLogger } from '../../src/observability/log.ts';
import { createLogLevel } from '../../src/observability/log-level.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { watchAnswers } from '../helpers/contract-watch.ts';
import { contractFault } from '../helpers/openapi.ts';

export const KEY = 'right-key';
export const NAMES = ['acme-aep', 'other-aep'];

/** A source that takes the key of the tests; `more` changes it. */
export const source = (name: string, more: Record<string, unknown> = {}): SourceConfig =>
  sourceSchema.parse({
    name,
    destination: 'acme-aep',
    verify: [{ type: 'header', name: 'X-Relay-Key', values: [KEY] }],
    ...more,
  });

export interface Seen {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, or the text of anything else. */
  readonly body: ReturnType<typeof JSON.parse>;
}

export interface Ask {
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
  /** Body as it is, instead of `json`. */
  readonly raw?: string | Uint8Array;
}

/** What a settlement can say besides whose it is. */
type Outcome = (event: ClaimedEvent) => Partial<Settlement> & Pick<Settlement, 'state'>;

const createDestinations = (journal: Journal, now: () => number): AdminParts['destinations'] => {
  const states = new Map(
    NAMES.map((name) => [
      name,
      createDestinationState({
        retry: { minDelay: 1_000, maxDelay: 5_000 },
        clocks: { now, steady: now },
        changed: () => undefined,
      }),
    ]),
  );
  return {
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
            await journal.setPause(name, { destination: name, by, at: now() });
            state.operatorPause(by, now());
          },
          async resume() {
            await journal.setPause(name, null);
            state.resume();
          },
        }
      );
    },
  };
};

const urlOf = (app: FastifyInstance): string =>
  `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;

interface Target {
  readonly url: string;
  readonly port: 'admin' | 'webhook';
}

const ask = async ({ url, port }: Target, method: string, path: string, options: Ask): Promise<Seen> => {
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
  expect(contractFault({ method, port, path, status, headers, text })).toBeUndefined();
  const isJson = headers.get('content-type')?.includes('json');
  return { status, headers, body: isJson ? JSON.parse(text) : text };
};

/** Both apps over one real journal on real ports. Every answer is held against the contract. */
export const startAdminRig = async (sources: readonly SourceConfig[] = [source('acme'), source('beta')]) => {
  const folder = mkdtempSync(join(tmpdir(), 'relay-admin-'));
  const journal = await openSqliteJournal({ path: join(folder, 'data'), encryptionKeys: [] });
  const table = createSourceTable(sources);
  const metrics = createMetrics();
  const seen = { acted: [] as ActionReport[], refused: [] as string[], troubles: [] as string[] };
  const state = {
    /** Epoch ms by the relay's clock; it stands still. */
    now: Date.UTC(2026, 0, 31, 8),
    token: undefined as string | undefined,
    live: [{ name: 'loop', ok: true }] as Check[],
    ready: async (): Promise<Check[]> => [{ name: 'store', ok: true }],
    refresh: async (): Promise<void> => undefined,
  };
  const now = () => state.now;
  const coverage = createCoverage(now);
  const lines: string[] = [];
  const log = createLogger({ level: 'info', destination: { write: (text) => void lines.push(text) } });
  const parts: AdminParts = {
    journal,
    sources: table,
    destinations: createDestinations(journal, now),
    coverage,
    metrics: { registry: metrics.registry, refresh: () => state.refresh() },
    health: { live: () => state.live, ready: () => state.ready() },
    token: () => state.token,
    logLevel: createLogLevel(log, now),
    observer: {
      acted: (report) => void seen.acted.push(report),
      refused: (reason) => void seen.refused.push(reason),
      trouble: (message) => void seen.troubles.push(message),
    },
    now,
  };
  const admin = await createAdminApp(parts);
  const intake = await createIntakeApp({
    server: configSchema.shape.server.parse({}),
    sources: table,
    journal,
    gate: { refusal: () => undefined, admit: async () => undefined, writeFailed: () => undefined },
    observer: { answered: () => undefined, trouble: () => undefined },
    now,
  });
  const faults = [watchAnswers(admin, 'admin'), watchAnswers(intake, 'webhook')];
  await Promise.all([admin, intake].map((app) => app.listen({ port: 0, host: '127.0.0.1' })));

  const settle = async (outcome: Outcome, names: readonly string[] = NAMES): Promise<string[]> => {
    const receipts: string[] = [];
    for (const destination of names) {
      const { events } = await journal.claim({
        destination,
        sources: ['acme', 'beta'],
        limit: 1_000,
        replays: 1_000,
        maxBytes: 1e9,
        now: now() + 1e9,
      });
      for (const event of events) {
        const { receipt, delivered } = event;
        const settlement = { receipt, now: now(), attempts: [], delivered, ...outcome(event) };
        await journal.settle(settlement as unknown as Settlement);
        receipts.push(receipt);
      }
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
    /** What the log has written. */
    lines,
    state,
    seen,
    /** Folder of the store. */
    storePath: join(folder, 'data'),
    get: (path: string, options: Ask = {}) => ask({ url: urlOf(admin), port: 'admin' }, 'GET', path, options),
    post: (path: string, json?: unknown, options: Ask = {}) =>
      ask({ url: urlOf(admin), port: 'admin' }, 'POST', path, { ...options, json }),
    put: (path: string, json?: unknown, options: Ask = {}) =>
      ask({ url: urlOf(admin), port: 'admin' }, 'PUT', path, { ...options, json }),
    /** Posts a webhook with the right key unless told otherwise. */
    webhook: (name: string, body: object | string | Uint8Array, headers: Record<string, string> = {}) =>
      ask({ url: urlOf(intake), port: 'webhook' }, 'POST', `/webhooks/${name}`, {
        raw: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
        headers: { 'x-relay-key': KEY, ...headers },
      }),
    /** Claims all that waits and settles it. @returns the receipts */
    settle,
    /** Buries all that waits. */
    bury: (reason = 'rejected') =>
      settle(() => ({ state: 'dead', reason, detail: '400 no such field', sent: [] })),
    async close() {
      await Promise.all([admin.close(), intake.close()]);
      await journal.close();
      rmSync(folder, { recursive: true, force: true });
      expect(faults.flat()).toEqual([]);
    },
  };
};

export type AdminRig = Awaited<ReturnType<typeof startAdminRig>>;

/** Sums up the ledger as the API tells it, and holds the one equation that must always be true. */
export const ledgerOf = async (rig: AdminRig): Promise<Record<string, number>> => {
  const { body } = await rig.get('/admin/v1/ledger', {
    headers: rig.state.token === undefined ? {} : { authorization: `Bearer ${rig.state.token}` },
  });
  expect(body.balanced).toBe(true);
  expect(body.accepted).toBe(body.pending + body.delivered + body.ignored + body.dead);
  const { sources: _sources, balanced: _balanced, ...counts } = body;
  return counts;
};
