import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Environment, type LoadedConfig, readConfig } from './load-config.ts';
import type { Config } from './config-schema.ts';
import { currentStamp, type FileStamps } from './placeholders.ts';

export interface WatchOptions {
  /** Time between two checks of the files; 2000 by default. */
  readonly intervalMs?: number;
  /** Stops watching. */
  readonly signal: AbortSignal;
  /**
   * Called after a file has changed and the configuration with it. If it throws, `onError` is
   * called and the change is retried.
   */
  readonly onChange: (config: Config) => void;
  /**
   * Called after a file has changed if the configuration is now invalid: the previous one stays in
   * use. Not called again for the same error.
   */
  readonly onError: (error: unknown) => void;
  /** `process.env` by default. */
  readonly env?: Environment;
}

async function hasChanged(stamps: FileStamps): Promise<boolean> {
  for (const [file, stamp] of stamps) if ((await currentStamp(file)) !== stamp) return true;
  return false;
}

async function* ticks(intervalMs: number, signal: AbortSignal): AsyncGenerator<void> {
  while (!signal.aborted) {
    try {
      await delay(intervalMs, undefined, { signal });
    } catch {
      return;
    }
    yield;
  }
}

/**
 * Checks the files of `${file:…}` until aborted. After one has changed, the configuration is read
 * again; if that fails, it is retried at every check. The YAML itself is not read again: an edit
 * takes effect as a whole, with a restart. Files are polled, because the symbolic links of a
 * mounted secret change above the file, where a file watcher would not notice. Resolves when the
 * watch has stopped.
 */
export async function watchSecrets(loaded: LoadedConfig, options: WatchOptions): Promise<void> {
  const { intervalMs = 2_000, signal, onChange, onError, env = process.env } = options;
  let current = loaded;
  let lastError: string | undefined;

  const reload = (): void => {
    try {
      const next = readConfig(loaded.text, loaded.path, env, loaded.checks);
      if (!isDeepStrictEqual(next.config, current.config)) onChange(next.config);
      current = next;
      lastError = undefined;
    } catch (error) {
      if (String(error) !== lastError) onError(error);
      lastError = String(error);
    }
  };

  if (loaded.files.length === 0) return;
  for await (const _ of ticks(intervalMs, signal)) {
    // A failure does not update the stamps, so the files count as changed until they are valid.
    if (!(await hasChanged(current.stamps))) lastError = undefined;
    else if (!signal.aborted) reload();
  }
}
