import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError, type ConfigProblem, type Finding, formatPath } from './config-error.ts';
import { crossFindings } from './cross-checks.ts';
import { interpolate } from './interpolate.ts';
import { plainMessage, schemaFindings } from './schema-findings.ts';
import { type Config, configSchema } from './schema.ts';
import { type Stamps, secretFileReader } from './secret-files.ts';
import { type YamlTree, parseYaml } from './yaml-tree.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** The YAML file, as it was given. */
  readonly path: string;
  /** Its content, as it was read. */
  readonly text: string;
  /** Absolute paths of the files that `${file:…}` named. */
  readonly files: readonly string[];
  /** Each of those files as it was when it was read. */
  readonly stamps: Stamps;
}

/** The environment, as `process.env` is. */
export type Environment = Readonly<Record<string, string | undefined>>;

function refuse(file: string, message: string, cure: string): never {
  throw new ConfigError(file, [{ path: '', message, cure }]);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return refuse(path, `cannot be read (${code})`, 'name the file with --config FILE or RELAY_CONFIG');
  }
}

function isBelow(path: string, top: string): boolean {
  return path === top || path.startsWith(`${top}.`) || path.startsWith(`${top}[`);
}

function located({ path, message, cure }: Finding, tree: YamlTree): ConfigProblem {
  return {
    path: formatPath(path),
    message,
    cure,
    ...tree.position(path),
  };
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** A problem with a value that could not be filled in, or with the list around it, is only noise beside that. */
function isNoise(path: string, unfilled: readonly string[]): boolean {
  return unfilled.some((top) => isBelow(path, top) || top.startsWith(`${path}[`));
}

/**
 * The same as loadConfig for a text that has been read already. Placeholders are filled anew, so that a changed secret is seen and an
 * edited file is not: `path` only names the file in messages and is where relative paths count from.
 */
export function readConfig(text: string, path: string, env: Environment): LoadedConfig {
  const tree = parseYaml(text, path);
  if (tree.value === null || tree.value === undefined)
    return refuse(path, 'is empty', 'start from examples/relay.yaml');
  const { stamps, readFile } = secretFileReader(dirname(resolve(path)));
  const filled = interpolate(tree.value, { env, readFile });
  const parsed = configSchema.safeParse(filled.value, { error: plainMessage });
  const unfilled = filled.findings.map((finding) => formatPath(finding.path));
  const findings = [
    ...(parsed.success ? [] : schemaFindings(parsed.error.issues, filled)),
    ...crossFindings(filled.value),
  ].filter((finding) => !isNoise(formatPath(finding.path), unfilled));
  const problems = [...filled.findings, ...findings]
    .map((finding) => located(finding, tree))
    .toSorted(byPlace);
  if (!parsed.success || problems.length > 0) throw new ConfigError(path, problems);
  return { config: parsed.data, path, text, files: [...stamps.keys()], stamps };
}

/**
 * Reads the configuration: YAML, then placeholders (from `env` and files), then the schema, then the checks between keys.
 * Throws a ConfigError with all problems at once; no message holds a secret.
 */
export function loadConfig(path: string, env: Environment): LoadedConfig {
  return readConfig(readText(path), path, env);
}
