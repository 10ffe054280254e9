import { onTestFinished } from 'vitest';
import { configSchema, type Config } from '../../src/config/config-schema.ts';
import type { Reconciler, RunRequest } from '../../src/reconciliation/reconcile-run.ts';
import { createReconcilers, type ReconcilersParts } from '../../src/reconciliation/reconcilers.ts';
import type {
  DestinationReconciliation,
  SourceReconciliation,
} from '../../src/reconciliation/reconciliation-report.ts';
import { relayConfig } from '../helpers/relay-process.ts';

export const LOOK_MS = 5;

export interface FakeRun {
  readonly name: string;
  readonly request: RunRequest;
  readonly signal: AbortSignal;
  end(): void;
  fail(error: unknown): void;
}

/** Reconcilers whose runs end when the test says so. */
export function createFakeReconcilers() {
  const runs: FakeRun[] = [];
  const closed: string[] = [];
  const created: string[] = [];
  const reconciler = <Report>(name: string, every: number, report: Report): Reconciler<Report> => {
    created.push(name);
    return {
      name,
      every,
      run: (request, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          runs.push({ name, request, signal, end: resolve, fail: reject });
        }),
      report: async () => report,
      close: async () => void closed.push(name),
    };
  };
  const common = { state: 'ok', differences: [], open: {} } as const;
  const source = (name: string): SourceReconciliation => ({
    source: name,
    ...common,
    sums: { sent: 5, accepted: 3, recovered: 1, unrecoverable: 1, missing: 0 },
    coveredFrom: 1_000,
    seesUntil: 2_000,
  });
  const destination = (name: string): DestinationReconciliation => ({
    destination: name,
    ...common,
    sums: { delivered: 4, landed: 3, refusedLater: 1, unconfirmed: 0 },
    readBack: { events: 0, profiles: 0 },
  });
  return {
    runs,
    closed,
    created,
    parts: {
      createSource: ({ name, reconcile }) => reconciler(name, reconcile?.every ?? 0, source(name)),
      createDestination: ({ name, reconcile }) => reconciler(name, reconcile?.every ?? 0, destination(name)),
    } satisfies Pick<ReconcilersParts, 'createSource' | 'createDestination'>,
  };
}

const plain = relayConfig({
  imsUrl: 'http://127.0.0.1:1/ims/token/v3',
  inletUrl: 'http://127.0.0.1:1/collection/abc',
});

/** A source and a destination that are compared; `more` overrides settings of the source. */
export function comparedConfig(more: Record<string, unknown> = {}, every = '1d'): Config {
  const source = {
    ...plain.sources[0],
    api: { url: 'http://127.0.0.1:1', key: 'key', secret: 'secret' },
    webhook: {
      name: 'relay',
      url: 'https://relay.example.com/webhooks/acme',
      header: { name: 'X-Relay-Key', value: 'k' },
    },
    reconcile: { every },
    ...more,
  };
  return configSchema.parse({
    ...plain,
    store: {},
    sources: [source],
    destinations: [{ ...plain.destinations[0], reconcile: { every } }],
  });
}

/** Notes in memory, as the journal keeps them. */
export function memoryNotes(): ReconcilersParts['journal'] {
  const scopes = new Map<string, Map<string, string>>();
  return {
    reconciliationNotes: async (scope) => new Map(scopes.get(scope)),
    async saveReconciliationNotes(scope, notes) {
      const all = scopes.get(scope) ?? new Map<string, string>();
      scopes.set(scope, all);
      for (const [key, json] of Object.entries(notes))
        if (json === null) all.delete(key);
        else all.set(key, json);
    },
  };
}

/** A replica, which the caller stops. Several on the same journal share what is asked for. */
export function createReplica(more: Partial<ReconcilersParts> = {}) {
  const fakes = createFakeReconcilers();
  const errors: unknown[] = [];
  const state = { isLeader: true };
  const reconcilers = createReconcilers({
    config: comparedConfig(),
    journal: memoryNotes(),
    isLeader: () => state.isLeader,
    observer: { errorCaught: (_name, _message, error) => void errors.push(error) },
    now: Date.now,
    lookMs: LOOK_MS,
    ...fakes.parts,
    ...more,
  });
  return { reconcilers, ...fakes, errors, state };
}

/** A replica for one test. */
export function openReplica(more: Partial<ReconcilersParts> = {}) {
  const replica = createReplica(more);
  onTestFinished(() => replica.reconcilers.stop());
  return replica;
}
