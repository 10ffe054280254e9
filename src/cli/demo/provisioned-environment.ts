import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { editConfig } from '../../config/edit-config.ts';
import { createRelay } from '../../relay.ts';
import { freePort } from '../../simulator/free-port.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { createLogger } from '../../telemetry/log.ts';
import { type AdminClient, createAdminClient } from '../admin-client.ts';
import { loadCommandConfig } from '../command-config.ts';
import { type CommandPlace, showCommand } from './demo-commands.ts';
import { print } from './demo-outcomes.ts';

/** Instead of Adobe's five minutes: data of a younger dataflow is dropped. */
const WARM_UP_MS = 2_000;
/** How long a record takes to the data lake. */
const VALIDATION_DELAY_MS = 500;
/** Share of webhooks that the simulated Capillary sends twice. */
const DUPLICATES = 0.2;
/** Its repeats come faster than the real ones. */
const RETRY_SCALE = 0.2;

const SECRETS = {
  IMS_CLIENT_SECRET: 'demo-client-secret',
  CAPILLARY_API_KEY: 'demo-api-key',
  CAPILLARY_API_SECRET: 'demo-api-secret',
};

/** Both platforms, empty at first, and a relay that was set up by its own commands. */
export interface ProvisionedEnvironment {
  readonly simulator: Simulator;
  readonly admin: AdminClient;
  readonly webhookUrl: string;
  /** The authentication header of a webhook. */
  readonly headers: Readonly<Record<string, string>>;
  /** Stops everything and removes the folder. */
  close(): Promise<void>;
}

/** What a trial on one machine needs and a configuration for production does not. */
const TRIAL_EDITS = [
  { path: ['store', 'minFree'], value: '1MiB' },
  { path: ['destinations', 0, 'retry'], value: { minDelay: '200ms', maxDelay: '2s' } },
  { path: ['log'], value: { level: 'silent' } },
];

async function setUpAdobe(place: CommandPlace, simulator: Simulator, url: string, signal: AbortSignal) {
  await showCommand(
    place,
    `init --name demo --simulator ${simulator.url} --url ${url} --timezone Asia/Kolkata --country IN --secrets secrets`.split(
      ' ',
    ),
    signal,
  );
  const settle = `${WARM_UP_MS / 1_000}s`;
  await showCommand(place, ['provision', 'apply', '--write', '--settle', settle], signal);
}

async function startRelay(file: string, env: CommandPlace['env']) {
  await writeFile(file, editConfig(await readFile(file, 'utf8'), TRIAL_EDITS, file));
  const loaded = await loadCommandConfig(file, env);
  const relay = await createRelay({ loaded, log: createLogger(loaded.config.log) });
  return { loaded, relay, ...(await relay.start()) };
}

/**
 * Begins from nothing: writes a configuration, makes what is needed in the simulated AEP, starts
 * the relay, and creates the webhook at the simulated Capillary.
 * @throws CommandError if a command fails
 */
export async function setUpFromNothing(signal: AbortSignal): Promise<ProvisionedEnvironment> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'capillary-relay-demo-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const simulator = await startSimulator({
      empty: true,
      warmUpMs: WARM_UP_MS,
      validationDelayMs: VALIDATION_DELAY_MS,
      capillary: { duplicates: DUPLICATES, retryScale: RETRY_SCALE },
    });
    closers.push(() => simulator.close());
    const port = await freePort();
    const place = { folder, env: { ...SECRETS, RELAY_HOST: '127.0.0.1', RELAY_PORT: String(port) } };
    await setUpAdobe(place, simulator, `http://127.0.0.1:${port}`, signal);
    const env = { ...place.env, RELAY_ADMIN_PORT: '0', RELAY_DATA: join(folder, 'data') };
    print('$ capillary-relay serve');
    const { loaded, relay, intakeUrl, adminUrl } = await startRelay(join(folder, 'relay.yaml'), env);
    closers.push(() => relay.stop());
    print('  the relay is ready\n');
    await showCommand(place, ['register', 'apply'], signal);
    const { admin, sources } = loaded.config;
    const header = sources[0]?.webhook?.header;
    return {
      simulator,
      admin: createAdminClient({ url: adminUrl, token: admin.token }),
      webhookUrl: `${intakeUrl}/webhooks/demo`,
      headers: header === undefined ? {} : { [header.name]: header.value },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
