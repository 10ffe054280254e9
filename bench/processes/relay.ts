import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { ADMIN_TOKEN, KEY, relayConfig, type RelayTargets } from '../../test/helpers/relay-process.ts';
import type { SendJob } from '../load/job.ts';
import { freePort } from '../../src/simulator/free-port.ts';
import { waitUntilUp, stopChild, startCommand } from './child.ts';

/**
 * In the project and not in a temporary folder, which may be in memory: the disk is to be measured.
 */
const DATA = fileURLToPath(new URL('../.data/', import.meta.url));
const SIGNING_SECRET = 'signing-secret-of-the-bench';

export interface Ledger {
  readonly pending: number;
}

interface Replica {
  readonly isSelf: boolean;
  readonly slots: Readonly<Record<string, number>>;
}

/** The built relay in its own process. */
export interface RelayUnderTest {
  readonly pid: number;
  /** From the start of the process until /readyz reports that it is ready, ms. */
  readonly readyMs: number;
  readonly intakeUrl: string;
  /** The webhook of the source with this verifier, and the proof of the sender. */
  webhook(proof: 'header' | 'hmac'): Pick<SendJob, 'url' | 'proof'>;
  /** Pauses or resumes delivery, as an operator does. */
  setDelivering(isDelivering: boolean): Promise<void>;
  ledger(): Promise<Ledger>;
  /** Slots of the destination that this replica owns. */
  ownedSlots(): Promise<number>;
  /** Bodies and records that were removed since the start because of their age. */
  removedByAge(): Promise<number>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface RelayFolder {
  readonly store: string;
  /**
   * The second start in a folder has the ports of the first.
   * @param nodeFlags those that NODE_OPTIONS may have; they apply to all threads
   * @param change overrides settings of the destination
   * @param sourceChange overrides settings of the source `acme`
   */
  start(
    nodeFlags?: readonly string[],
    change?: DestinationChange,
    sourceChange?: SourceChange,
  ): Promise<RelayUnderTest>;
  remove(): void;
}

/** Settings that override those of the destination. */
export type DestinationChange = Readonly<Record<string, unknown>>;

/** Settings that override those of the first source. */
export type SourceChange = Readonly<Record<string, unknown>>;

/** The key `store` of the configuration. */
type StoreConfig = Readonly<Record<string, unknown>>;

function configOf(
  targets: RelayTargets,
  ports: { readonly intake: number; readonly admin: number },
  store: StoreConfig,
  change: DestinationChange,
  sourceChange: SourceChange,
) {
  const config = relayConfig(targets);
  const [source] = config.sources;
  const [destination] = config.destinations;
  const signed = {
    ...source,
    name: 'signed',
    verify: [{ type: 'hmac', header: 'X-Signature', secrets: [SIGNING_SECRET] }],
  };
  return {
    ...config,
    server: { host: '127.0.0.1', port: ports.intake, rateLimit: { max: 1_000_000, window: '1s' } },
    admin: { ...config.admin, port: ports.admin },
    store,
    sources: [{ ...source, ...sourceChange }, signed],
    destinations: [{ ...destination, batch: {}, retry: {}, ...change }],
  };
}

/**
 * A folder with the data and configuration of a relay. A relay that is started again in it
 * continues with the same data.
 * @param build root folder of a built clone, whose `bin/capillary-relay` is run
 * @param defaults settings of the destination for every start
 * @param database the store, if it is not in the folder
 */
export function relayFolder(
  { build }: { readonly build: string },
  targets: RelayTargets,
  defaults: DestinationChange = {},
  database?: StoreConfig,
): RelayFolder {
  mkdirSync(DATA, { recursive: true });
  const folder = mkdtempSync(join(DATA, 'relay-'));
  const store = join(folder, 'store');
  const storeConfig = database ?? { path: store, minFree: '1MiB', maxBytes: '20GiB' };
  let ports: { readonly intake: number; readonly admin: number } | undefined;
  return {
    store,
    remove: () => rmSync(folder, { recursive: true, force: true }),
    start: async (nodeFlags = [], change = {}, sourceChange = {}) => {
      ports ??= { intake: await freePort(), admin: await freePort() };
      const { intake } = ports;
      const file = join(folder, 'relay.yaml');
      const config = configOf(targets, ports, storeConfig, { ...defaults, ...change }, sourceChange);
      writeFileSync(file, stringify(config));
      const started = performance.now();
      const child = startCommand(join(build, 'bin/capillary-relay'), ['serve', '--config', file], {
        env: { NODE_OPTIONS: nodeFlags.join(' ') },
      });
      const adminUrl = `http://127.0.0.1:${ports.admin}`;
      await waitUntilUp(`${adminUrl}/readyz`, child);
      const readyMs = performance.now() - started;
      const admin = async (path: string, method = 'GET'): Promise<unknown> => {
        const response = await fetch(`${adminUrl}/admin/v1/${path}`, {
          method,
          headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
        });
        if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
        return response.json();
      };
      return {
        pid: child.pid ?? 0,
        readyMs,
        intakeUrl: `http://127.0.0.1:${intake}`,
        webhook: (proof) => ({
          url: `http://127.0.0.1:${intake}/webhooks/${proof === 'hmac' ? 'signed' : 'acme'}`,
          proof:
            proof === 'hmac'
              ? { type: 'hmac', header: 'x-signature', secret: SIGNING_SECRET }
              : { type: 'header', header: 'x-relay-key', secret: KEY },
        }),
        setDelivering: async (isDelivering) => {
          await admin(`destinations/acme-aep/${isDelivering ? 'resume' : 'pause'}`, 'POST');
        },
        ledger: async () => (await admin('ledger')) as Ledger,
        ownedSlots: async () => {
          const { replicas } = (await admin('replicas')) as { replicas: Replica[] };
          return replicas.find(({ isSelf }) => isSelf)?.slots['acme-aep'] ?? 0;
        },
        removedByAge: async () => {
          const text = await (await fetch(`${adminUrl}/metrics`)).text();
          return Number(/^relay_retention_removed_total (\d+)$/m.exec(text)?.[1]);
        },
        stop: (signal) => stopChild(child, signal),
      };
    },
  };
}
