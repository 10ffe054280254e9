import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import type { Sandbox } from '../../../src/simulator/adobe/platform/sandbox.ts';
import type { DeliveryRecord } from '../../../src/simulator/capillary/api/delivery-records.ts';
import type { TwinWebhook } from '../../../src/simulator/capillary/api/webhook-object.ts';
import { freePort } from '../../../src/simulator/free-port.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';
import { type Ended, run } from '../../cli/command-line.ts';
import { LARGE_NAME, ODD_NAME } from './landing-names.ts';
import { ORDINARY_NAMES } from './planted-events.ts';
import {
  KEY,
  type RelayConfig,
  type RelayProcess,
  relayConfig,
  relayFolder,
} from '../../helpers/relay-process.ts';

const EVENT_NAMES = [...ORDINARY_NAMES, LARGE_NAME, ODD_NAME];

/** Data of a flow that was changed less than this ago is lost. */
const WARM_UP_MS = 1_500;
/** The flows are made to look so old, because the first minutes of a flow are suspicious. */
const FLOW_AGE_MS = 3_600_000;
const VALIDATION_DELAY_MS = 50;
/** Events above are dropped by Profile; AEP's documented limit is higher. */
const PROFILE_EVENT_BYTES = 8_500;
const SANDBOX = 'dev';
const QUIET_INTERVAL_MS = 150;
const WAIT_LIMIT_MS = 9 * 60_000;

/** Both twins, and a relay that reconciles with them only when it is asked. */
export interface LandingRig {
  readonly simulator: Simulator;
  readonly sandbox: Sandbox;
  readonly folder: ReturnType<typeof relayFolder>;
  /** Takes effect with the next start, or when it is written and `reload` runs. */
  readonly config: RelayConfig;
  readonly webhook: () => TwinWebhook;
  relay(): RelayProcess;
  startRelay(): Promise<void>;
  stopRelay(signal: NodeJS.Signals): Promise<void>;
  /** Runs a command with the relay's configuration and running admin port. */
  cli(...args: readonly string[]): Promise<Ended>;
  /**
   * Resolves when the relay has made its first comparisons. Later ones are made when they are asked
   * for: one in the middle of the traffic would take events from the log that are still queued.
   */
  compared(): Promise<void>;
  /** Resolves when Capillary has delivered all, or given up. */
  ended(records: readonly DeliveryRecord[]): Promise<void>;
  /** Resolves when the relay has delivered all, and the fate of every record has shown. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface RigOptions {
  readonly seed: number;
  /** The key `store` of the configuration, if it is not SQLite. */
  readonly store?: Readonly<Record<string, unknown>>;
}

/** Polls a condition of another process, whose admin port limits the rate of requests. */
async function whenTrue(what: string, poll: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_LIMIT_MS;
  while (!(await poll())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(QUIET_INTERVAL_MS);
  }
}

function configOf(simulator: Simulator, port: number, adminPort: number) {
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: '' });
  Object.assign(config.server, { port, rateLimit: { max: 1_000_000, window: '1s' } });
  config.admin['port'] = adminPort;
  const [source] = config.sources;
  const [destination] = config.destinations;
  Object.assign(source!, {
    orgIds: [simulator.capillary.org],
    timezone: 'Asia/Kolkata',
    country: 'IN',
    api: {
      url: simulator.capillaryUrl,
      key: 'key',
      secret: 'secret',
      callsPerMinute: 100_000,
      concurrency: 4,
    },
    webhook: {
      name: 'acme-aep-relay',
      url: `http://127.0.0.1:${port}/webhooks/acme`,
      events: EVENT_NAMES,
      header: { name: 'X-Relay-Key', value: KEY },
    },
    reconcile: { every: '1d', window: '6h', delay: '1s' },
  });
  const { inletUrl: _, events: __, profile: ___, tenant: ____, ...rest } = destination!;
  config.destinations = [
    {
      ...rest,
      sandbox: SANDBOX,
      platform: { url: simulator.platformUrl },
      events: null,
      profile: {},
      batch: { maxWait: '100ms' },
      limits: { requestsPerSecond: 1_000, messagesPerSecond: 10_000, concurrency: 8 },
      reconcile: { every: '1d', window: '10s', readBack: 0.001, profileDelay: '1s', lakeDelay: '1s' },
    },
  ];
  return config;
}

