import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { SOURCE_CHECKS } from '../../src/cli/source-checks.ts';
import { ConfigError, type ConfigProblem, type Path } from '../../src/config/config-error.ts';
import { type Environment, readConfig } from '../../src/config/load-config.ts';
import type { Config } from '../../src/config/config-schema.ts';

/** The text of a file in the folder fixtures. */
export function fixture(name: string): string {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
}

type Block = Record<string | number, unknown>;

/** The smallest configuration with changed values; `undefined` removes a key. */
export function smallestWith(...changes: readonly (readonly [path: Path, value: unknown])[]): string {
  const tree = parse(fixture('smallest.yaml')) as Block;
  for (const [path, value] of changes) {
    let block = tree;
    for (const step of path.slice(0, -1)) block = (block[step] ??= {}) as Block;
    const last = path.at(-1)!;
    if (value === undefined) delete block[last];
    else block[last] = value;
  }
  return stringify(tree, { aliasDuplicateObjects: false });
}

export function configOf(text: string, env: Environment = {}): Config {
  return readConfig(text, '/etc/relay/relay.yaml', env, SOURCE_CHECKS).config;
}

/** The error that refuses the text. */
export function errorOf(text: string, env: Environment = {}): ConfigError {
  try {
    configOf(text, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was not refused');
}

export function problemsOf(text: string, env: Environment = {}): readonly ConfigProblem[] {
  return errorOf(text, env).problems;
}
