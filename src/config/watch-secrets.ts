import { setTimeout as delay } from 'node:timers/promises';
import type { RunningConfig } from './running-config.ts';

/** Time between two checks of the files. */
const CHECK_INTERVAL_MS = 2_000;

/**
 * Has the files of `${file:…}` checked until aborted. They are polled, because the symbolic links
 * of a mounted secret change above the file, where a file watcher would not notice. Resolves when
 * the watch has stopped.
 */
export async function watchSecrets(
  config: Pick<RunningConfig, 'refreshSecrets'>,
  signal: AbortSignal,
  intervalMs = CHECK_INTERVAL_MS,
): Promise<void> {
  while (!signal.aborted) {
    await delay(intervalMs, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await config.refreshSecrets();
  }
}
