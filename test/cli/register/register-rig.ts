import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { stringify } from 'yaml';
import { run } from '../../../src/cli/run.ts';
import type { CapillaryOptions } from '../../../src/simulator/capillary/api/capillary-options.ts';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import { KEY, relayConfig } from '../../helpers/relay-process.ts';
import { simulate } from '../../simulator/adobe/adobe-client.ts';

export const ORG = 100_737;
export const SECRET = 'secret-of-the-api-client';

export const CLIENTS = [{ key: 'northKey', secret: SECRET }];

export interface Printed {
  readonly code: number | string | undefined;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs a command in this process, with what it prints. The exit code of the tests stays as it is.
 */
export async function command(...words: readonly string[]): Promise<Printed> {
  const texts = { out: [] as string[], err: [] as string[] };
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((text: string) => void texts.out.push(text)),
    vi.spyOn(console, 'error').mockImplementation((text: string) => void texts.err.push(text)),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => texts.err.push(String(text)) > 0),
  ];
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await run(words);
    return { code: process.exitCode, out: texts.out.join('\n'), err: texts.err.join('\n') };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}

export interface RegisterRig {
  readonly twin: Simulator;
  readonly folder: string;
  readonly config: string;
  /** Runs `register <words> --config …`. */
  readonly register: (...words: readonly string[]) => Promise<Printed>;
  /** The same with --json, parsed. */
  readonly json: (
    ...words: readonly string[]
  ) => Promise<{ readonly code: Printed['code']; readonly sources: Record<string, unknown>[] }>;
  /** Writes the configuration with other keys of the source. */
  readonly configure: (source: Readonly<Record<string, unknown>>) => Promise<void>;
  /** The webhooks at Capillary. */
  readonly webhooks: () => ReturnType<Simulator['capillary']['webhooks']['list']>;
  /** Writes that have reached Capillary since the start. */
  readonly writes: () => number;
}

export const WEBHOOK = {
  name: 'acme-aep-relay',
  url: 'https://relay.example.com/webhooks/acme',
  header: { name: 'X-Relay-Key', value: KEY },
};

/** A simulated Capillary, and a configuration with its API and the webhook of one source. */
export async function registerRig(capillary: CapillaryOptions = {}): Promise<RegisterRig> {
  const twin = await simulate({ capillary: { clients: CLIENTS, ...capillary } });
  const folder = await mkdtemp(join(tmpdir(), 'relay-register-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const config = join(folder, 'relay.yaml');
  const configure: RegisterRig['configure'] = async (source) => {
    const text = relayConfig({ imsUrl: twin.imsUrl, inletUrl: twin.inletUrl() });
    text.store['path'] = join(folder, 'data');
    Object.assign(text.sources[0] ?? {}, {
      orgIds: [ORG],
      api: { url: twin.capillaryUrl, key: 'northKey', secret: SECRET, callsPerMinute: 100_000 },
      webhook: WEBHOOK,
      ...source,
    });
    await writeFile(config, stringify(text));
  };
  await configure({});
  const register: RegisterRig['register'] = (...words) => command('register', ...words, '--config', config);
  return {
    twin,
    folder,
    config,
    register,
    json: async (...words) => {
      const { code, out } = await register(...words, '--json');
      return { code, ...(JSON.parse(out) as { sources: Record<string, unknown>[] }) };
    },
    configure,
    webhooks: () => twin.capillary.webhooks.list(ORG),
    writes: () =>
      [...twin.capillary.calls]
        .filter(([route]) => /^(POST|PUT|DELETE) \/v3\/webHooks/.test(route))
        .reduce((sum, [, outcomes]) => sum + [...outcomes.values()].reduce((a, b) => a + b, 0), 0),
  };
}
