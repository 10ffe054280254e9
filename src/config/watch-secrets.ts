import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Environment, type LoadedConfig, readConfig } from './load.ts';
import type { Config } from './schema.ts';
import { type Stamps, currentStamp } from './secret-files.ts';

export interface WatchOptions {
  /** Between two looks at the files; 2000 by default. */
  readonly intervalMs?: number;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** A file has changed and gave another configuration. When this throws it counts as an error and is tried again. */
  readonly onChange: (config: Config) => void;
  /** A file has changed and the configuration cannot be used: the one before stays. Told once for the same error. */
  readonly onError: (error: unknown) => void;
  /** `process.env` by default. */
  readonly env?: Environment;
}

async function hasChanged(stamps: Stamps): Promise<boolean> {
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
 * Looks at the files of `${file:…}` until aborted and fills the configuration anew when one of them changes; while that fails it is
 * tried again at each look. The YAML itself stays as it was at the start: an edit takes effect with a restart, as a whole. Files
 * are looked at and not subscribed to, because the symbolic links of a mounted secret are changed above the file. Resolves
 * when the watch has ended.
 */
export async function watchSecrets(loaded: LoadedConfig, options: WatchOptions): Promise<void> {
  const { intervalMs = 2_000, signal, onChange, onError, env = process.env } = options;
  let current = loaded;
  let lastError: string | undefined;

  const reload = (): void => {
    try {
      const next = readConfig(loaded.text, loaded.path, env);
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
    // After a failure the old stamps stay, so that the files count as changed until they can be used.
    if (!(await hasChanged(current.stamps))) lastError = undefined;
    else if (!signal.aborted) reload();
  }
}
