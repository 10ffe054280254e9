import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createPlatformClient, type PlatformClient } from '../../../src/adobe/platform/platform-client.ts';
import { createTokenSource } from '../../../src/adobe/ims/token-source.ts';
import { createInlet } from '../../../src/adobe/inlet/inlet-client.ts';
import { parseEvent } from '../../../src/capillary/event-parser.ts';
import { configSchema, type Config } from '../../../src/config/config-schema.ts';
import { createDestinations, type Destinations } from '../../../src/delivery/destinations.ts';
import { toNewEvent } from '../../../src/intake/accept.ts';
import type { Journal, Landings } from '../../../src/journal/journal.ts';
import { openSqliteJournal } from '../../../src/journal/sqlite/sqlite-journal.ts';
import type { DestinationReconcilerParts } from '../../../src/reconciliation/aep/destination-parts.ts';
import { createDestinationReconciler } from '../../../src/reconciliation/aep/destination-reconciler.ts';
import type { Reconciler } from '../../../src/reconciliation/reconcile-run.ts';
import type { DestinationReconciliation } from '../../../src/reconciliation/reconciliation-report.ts';
import type { SimulatorOptions } from '../../../src/simulator/adobe/simulator-options.ts';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import { type Drift, ORG, setUpByHand, tokensOf, type VerifyRig } from '../../cli/provision/verify-rig.ts';
import { customerUpdated } from '../../fixtures/customers.ts';
import { until } from '../../helpers/until.ts';

/** The beginning of a window. */
export const T0 = Date.UTC(2026, 9, 1, 8);
export const MINUTE_MS = 60_000;
/** As the configuration of the rig has it. */
export const WINDOW_MS = 10 * MINUTE_MS;
export const LAKE_DELAY_MS = 5 * MINUTE_MS;

export interface ReconcilerRig {
  readonly simulator: Simulator;
  readonly platform: VerifyRig;
  readonly journal: Journal & Landings;
  readonly destinations: Destinations;
  readonly config: Config;
  /** Of the relay and of AEP; epoch ms. */
  now(): number;
  advance(ms: number): void;
  /** Accepts one event of each customer, and waits until all are settled. @returns receipts */
  deliver(customers: readonly number[], data?: object): Promise<string[]>;
  /** The same for other events. */
  send(events: readonly object[]): Promise<string[]>;
  /** Waits until these are settled and AEP has decided about everything. */
  settle(receipts: readonly string[]): Promise<void>;
  /** A client of the platform API that the test ends. */
  client(): PlatformClient;
  /** A reconciler as after a restart. */
  create(change?: Partial<DestinationReconcilerParts>): Reconciler<DestinationReconciliation>;
  /** One run of the reconciler. @returns what it reports */
  run(change?: Partial<DestinationReconcilerParts>): Promise<DestinationReconciliation>;
  /** Outcomes of calls so far, and what was found. */
  readonly calls: string[];
  readonly found: { readonly kind: string; readonly cause: string; readonly count: number }[];
}

export interface RigOptions {
  readonly simulator?: SimulatorOptions;
  readonly reconcile?: object;
  readonly drift?: Drift;
  /** ms from the creation of the dataflows to the first delivery; default: they are old. */
  readonly flowAge?: number;
  /** Whether the clock goes on while events wait for another attempt. */
  readonly ticks?: boolean;
}

const SETTLED_FLOW_MS = 3_600_000;