/** As if the flow had been made and changed then. @param at epoch ms */
export function setFlowTime({ flows }: Sandbox, id: string, at: number): void {
  flows.set(id, { ...flows.get(id)!, createdAt: at, updatedAt: at });
}

export async function landingRig({ seed, store }: RigOptions): Promise<LandingRig> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const simulator = await startSimulator({
    seed,
    empty: true,
    warmUpMs: WARM_UP_MS,
    validationDelayMs: VALIDATION_DELAY_MS,
    profileEventBytes: PROFILE_EVENT_BYTES,
    maxLanded: 400_000,
    capillary: {
      // An event fails within milliseconds, not minutes.
      retryScale: 0,
      lostAnswers: 0.01,
      webhooks: [
        {
          name: 'acme-aep-relay',
          active: true,
          delivers: true,
          eventNames: EVENT_NAMES,
          webHookUrl: `http://127.0.0.1:${port}/webhooks/acme`,
          webHookHeaders: { 'X-Relay-Key': KEY },
          maxAllowedConnections: 60,
          customerIdentifiersToBeEnriched: ['Instore', 'cardnumbers'],
          tillDetailsEnrichmentEnabled: true,
          storeDetailsEnrichmentEnabled: true,
        },
      ],
    },
  });
  const config = configOf(simulator, port, adminPort);
  if (store !== undefined) config.store = { ...store };
  const folder = relayFolder(config);
  const cli = (...args: readonly string[]): Promise<Ended> => run(args, { cwd: folder.folder });
  writeFileSync(folder.file, stringify(config));
  const provisioned = await cli('provision', 'apply', '--write', '--settle', `${WARM_UP_MS / 1_000}s`);
  if (provisioned.code !== 0) throw new Error(`${provisioned.stdout}${provisioned.stderr}`);
  Object.assign(config, parse(readFileSync(folder.file, 'utf8')));
  const sandbox = simulator.platform.sandbox(SANDBOX)!;
  for (const flow of sandbox.flows.values()) setFlowTime(sandbox, flow.id, Date.now() - FLOW_AGE_MS);
  let relay: RelayProcess | undefined;
  const running = (): RelayProcess => {
    if (relay === undefined) throw new Error('the relay is not running');
    return relay;
  };

  return {
    simulator,
    sandbox,
    folder,
    config,
    webhook: () => simulator.capillary.webhooks.list(simulator.capillary.org)[0]!,
    relay: running,
    startRelay: async () => {
      relay = await folder.start();
    },
    stopRelay: async (signal) => {
      await relay?.stop(signal);
      relay = undefined;
    },
    cli,
    compared: () =>
      whenTrue('the first comparisons are made', async () => {
        const { body } = await running().admin('/admin/v1/reconciliation');
        const sides = [...body.sources, ...body.destinations] as readonly { readonly lastRunAt?: string }[];
        return sides.length === 2 && sides.every(({ lastRunAt }) => lastRunAt !== undefined);
      }),
    ended: async (records) => {
      let next = 0;
      await simulator.until(() => {
        while (records[next] !== undefined && records[next]!.status !== 'IN_PROGRESS') next += 1;
        return next === records.length;
      }, AbortSignal.timeout(WAIT_LIMIT_MS));
    },
    settled: async () => {
      await whenTrue('everything is delivered', async () => {
        const { body } = await running().admin('/admin/v1/ledger');
        return body.pending === 0;
      });
      await simulator.until(({ fates }) => fates.pending === 0, AbortSignal.timeout(WAIT_LIMIT_MS));
    },
    close: async () => {
      await folder.remove();
      await simulator.close();
    },
  };
}
