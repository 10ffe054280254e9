import { isDeepStrictEqual } from 'node:util';
import { type ConfigChange, diffConfigs } from './config-diff.ts';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import type { Config } from './config-schema.ts';
import { currentStoreUrl } from './current-store-url.ts';
import { isLoopback } from './address-checks.ts';
import { type Environment, type LoadedConfig, readConfig, reloadConfig } from './load-config.ts';
import { currentStamp } from './placeholders.ts';
import { keepRestartKeys } from './reload-classes.ts';

/** What a reload did. */
export interface ReloadResult {
  readonly outcome: 'applied' | 'unchanged';
  /** The YAML file that was read. */
  readonly file: string;
  /** What is in use now and was not before. */
  readonly changed: readonly ConfigChange[];
  /** Keys that differ from the running configuration until the relay is restarted. */
  readonly needsRestart: readonly string[];
  /** What is valid in the file, but probably a mistake. */
  readonly warnings: readonly ConfigProblem[];
}

/** Why the configuration was read again: an operator asked for it, or a secret file changed. */
export type ReloadCause = 'reload' | 'secrets';

/** A configuration that is ready for use. */
export interface PreparedConfig {
  /** Puts it into use within one turn of the event loop; must not throw. */
  readonly commit: () => void;
  /** What the operator should know about it. */
  readonly warnings: readonly ConfigProblem[];
}

export interface RunningConfigParts {
  readonly loaded: LoadedConfig;
  /** `process.env` by default. */
  readonly env?: Environment;
  /** Prepares everything that can fail or takes time. */
  readonly prepare: (next: Config) => Promise<PreparedConfig>;
  readonly onReload: (result: ReloadResult, cause: ReloadCause) => void;
  /** The previous configuration stays in use. For secrets not called again for the same error. */
  readonly onRefused: (error: unknown, cause: ReloadCause) => void;
  /**
   * Called with the number of files in `${file:…}` that cannot be read, are empty, or make the
   * configuration invalid now.
   */
  readonly onUnusableSecrets: (files: number) => void;
}

/** The configuration in use, and the only place that replaces it. */
export interface RunningConfig {
  readonly current: Config;
  /** `store.url` for the next connection, with the present content of its files. */
  storeUrl(): string;
  /**
   * Reads the file and the secrets again and applies all that needs no restart, or nothing.
   * @throws ConfigError if the new configuration cannot be used, or what `prepare` threw
   */
  reload(): Promise<ReloadResult>;
  /** Applies changed secret files. An edited YAML file takes no effect by this. Never throws. */
  refreshSecrets(): Promise<void>;
  /** From now on nothing is applied: the relay is stopping. */
  close(): void;
}

/** A section of the configuration whose keys are read when they are used. */
export function liveSection<S extends 'server' | 'store'>(
  config: Pick<RunningConfig, 'current'>,
  section: S,
): Config[S] {
  const view = {};
  for (const key of Object.keys(config.current[section]))
    Object.defineProperty(view, key, {
      enumerable: true,
      get: () => config.current[section][key as keyof Config[S]],
    });
  return view as Config[S];
}

/**
 * The one check between a key that is reloaded and one that is not: the token must not be removed
 * while the running relay listens where others can reach it.
 */
function assertAdminIsClosed({ admin }: Config, file: string): void {
  if (admin.token !== undefined || isLoopback(admin.host)) return;
  const message = `is missing or empty, but the running relay listens on ${admin.host} until it is restarted`;
  throw new ConfigError(file, [
    { path: 'admin.token', message, fix: 'restart the relay to use the new admin.host without a token' },
  ]);
}

/** Changes are applied one after the other: a reload and a changed secret never interleave. */
export function createRunningConfig(parts: RunningConfigParts): RunningConfig {
  const { env = process.env, prepare, onReload, onRefused, onUnusableSecrets } = parts;
  let { loaded } = parts;
  let current = loaded.config;
  let lastError: string | undefined;
  let isClosed = false;
  let queue: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  };

  const assertOpen = (): void => {
    if (!isClosed) return;
    const problem = {
      path: '',
      message: 'the relay is shutting down',
      fix: 'restart it: it reads the file',
    };
    throw new ConfigError(loaded.path, [problem]);
  };

  const apply = async (next: LoadedConfig): Promise<ReloadResult> => {
    const merged = keepRestartKeys(current, next.config);
    assertAdminIsClosed(merged, next.path);
    const changed = diffConfigs(current, merged);
    const needsRestart = diffConfigs(merged, next.config).map(({ path }) => path);
    const { commit, warnings } = await prepare(merged);
    assertOpen();
    commit();
    loaded = next;
    current = merged;
    lastError = undefined;
    onUnusableSecrets(0);
    const outcome = changed.length === 0 ? 'unchanged' : 'applied';
    return { outcome, file: next.path, changed, needsRestart, warnings: [...next.warnings, ...warnings] };
  };

  const reload = async (): Promise<ReloadResult> => {
    try {
      assertOpen();
      const result = await apply(reloadConfig(loaded, env));
      onReload(result, 'reload');
      return result;
    } catch (error) {
      onRefused(error, 'reload');
      throw error;
    }
  };

  const changedFiles = async (): Promise<readonly string[]> => {
    const changed: string[] = [];
    for (const [file, stamp] of loaded.stamps) if ((await currentStamp(file)) !== stamp) changed.push(file);
    return changed;
  };

  const readSecrets = async (changed: readonly string[]): Promise<void> => {
    try {
      const next = readConfig(loaded.text, loaded.path, env, loaded.checks);
      if (isDeepStrictEqual(next.config, loaded.config)) {
        loaded = next;
        lastError = undefined;
        onUnusableSecrets(0);
      } else onReload(await apply(next), 'secrets');
    } catch (error) {
      const unreadable = error instanceof ConfigError ? error.unreadable.length : 0;
      if (error instanceof ConfigError) onUnusableSecrets(unreadable > 0 ? unreadable : changed.length);
      if (String(error) !== lastError) onRefused(error, 'secrets');
      lastError = String(error);
    }
  };

  const refreshSecrets = async (): Promise<void> => {
    if (isClosed) return;
    // A failure does not update the stamps, so the files count as changed until they are valid.
    const changed = await changedFiles();
    if (changed.length > 0) return readSecrets(changed);
    lastError = undefined;
    onUnusableSecrets(0);
  };

  return {
    get current() {
      return current;
    },
    storeUrl: () => currentStoreUrl(loaded, current.store.url, env),
    reload: () => inTurn(reload),
    refreshSecrets: () => inTurn(refreshSecrets),
    close() {
      isClosed = true;
    },
  };
}
