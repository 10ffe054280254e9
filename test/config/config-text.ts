import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { ConfigError, type ConfigProblem, type Path } from '../../src/config/config-error.ts';
import { type Environment, readConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';

/** A file of the folder fixtures. */
export const fixture = (name: string): string =>
  readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');

type Block = Record<string | number, unknown>;

/** The smallest configuration with values put in; `undefined` takes a key out. */
export const smallestWith = (...changes: readonly (readonly [path: Path, value: unknown])[]): string => {
  const tree = parse(fixture('smallest.yaml')) as Block;
  for (const [path, value] of changes) {
    let block = tree;
    for (const step of path.slice(0, -1)) block = (block[step] ??= {}) as Block;
    const last = path.at(-1)!;
    if (value === undefined) delete block[last];
    else block[last] = value;
  }
  return stringify(tree, { aliasDuplicateObjects: false });
};

export const configOf = (text: string, env: Environment = {}): Config =>
  readConfig(text, '/etc/relay/relay.yaml', env).config;

/** The error that the text is refused with. */
export const errorOf = (text: string, env: Environment = {}): ConfigError => {
  try {
    configOf(text, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was not refused');
};

export const problemsOf = (text: string, env: Environment = {}): readonly ConfigProblem[] =>
  errorOf(text, env).problems;
