import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { VerifierConfig } from '../config/config-schema.ts';
import { createLogger } from '../telemetry/log.ts';
import { createRelay } from '../relay.ts';
import { startSimulator, type Simulator } from '../simulator/simulator.ts';
import { type AdminClient, createAdminClient } from './admin-client.ts';
import { loadCommandConfig } from './command-config.ts';

const ORG_ID = 100_737;
const IMS_ORG_ID = '000000000000000000000000@AdobeOrg';
const ADMIN_TOKEN = 'demo';
const VERIFIER = {
  type: 'hmac',
  header: 'X-Signature',
  secrets: ['demo-secret'],
  prefix: 'sha256=',
} as const;

/** Simulator and relay on free loopback ports, connected to each other, with a temporary folder. */
export interface DemoEnvironment {
  readonly simulator: Simulator;
  readonly admin: AdminClient;
  readonly webhookUrl: string;
  readonly verifier: VerifierConfig;
  readonly orgId: number;
  /** Stops both and removes the folder. */
  close(): Promise<void>;
}

function dataflow(type: string) {
  return {
    schemaId: `https://ns.adobe.com/demo/schemas/${type}`,
    datasetId: `demo-${type}`,
    flowId: `demo-${type}-flow`,
  };
}

function configText(simulator: Simulator, folder: string): string {
  return stringify({
    server: { host: '127.0.0.1', port: 0 },
    admin: { host: '127.0.0.1', port: 0, token: ADMIN_TOKEN },
    store: { path: join(folder, 'data'), minFree: '1MiB' },
    sources: [
      {
        name: 'demo',
        destination: 'demo-aep',
        orgIds: [ORG_ID],
        timezone: 'Asia/Kolkata',
        country: 'IN',
        verify: [VERIFIER],
      },
    ],
    destinations: [
      {
        name: 'demo-aep',
        imsOrgId: IMS_ORG_ID,
        sandbox: 'demo',
        inletUrl: simulator.inletUrl(),
        ims: { url: simulator.imsUrl, clientId: 'demo-client', clientSecrets: ['demo-client-secret'] },
        events: dataflow('events'),
        profile: dataflow('profile'),
        tenant: '_demo',
        retry: { minDelay: '200ms', maxDelay: '2s' },
      },
    ],
    log: { level: 'silent' },
  });
}

export async function startDemoEnvironment(): Promise<DemoEnvironment> {
  const folder = await mkdtemp(join(tmpdir(), 'capillary-relay-demo-'));
  const simulator = await startSimulator();
  const file = join(folder, 'relay.yaml');
  await writeFile(file, configText(simulator, folder));
  const loaded = await loadCommandConfig(file, {});
  const relay = await createRelay({ loaded, log: createLogger(loaded.config.log) });
  const { intakeUrl, adminUrl } = await relay.start();
  const [source] = loaded.config.sources;
  const [verifier] = source?.verify ?? [];
  if (verifier === undefined) throw new Error('the demo needs a source with a verifier');
  return {
    simulator,
    admin: createAdminClient({ url: adminUrl, token: ADMIN_TOKEN }),
    webhookUrl: `${intakeUrl}/webhooks/demo`,
    verifier,
    orgId: ORG_ID,
    async close() {
      await relay.stop();
      await simulator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
