import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { ADMIN_TOKEN, KEY, relayConfig, type RelayTargets } from '../../test/helpers/relay-process.ts';
import type { SendJob } from '../load/job.ts';
import { freePort } from '../../test/helpers/free-port.ts';
import { waitUntilUp, stopChild, startChild } from './child.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/**
 * In the project and not in a temporary folder, which may be in memory: the disk is to be measured.
 */
const DATA = fileURLToPath(new URL('../.data/', import.meta.url));
const COMMAND = readFileSync(new URL('../../bin/capillary-relay', import.meta.url), 'utf8');
/** Node flags of `bin/capillary-relay`, which are those of the image. */
const RELAY_FLAGS = COMMAND.split(/\s+/).filter((word) => word.startsWith('--'));
const SIGNING_SECRET = 'signing-secret-of-the-bench';

export interface Ledger {
  readonly pending: number;
}

/** The built relay in its own process. */
export interface RelayUnderTest {
  readonly pid: number;
  /** From the start of the process until /readyz reports that it is ready, ms. */
  readonly readyMs: number;
  /** The webhook of the source with this verifier, and the proof of the sender. */
  webhook(proof: 'header' | 'hmac'): Pick<SendJob, 'url' | 'proof'>;
  /** Pauses or resumes delivery, as an operator does. */
  setDelivering(isDelivering: boolean): Promise<void>;
  ledger(): Promise<Ledger>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface RelayFolder {
  readonly store: string;
  /** @param change overrides settings of the destination */
  start(nodeFlags?: readonly string[], change?: DestinationChange): Promise<RelayUnderTest>;
  remove(): void;
}

/** Settings that override those of the destination. */
export type DestinationChange = Readonly<Record<string, unknown>>;

function configOf(
  targets: RelayTargets,
  ports: { readonly intake: number; readonly admin: number },
  store: string,
  change: DestinationChange,
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
    store: { path: store, minFree: '1MiB', maxBytes: '20GiB' },
    sources: [source, signed],
    destinations: [{ ...destination, batch: {}, retry: {}, ...change }],
  };
}

/**
 * A folder with the data and configuration of a relay. A relay that is started again in it
 * continues with the same data.
 * @param defaults settings of the destination for every start
 */
export function relayFolder(targets: RelayTargets, defaults: DestinationChange = {}): RelayFolder {
  mkdirSync(DATA, { recursive: true });
  const folder = mkdtempSync(join(DATA, 'relay-'));
  const store = join(folder, 'store');
  return {
    store,
    remove: () => rmSync(folder, { recursive: true, force: true }),
    start: async (nodeFlags = [], change = {}) => {
      const ports = { intake: await freePort(), admin: await freePort() };
      const file = join(folder, 'relay.yaml');
      writeFileSync(file, stringify(configOf(targets, ports, store, { ...defaults, ...change })));
      const started = performance.now();
      const child = startChild([...nodeFlags, ...RELAY_FLAGS, MAIN, 'serve', '--config', file]);
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
        webhook: (proof) => ({
          url: `http://127.0.0.1:${ports.intake}/webhooks/${proof === 'hmac' ? 'signed' : 'acme'}`,
          proof:
            proof === 'hmac'
              ? { type: 'hmac', header: 'x-signature', secret: SIGNING_SECRET }
              : { type: 'header', header: 'x-relay-key', secret: KEY },
        }),
        setDelivering: async (isDelivering) => {
          await admin(`destinations/acme-aep/${isDelivering ? 'resume' : 'pause'}`, 'POST');
        },
        ledger: async () => (await admin('ledger')) as Ledger,
        stop: (signal) => stopChild(child, signal),
      };
    },
  };
}
