import { existsSync } from 'node:fs';
import { Option } from 'commander';
import type { Environment, LoadedConfig } from '../config/load-config.ts';
import type { MissingKeys, OtherSide } from '../config/stand-ins.ts';

/** The file that is used if none is named. */
export const DEFAULT_FILE = 'relay.yaml';

// An empty variable counts as absent.
function namedByEnvironment(): string | undefined {
  return process.env['RELAY_CONFIG'] || undefined;
}

/** `--config FILE`; defaults to RELAY_CONFIG, then to relay.yaml in the working directory. */
export function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration file').default(
    namedByEnvironment() ?? DEFAULT_FILE,
    `RELAY_CONFIG, else ${DEFAULT_FILE}`,
  );
}

/**
 * `--config FILE` of a command that also works without a configuration: see `findConfig`. The
 * value is only set when it is given on the command line.
 */
export function findConfigOption(purpose: string): Option {
  return new Option(
    '-c, --config <file>',
    `${purpose} (default: RELAY_CONFIG, else ${DEFAULT_FILE} if it exists)`,
  );
}

/** Whether a person has chosen the configuration, by the option or by RELAY_CONFIG. */
export function isConfigNamed(given: string | undefined): boolean {
  return (given ?? namedByEnvironment()) !== undefined;
}

/** The configuration to use, if there is one: the given one, RELAY_CONFIG, or relay.yaml. */
export function findConfig(given: string | undefined): string | undefined {
  return given ?? namedByEnvironment() ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined);
}

/**
 * Loads the configuration of a command. The loader and the checks are imported on demand, because
 * many commands never need them.
 * @throws ConfigError with every problem of the file
 */
export async function loadCommandConfig(file: string, env: Environment = process.env): Promise<LoadedConfig> {
  const { loadConfig } = await import('../config/load-config.ts');
  const { SOURCE_CHECKS } = await import('./source-checks.ts');
  return loadConfig(file, env, SOURCE_CHECKS);
}

interface ProvisionLoading {
  readonly env?: Environment;
  /** The side that the command does not call: its secrets may be missing. */
  readonly otherSide?: OtherSide;
}

/**
 * Loads the configuration for `provision`: what exists at Adobe only afterwards may be missing, and
 * has a meaningless value then.
 * @throws ConfigError with every other problem of the file
 */
export async function loadForProvision(
  file: string,
  { env = process.env, otherSide }: ProvisionLoading = {},
): Promise<{ readonly loaded: LoadedConfig; readonly missing: MissingKeys }> {
  const { loadUnprovisioned } = await import('../config/load-config.ts');
  const { SOURCE_CHECKS } = await import('./source-checks.ts');
  return loadUnprovisioned(file, env, SOURCE_CHECKS, otherSide);
}
