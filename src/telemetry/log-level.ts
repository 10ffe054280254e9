import type { Logger } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** The log level, which an operator can change while the relay runs. */
export interface LogLevelControl {
  /** `until`: epoch ms at which the configured level returns; undefined if no limit was set. */
  status(): { readonly level: LogLevel; readonly configured: LogLevel; readonly until: number | undefined };
  /**
   * @param durationMs undefined: until it is set again, or until a restart
   * @param record writes the log line about the change; it is written whatever the level is
   */
  set(level: LogLevel, durationMs: number | undefined, record: () => void): void;
  /** The configured level has changed. A level that an operator has set stays. */
  configure(level: LogLevel): void;
}

/** Writes a line at any level, because it explains why the log changes from here on. */
function writeAlways(log: Logger, write: () => void): void {
  log.level = 'info';
  write();
}

/**
 * A change ends with the process: a restart begins with the configured level.
 * @param now epoch ms
 */
export function createLogLevel(log: Logger, now: () => number): LogLevelControl {
  let configured = log.level as LogLevel;
  let isSetByOperator = false;
  let until: number | undefined;
  let timer: NodeJS.Timeout | undefined;

  const reset = (): void => {
    until = undefined;
    isSetByOperator = false;
    writeAlways(log, () => log.info({ level: configured }, 'log level reset to the configured one'));
    log.level = configured;
  };

  return {
    status: () => ({ level: log.level as LogLevel, configured, until }),
    set(level, durationMs, record) {
      clearTimeout(timer);
      until = durationMs === undefined ? undefined : now() + durationMs;
      if (durationMs !== undefined) timer = setTimeout(reset, durationMs).unref();
      writeAlways(log, record);
      log.level = level;
      isSetByOperator = true;
    },
    configure(level) {
      configured = level;
      if (!isSetByOperator) log.level = level;
    },
  };
}
