import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { stringify } from 'yaml';
import { DEFAULT_INLET_ID, type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { type RelayConfig, relayConfig } from '../helpers/relay-process.ts';
import { run } from './command-line.ts';

export interface Found {
  readonly check: string;
  readonly level: string;
  readonly detail: string;
  readonly fix?: string;
}

export interface DoctorRig {
  readonly folder: string;
  readonly simulator: Simulator;
  /** Writes a configuration that passes on a good machine, with a change. @returns its file */
  write(change?: (config: RelayConfig) => void): Promise<string>;
  close(): Promise<void>;
}

/** The only destination of a configuration. */
export function destinationOf(config: RelayConfig): Record<string, unknown> {
  return config.destinations[0]!;
}

/** Starts a simulated Adobe with one credential and one inlet, and creates a folder. */
export async function openDoctorRig(): Promise<DoctorRig> {
  const folder = await mkdtemp(join(tmpdir(), 'relay-doctor-test-'));
  const simulator = await startSimulator({
    credentials: [{ clientId: 'client', secrets: ['secret'] }],
    inlets: [{ id: DEFAULT_INLET_ID }],
  });
  let files = 0;
  return {
    folder,
    simulator,
    write: async (change = () => undefined) => {
      const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
      config.store['path'] = join(folder, 'data');
      config.store['maxBytes'] = '64MiB';
      change(config);
      files += 1;
      const file = join(folder, `relay-${files}.yaml`);
      await writeFile(file, stringify(config));
      return file;
    },
    close: async () => {
      await simulator.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Runs doctor. @returns exit code and findings by check; of several with one name the last */
export async function doctor(file: string, ...words: string[]) {
  const ended = await run(['doctor', '--config', file, '--json', ...words]);
  expect(ended.stderr).toBe('');
  const { ok, findings } = JSON.parse(ended.stdout) as { ok: boolean; findings: Found[] };
  const found = Object.fromEntries(findings.map((finding) => [finding.check, finding]));
  for (const { level, fix } of findings) expect(fix === undefined).toBe(level === 'ok');
  return { code: ended.code, ok, found, stdout: ended.stdout };
}
