import { dirname, resolve } from 'node:path';
import type { Config } from './config-schema.ts';
import type { Environment, LoadedConfig } from './load-config.ts';
import { interpolate, secretFileReader } from './placeholders.ts';
import { parseYaml } from './yaml-tree.ts';
import { isSameDatabase, parseStoreUrl } from './store-url.ts';

function storeUrlIn({ path, text }: Pick<LoadedConfig, 'path' | 'text'>, env: Environment): unknown {
  const tree = parseYaml(text, path).value;
  const { readFile } = secretFileReader(dirname(resolve(path)));
  const template = (tree as { readonly store?: { readonly url?: unknown } } | null)?.store?.url;
  const { value, findings } = interpolate({ store: { url: template } }, { env, readFile });
  return findings.length > 0 ? undefined : (value as Config).store.url;
}

/**
 * A URL of a database given on a command line: a placeholder keeps the password out of the list of
 * processes and the history of the shell.
 * @returns undefined if a placeholder cannot be replaced, or it is no such URL
 */
export function resolveStoreUrl(text: string, env: Environment = process.env): string | undefined {
  const { readFile } = secretFileReader(process.cwd());
  const { value, findings } = interpolate(text, { env, readFile });
  return findings.length === 0 && typeof value === 'string' && parseStoreUrl(value) !== undefined
    ? value
    : undefined;
}

/**
 * `store.url` with the present content of its files, for the next connection: a rotated password
 * must be known while there is none, when a reload of the rest may fail. While the files cannot be
 * used, or name another database, what was read last.
 * @param loaded the file in use
 * @param url as it was read last
 */
export function currentStoreUrl(
  loaded: Pick<LoadedConfig, 'path' | 'text'>,
  url = '',
  env: Environment = process.env,
): string {
  const now = storeUrlIn(loaded, env);
  return typeof now === 'string' && isSameDatabase(now, url) ? now : url;
}
