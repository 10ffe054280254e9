import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { contractFetch } from './contract-check.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export const ADMIN_TOKEN = 'admin-token-of-the-tests';
export const KEY = 'key-of-the-tests';

export interface RelayTargets {
  readonly imsUrl: string;
  readonly inletUrl: string;
}

/** A configuration with one source and one destination; tests may edit it before it is written. */
export function relayConfig(targets: RelayTargets) {
  return {
    server: { host: '127.0.0.1', port: 0 } as Record<string, unknown>,
    admin: { host: '127.0.0.1', port: 0, token: ADMIN_TOKEN } as Record<string, unknown>,
    store: { path: '', minFree: '1MiB' } as Record<string, unknown>,
    sources: [
      {
        name: 'acme',
        destination: 'acme-aep',
        orgIds: [100458],
        timezone: 'Europe/London',
        country: 'GB',
        verify: [{ type: 'header', name: 'X-Relay-Key', values: [KEY] }],
      } as Record<string, unknown>,
    ],
    destinations: [
      {
        name: 'acme-aep',
        imsOrgId: '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg',
        sandbox: 'prod',
        inletUrl: targets.inletUrl,
        ims: { url: targets.imsUrl, clientId: 'client', clientSecrets: ['secret'] },
        events: {
          schemaId: 'https://ns.adobe.com/acme/schemas/events',
          datasetId: 'events-dataset',
          flowId: 'events-flow',
        },
        profile: {
          schemaId: 'https://ns.adobe.com/acme/schemas/profile',
          datasetId: 'profile-dataset',
          flowId: 'profile-flow',
        },
        tenant: '_acme',
        batch: { maxWait: '20ms' },
        retry: { minDelay: '50ms', maxDelay: '400ms', poisonAttempts: 3 },
      } as Record<string, unknown>,
    ],
  };
}

export type RelayConfig = ReturnType<typeof relayConfig>;

export interface RelayProcess {
  readonly intakeUrl: string;
  readonly adminUrl: string;
  readonly pid: number;
  /** Resolves with the exit code, or null after SIGKILL. */
  readonly exited: Promise<number | null>;
  /** Parsed log lines so far. */
  readonly log: readonly Record<string, unknown>[];
  /** Standard error so far. */
  stderr(): string;
  post(body: string | object, headers?: Record<string, string>): Promise<Response>;
  /** Calls the admin API with the token; `body` is parsed if it is JSON. */
  admin(path: string, init?: Omit<RequestInit, 'headers'>): Promise<{ status: number; body: any }>;
  /** Sends the signal and resolves with the exit code, or null after SIGKILL. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

export interface StartOptions {
  /** Added to the environment of the process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the process as soon as it exists, so that it can be killed before it is ready. */
  readonly onSpawn?: (child: ChildProcess) => void;
  /** Whether to keep a log line; by default all are kept. */
  readonly keepLine?: (line: Record<string, unknown>) => boolean;
}

/** Running relays. A test that exceeds its time limit does not stop its own. */
const allRunning = new Set<ChildProcess>();
process.once('exit', () => allRunning.forEach((child) => child.kill('SIGKILL')));

/**
 * A folder for the data and configuration of a relay. Call `start` again after `stop` to restart
 * it.
 */
export function relayFolder(config: RelayConfig) {
  const folder = mkdtempSync(join(tmpdir(), 'relay-test-'));
  const file = join(folder, 'relay.yaml');
  if (config.store['engine'] !== 'postgres') config.store['path'] = join(folder, 'data');
  const running = new Set<ChildProcess>();
  return {
    folder,
    file,
    start: async (options: StartOptions = {}): Promise<RelayProcess> => {
      writeFileSync(file, stringify(config));
      return startRelay(file, running, options);
    },
    /** Kills the processes that still run and removes the folder. */
    remove: async (): Promise<void> => {
      await Promise.all([...running].map((child) => exitOf(child, () => child.kill('SIGKILL'))));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function exitOf(child: ChildProcess, terminate: () => void): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    else {
      child.once('exit', (code) => resolve(code));
      terminate();
    }
  });
}

async function startRelay(
  file: string,
  running: Set<ChildProcess>,
  { env = {}, onSpawn = () => undefined, keepLine = () => true }: StartOptions,
): Promise<RelayProcess> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', MAIN, 'serve', '--config', file],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    },
  );
  running.add(child);
  allRunning.add(child);
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  onSpawn(child);
  const log: Record<string, unknown>[] = [];
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const { intakeUrl, adminUrl } = await new Promise<{ intakeUrl: string; adminUrl: string }>(
    (resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = JSON.parse(text) as Record<string, any>;
        if (keepLine(line)) log.push(line);
        if (line['msg'] === 'ready') resolve({ intakeUrl: line['intakeUrl'], adminUrl: line['adminUrl'] });
      });
      child.once('exit', (code) => {
        running.delete(child);
        allRunning.delete(child);
        reject(new Error(`the relay exited with ${code}: ${errors} ${JSON.stringify(log.slice(-3))}`));
      });
    },
  );
  return {
    intakeUrl,
    adminUrl,
    pid: child.pid!,
    exited,
    log,
    stderr: () => errors,
    post: (body, headers = {}) =>
      contractFetch(`${intakeUrl}/webhooks/acme`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-relay-key': KEY, ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    admin: async (path, init = {}) => {
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
      const answer = await contractFetch(`${adminUrl}${path}`, { ...init, headers });
      const text = await answer.text();
      return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text };
    },
    stop: (signal) => exitOf(child, () => child.kill(signal)),
  };
}
