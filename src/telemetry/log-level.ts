import type { Logger } from 'pino';
import type { LogLevelControl } from '../admin/log-level.ts';
import type { LogLevel } from '../config/schema.ts';

/** A line that is written whatever the level is: what the log shows from here on has changed. */
function always(log: Logger, write: () => void): void {
  log.level = 'info';
  write();
}

/**
 * The level of the log, which an operator can change while the relay runs. It ends with the process: a restart begins with the configured one.
 * @param now epoch ms
 */
export function createLogLevel(log: Logger, now: () => number): LogLevelControl {
  const configured = log.level as LogLevel;
  let until: number | undefined;
  let timer: NodeJS.Timeout | undefined;

  const fallBack = (): void => {
    until = undefined;
    always(log, () => log.info({ level: configured }, 'the log is at its configured level again'));
    log.level = configured;
  };

  return {
    status: () => ({ level: log.level as LogLevel, configured, until }),
    set(level, lasts, record) {
      clearTimeout(timer);
      until = lasts === undefined ? undefined : now() + lasts;
      if (lasts !== undefined) timer = setTimeout(fallBack, lasts).unref();
      always(log, record);
      log.level = level;
    },
  };
}
