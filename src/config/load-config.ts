import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError, type ConfigProblem, type Finding, formatPath } from './config-error.ts';
import { type Config, configSchema } from './config-schema.ts';
import { crossFindings } from './cross-checks.ts';
import type { SourceCheck } from './draft.ts';
import { type FileStamps, type Interpolated, interpolate, secretFileReader } from './placeholders.ts';
import { explainIndentation } from './indentation.ts';
import { fillOtherSecrets, fillProvisioned, type MissingKeys, type OtherSide } from './stand-ins.ts';
import { readProxyVariables } from './proxy-variables.ts';
import { plainMessage, schemaFindings } from './schema-findings.ts';
import { variableFindings } from './variable-checks.ts';
import { parseYaml, type YamlTree } from './yaml-tree.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** What is valid, but probably a mistake. */
  readonly warnings: readonly ConfigProblem[];
  /** The YAML file, as given. */
  readonly path: string;
  /** The content of the file. */
  readonly text: string;
  /** Absolute paths of the files in `${file:…}`. */
  readonly files: readonly string[];
  /** The state of these files when they were read. */
  readonly stamps: FileStamps;
  /** The checks that the configuration has passed; a reload must pass them too. */
  readonly checks: readonly SourceCheck[];
}

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

const FIND_FIX = 'set the path with --config FILE or RELAY_CONFIG';

/** Fixes by the error code of the system. */
const READ_FIXES: Readonly<Record<string, string>> = {
  EACCES: 'run the command as a user who may read the file, such as a member of its group',
  EISDIR: `this is a folder: add the name of the file; ${FIND_FIX}`,
};

/** @param code of the system, such as ENOENT */
export function unreadable(path: string, code: string): ConfigError {
  const fix = READ_FIXES[code] ?? FIND_FIX;
  return new ConfigError(path, [{ path: '', message: `cannot be read (${code})`, fix }]);
}

/** A configuration with thousands of sources is smaller. */
const MAX_FILE_BYTES = 4_194_304;

/**
 * @param isReload refuses what is not a file: a pipe can be read only once, and one that nobody
 *   writes to would stop the running relay
 * @throws ConfigError if the file cannot be read
 */
export function readText(path: string, isReload = false): string {
  const refuse = (message: string, fix: string): never => {
    throw new ConfigError(path, [{ path: '', message, fix }]);
  };
  try {
    const stats = statSync(path);
    if (isReload && !stats.isFile())
      refuse('is not a file, so it cannot be read again', 'restart the relay with a file');
    if (stats.size > MAX_FILE_BYTES)
      refuse('is larger than 4 MiB', 'check that this is the path of the configuration');
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw unreadable(path, code);
  }
}

function isBelow(path: string, top: string): boolean {
  return path === top || path.startsWith(`${top}.`) || path.startsWith(`${top}[`);
}

/** A problem with its line in the file. */
export function problemAt({ path, message, fix }: Finding, tree: YamlTree): ConfigProblem {
  return { path: formatPath(path), message, fix, ...tree.position(path) };
}

function byPosition(a: ConfigProblem, b: ConfigProblem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/**
 * A value with an unresolved placeholder is already reported, so other problems of it or of
 * the list that contains it are noise.
 */
function isNoise(path: string, unresolved: readonly string[]): boolean {
  return unresolved.some((top) => isBelow(path, top) || top.startsWith(`${path}[`));
}

/** Completes a tree whose placeholders are replaced, before it is checked. */
type Complete = (filled: Interpolated) => Interpolated;

/** @throws ConfigError with all problems, each for itself */
function evaluate(
  text: string,
  path: string,
  env: Environment,
  checks: readonly SourceCheck[],
  complete: Complete,
): LoadedConfig {
  const tree = parseYaml(text, path);
  if (tree.value === null || tree.value === undefined)
    throw new ConfigError(path, [
      { path: '', message: 'is empty', fix: 'start with a copy of examples/relay.yaml' },
    ]);
  const { stamps, unreadable: failed, readFile } = secretFileReader(dirname(resolve(path)));
  const filled = complete(interpolate(tree.value, { env, readFile }));
  const parsed = configSchema.safeParse(filled.value, { error: plainMessage });
  const unresolved = filled.findings.map((finding) => formatPath(finding.path));
  const findings = [
    ...(parsed.success ? [] : schemaFindings(parsed.error.issues, filled)),
    ...crossFindings(filled.value, checks),
  ].filter((finding) => !isNoise(formatPath(finding.path), unresolved));
  const all = [
    ...filled.findings,
    ...variableFindings(tree.value, env),
    // Proxies of the environment are used only without one in the file.
    ...(parsed.data?.egress.proxy === undefined ? readProxyVariables(env).findings : []),
    ...findings,
  ];
  const listed = (isWarning: boolean): ConfigProblem[] =>
    all
      .filter(({ severity }) => (severity === 'warning') === isWarning)
      .map((finding) => problemAt(finding, tree))
      .toSorted(byPosition);
  const problems = listed(false);
  if (!parsed.success || problems.length > 0) throw new ConfigError(path, problems, [...failed]);
  return {
    config: parsed.data,
    warnings: listed(true),
    path,
    text,
    files: [...stamps.keys()],
    stamps,
    checks,
  };
}

/**
 * `loadConfig` for a text that has already been read. It resolves placeholders again, so a changed
 * secret is noticed and an edited file is not. `path` is only used in messages and to resolve
 * relative paths.
 * @param complete for a configuration that a command is about to complete
 */
export function readConfig(
  text: string,
  path: string,
  env: Environment,
  checks: readonly SourceCheck[],
  complete: Complete = (filled) => filled,
): LoadedConfig {
  try {
    return evaluate(text, path, env, checks, complete);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const judge = (changed: string): readonly ConfigProblem[] => {
      try {
        evaluate(changed, path, env, checks, complete);
        return [];
      } catch (failure) {
        if (failure instanceof ConfigError) return failure.problems;
        throw failure;
      }
    };
    const problems = explainIndentation(text, error.problems, judge);
    throw problems === error.problems ? error : new ConfigError(path, problems, error.unreadable);
  }
}

/**
 * Loads the configuration: YAML, then placeholders (from `env` and files), then the schema, then
 * the checks between keys and `checks`.
 * @throws ConfigError with all problems; no message contains a secret
 */
export function loadConfig(path: string, env: Environment, checks: readonly SourceCheck[]): LoadedConfig {
  return readConfig(readText(path), path, env, checks);
}

/** `loadConfig` for a relay that runs. */
export function reloadConfig({ path, checks }: LoadedConfig, env: Environment): LoadedConfig {
  return readConfig(readText(path, true), path, env, checks);
}

/**
 * `loadConfig` for a file in which keys that `provision` fills in may be missing.
 * @param otherSide whose secrets may be missing too
 * @returns also which are
 * @throws ConfigError with all other problems
 */
export function loadUnprovisioned(
  path: string,
  env: Environment,
  checks: readonly SourceCheck[],
  otherSide?: OtherSide,
): { readonly loaded: LoadedConfig; readonly missing: MissingKeys } {
  let missing: MissingKeys = new Map();
  const loaded = readConfig(readText(path), path, env, checks, (filled) => {
    const completed = fillProvisioned(otherSide === undefined ? filled : fillOtherSecrets(filled, otherSide));
    ({ missing } = completed);
    return completed.filled;
  });
  return { loaded, missing };
}
