import type { Logger } from 'pino';
import { ConfigError, type ConfigProblem } from '../config/config-error.ts';
import type { Config } from '../config/config-schema.ts';
import type { RunningConfigParts } from '../config/running-config.ts';
import type { MisplacedEvents } from '../delivery/misplaced-events.ts';
import type { Ledger } from '../journal/journal.ts';
import { CONFIG_RELOAD_OUTCOMES } from './metric-labels.ts';
import type { Metrics } from './metrics.ts';

/** Changes per line: more is a new configuration, whose summary `check` prints. */
const MAX_CHANGES_PER_LINE = 50;

function limited(name: string, items: readonly unknown[]): Record<string, unknown> {
  const more = items.length - MAX_CHANGES_PER_LINE;
  return {
    [name]: items.slice(0, MAX_CHANGES_PER_LINE),
    ...(more > 0 ? { [`${name}NotListed`]: more } : {}),
  };
}

type ConfigReports = Pick<RunningConfigParts, 'onReload' | 'onRefused' | 'onUnusableSecrets'>;

/** Log lines and metrics of a configuration that is read again. No line has a secret. */
export function createConfigReports(log: Logger, metrics: Metrics, now: () => number): ConfigReports {
  for (const outcome of CONFIG_RELOAD_OUTCOMES) metrics.configReloads.inc({ outcome }, 0);
  metrics.configRead.set(now() / 1_000);
  metrics.secretFilesUnusable.set(0);
  let unusableFiles = 0;
  return {
    onReload({ outcome, changed, needsRestart, warnings }, cause) {
      if (cause === 'reload') {
        metrics.configReloads.inc({ outcome });
        metrics.configRead.set(now() / 1_000);
        for (const warning of warnings) log.warn(warning, 'the configuration is probably wrong');
      }
      if (cause === 'secrets')
        log.info(
          limited(
            'changed',
            changed.map(({ path }) => path),
          ),
          'secrets reloaded',
        );
      else if (outcome === 'applied') log.info(limited('changed', changed), 'configuration reloaded');
      else log.info('configuration reloaded: nothing has changed that can be reloaded');
      if (needsRestart.length > 0)
        log.warn(
          limited('needsRestart', needsRestart),
          'restart the relay to use the new values of these keys',
        );
    },
    onRefused(error, cause) {
      if (cause === 'secrets') {
        log.error({ err: error }, 'changed secrets are invalid; the old ones stay in use');
        return;
      }
      metrics.configReloads.inc({ outcome: 'refused' });
      const why = error instanceof ConfigError ? limited('problems', error.problems) : { err: error };
      log.error(why, 'configuration not reloaded; the previous one stays in use');
    },
    onUnusableSecrets(files) {
      metrics.secretFilesUnusable.set(files);
      // Restored with the same content, they change nothing that would be logged.
      if (files === 0 && unusableFiles > 0) log.info('secret files can be used again');
      unusableFiles = files;
    },
  };
}

/** Sources that are not configured while events of them are pending. */
export function removedSourceWarnings({ sources }: Config, ledger: Ledger): readonly ConfigProblem[] {
  const names = new Set(sources.map(({ name }) => name));
  return Object.entries(ledger)
    .filter(([name, { pending }]) => !names.has(name) && pending > 0)
    .map(([name, { pending }]) => ({
      path: `sources[${name}]`,
      message: `is not configured, and ${pending} of its events are pending: they wait until it is again`,
      fix: 'configure the source again until nothing of it is pending',
    }));
}

/** Logs which events a changed configuration has left at another destination. */
export async function reportMisplaced(
  checked: Promise<readonly MisplacedEvents[]>,
  log: Logger,
): Promise<void> {
  try {
    for (const events of await checked)
      log.warn(
        events,
        'pending events wait at a destination that their source no longer has; capillary-relay destinations reroute moves them',
      );
  } catch (error) {
    log.error({ err: error }, 'it could not be checked whether events wait at a destination of before');
  }
}
