import { findConfig } from '../command-config.ts';
import type { SuggestedValues } from './suggested-values.ts';

/** The names below one key, as far as the file can be read; placeholders are not resolved. */
async function namesBelow(key: 'sources' | 'destinations'): Promise<string[]> {
  const file = findConfig(undefined);
  if (file === undefined) return [];
  const { readText } = await import('../../config/load-config.ts');
  const { parseYaml } = await import('../../config/yaml-tree.ts');
  try {
    const { value } = parseYaml(readText(file), file);
    const entries = (value as Readonly<Record<string, unknown>>)[key] as readonly { name: unknown }[];
    return entries.map(({ name }) => name).filter((name) => typeof name === 'string');
  } catch {
    // A key press is no place for problems of the configuration.
    return [];
  }
}

/** Names in the configuration of RELAY_CONFIG or relay.yaml. */
export const CONFIGURED = {
  sources: { load: () => namesBelow('sources') },
  destinations: { load: () => namesBelow('destinations') },
} as const satisfies Record<string, SuggestedValues>;
