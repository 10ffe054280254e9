import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { contractFetch } from './contract-watch.ts';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export const ADMIN_TOKEN = 'admin-token-of-the-tests';
export const KEY = 'key-of-the-tests';

export interface RelayTargets {
  readonly imsUrl: string;
  readonly inletUrl: string;
}

/** A configuration of one source and one destination; `change` edits the plain object before it is written. */
export const relayConfig = (targets: RelayTargets) => ({
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
});

export type RelayConfig = ReturnType<typeof relayConfig>;

export interface RelayProcess {
  readonly intakeUrl: string;
  readonly adminUrl: string;
  readonly pid: number;
  /** Resolves with the exit code, or null after a kill, however it ends. */
  readonly exited: Promise<number | null>;
  /** Log lines so far. */
  readonly log: readonly Record<string, unknown>[];
  /** Standard error so far. */
  stderr(): string;
  post(body: string | object, headers?: Record<string, string>): Promise<Response>;
  /** Admin API with the token; parsed JSON. */
  admin(path: string, init?: Omit<RequestInit, 'headers'>): Promise<{ status: number; body: any }>;
  /** Sends the signal and resolves with the exit code, or null after a kill. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export interface StartOptions {
  /** Added to the environment of the process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told of the process as soon as there is one, so that it can be ended before it is ready. */
  readonly spawned?: (child: ChildProcess) => void;
  /** Log lines that are kept; all by default. */
  readonly keeps?: (line: Record<string, unknown>) => boolean;
}

/** Relays of this process. A test that runs into its time limit does not get to end its own. */
const everyone = new Set<ChildProcess>();
process.once('exit', () => everyone.forEach((child) => child.kill('SIGKILL')));

/** A folder for one relay's data and configuration; `start` may be called again after `end`, as a restart. */
export const relayFolder = (config: RelayConfig) => {
  const folder = mkdtempSync(join(tmpdir(), 'relay-test-'));
  const file = join(folder, 'relay.yaml');
  config.store.path = join(folder, 'data');
  const running = new Set<ChildProcess>();
  return {
    folder,
    file,
    start: async (options: StartOptions = {}): Promise<RelayProcess> => {
      writeFileSync(file, stringify(config));
      return startRelay(file, running, options);
    },
    /** Kills what still runs and removes the folder. */
    remove: async (): Promise<void> => {
      await Promise.all([...running].map((child) => exitOf(child, () => child.kill('SIGKILL'))));
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

const exitOf = (child: ChildProcess, end: () => void): Promise<number | null> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    else {
      child.once('exit', (code) => resolve(code));
      end();
    }
  });

const startRelay = async (
  file: string,
  running: Set<ChildProcess>,
  { env = {}, spawned = () => undefined, keeps = () => true }: StartOptions,
): Promise<RelayProcess> => {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', MAIN, 'serve', '--config', file],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    },
  );
  running.add(child);
  everyone.add(child);
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  spawned(child);
  const log: Record<string, unknown>[] = [];
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const { intakeUrl, adminUrl } = await new Promise<{ intakeUrl: string; adminUrl: string }>(
    (resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = JSON.parse(text) as Record<string, any>;
        if (keeps(line)) log.push(line);
        if (line['msg'] === 'ready') resolve({ intakeUrl: line['intakeUrl'], adminUrl: line['adminUrl'] });
      });
      child.once('exit', (code) => {
        running.delete(child);
        everyone.delete(child);
        reject(new Error(`the relay ended with ${code}: ${errors} ${JSON.stringify(log.slice(-3))}`));
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
    end: (signal) => exitOf(child, () => child.kill(signal)),
  };
};