/** The real journal and delivery, and the simulated AEP, all with one clock that tests set. */
export async function startRig(options: RigOptions = {}): Promise<ReconcilerRig> {
  const clock = new Float64Array(new SharedArrayBuffer(8));
  const now = (): number => clock[0] as number;
  clock[0] = T0 - (options.flowAge ?? SETTLED_FLOW_MS);
  const platform = await setUpByHand({
    ...options.drift,
    simulator: {
      empty: true,
      platform: { tenantId: 'acme', imsOrgId: ORG, sandboxes: ['dev'] },
      validationDelayMs: 0,
      tokenTtlMs: 10 * 86_400_000,
      warmUpMs: 5 * MINUTE_MS,
      now,
      ...options.simulator,
    },
    config: {
      batch: { maxWait: '5ms' },
      reconcile: { window: '10m', lakeDelay: '5m', profileDelay: '2m', readBack: 1, ...options.reconcile },
      ...options.drift?.config,
    },
  });
  clock[0] = T0;
  const { simulator, destination } = platform;
  const tokens = await tokensOf(simulator, 'client-1');
  const clients: PlatformClient[] = [];
  const connect = (): PlatformClient => {
    const client = createPlatformClient({
      url: simulator.url,
      imsOrgId: ORG,
      sandbox: 'dev',
      clientId: 'client-1',
      tokens,
      now,
      wait: async () => undefined,
    });
    clients.push(client);
    return client;
  };
  const folder = mkdtempSync(join(tmpdir(), 'relay-reconcile-'));
  const config = configSchema.parse({
    store: { path: folder },
    admin: { token: 'admin-token-of-the-tests' },
    sources: [
      {
        name: 'acme',
        destination: 'main',
        orgIds: [100458],
        timezone: 'Europe/London',
        country: 'GB',
        verify: [{ type: 'header', name: 'X-Relay-Key', values: ['key-of-the-tests'] }],
      },
    ],
    destinations: [
      {
        ...destination,
        batch: { maxWait: '5ms' },
        limits: {},
        retry: { minDelay: '50ms', maxDelay: '200ms' },
        reconcile: { window: '10m', lakeDelay: '5m', profileDelay: '2m', readBack: 1, ...options.reconcile },
      },
    ],
  });
  const journal = await openSqliteJournal({ path: folder, encryptionKeys: [], clock });
  const [source] = config.sources;
  const [configured] = config.destinations;
  if (source === undefined || configured === undefined) throw new Error('no source or destination');
  const destinations = createDestinations({
    config,
    journal,
    now,
    createInlet: ({ inletUrl, sandbox, limits }) =>
      createInlet({ inletUrl, sandbox, connections: limits.concurrency, requestTimeoutMs: 2_000 }),
    createTokens: ({ ims }) => (ims ? createTokenSource({ ...ims, now }) : undefined),
    observer: {
      requestCompleted: () => undefined,
      eventsSettled: () => undefined,
      contactsShared: () => undefined,
      contactsUncounted: () => undefined,
      stateChanged: () => undefined,
      errorCaught: (_destination, message, error) => {
        throw new Error(message, { cause: error });
      },
    },
  });
  onTestFinished(async () => {
    await destinations.stop();
    await Promise.all(clients.map((client) => client.close()));
    await journal.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await destinations.start();
  const calls: string[] = [];
  const found: { kind: string; cause: string; count: number }[] = [];
  const create: ReconcilerRig['create'] = (change = {}) => {
    const client = connect();
    return createDestinationReconciler({
      destination: configured,
      sources: config.sources,
      client,
      journal,
      sentRecords: destinations.sentRecords('main'),
      observer: {
        runEnded: () => undefined,
        found: ({ kind, cause, count }) => found.push({ kind, cause, count }),
        called: (_side, _name, outcome) => calls.push(outcome),
      },
      now,
      ...change,
    });
  };
  const settle = async (receipts: readonly string[]): Promise<void> => {
    await until(async () => {
      if (options.ticks === true) clock[0] = now() + 100;
      return (await journal.count({ receipts, states: ['pending'] })) === 0;
    });
    await simulator.until(({ fates }) => fates.pending === 0);
  };
  const send = async (events: readonly object[]): Promise<string[]> => {
    const receipts: string[] = [];
    for (const event of events) {
      const body = Buffer.from(JSON.stringify(event));
      const parsed = parseEvent(body, { timezone: 'Europe/London' });
      if (!parsed.ok) throw new Error(parsed.detail);
      const request = { body, receivedAt: now(), verifiedBy: 'test' };
      const [appended] = await journal.append([toNewEvent(parsed.event, source, request)]);
      receipts.push(appended!.receipt);
    }
    await settle(receipts);
    return receipts;
  };
  return {
    settle,
    simulator,
    platform,
    journal,
    destinations,
    config,
    calls,
    found,
    now,
    advance: (ms) => {
      clock[0] = now() + ms;
    },
    deliver: (customers, data = {}) =>
      send(customers.map((customer) => customerUpdated(customer, now() - 1_000, data))),
    send,
    client: connect,
    create,
    async run(change) {
      const reconciler = create(change);
      await reconciler.run({}, new AbortController().signal);
      return reconciler.report();
    },
  };
}

/** Numbers of customers: `range(3, 5)` is 3, 4. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, place) => from + place);
}
