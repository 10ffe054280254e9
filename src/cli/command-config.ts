import { Option } from 'commander';
import type { Environment, LoadedConfig } from '../config/load-config.ts';

/** `--config FILE`; defaults to RELAY_CONFIG, then to relay.yaml in the working directory. */
export function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration file').env('RELAY_CONFIG').default('relay.yaml');
}

/**
 * `--config FILE` of a command that also works without a configuration; it ignores RELAY_CONFIG.
 */
export function optionalConfigOption(purpose: string): Option {
  return new Option('-c, --config <file>', purpose);
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
