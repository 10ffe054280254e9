import { ConfigError, formatPlace } from '../config/config-error.ts';
import { createLogger } from '../telemetry/log.ts';
import { errorText, exitCodeOf, type ExitCode, isExpected } from './command-error.ts';

function logFailure(error: unknown): void {
  const destination = { write: (line: string) => void process.stderr.write(line) };
  const log = createLogger({ level: 'fatal', destination });
  if (error instanceof ConfigError) {
    const { file, problems } = error;
    const [first] = problems;
    const place = first === undefined ? file : formatPlace(first, file);
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    log.fatal(
      { fix: first?.fix, problems },
      `could not start: ${count} in the configuration: ${place}: ${first?.message ?? ''}`,
    );
    return;
  }
  // A stack would only hide the line that an operator needs.
  if (isExpected(error)) log.fatal({ fix: error.fix }, `could not start: ${error.message}`);
  else log.fatal({ err: error }, 'could not start');
}

/**
 * Reports on standard error why the relay could not start: as a line of the log, which is JSON, or
 * as text if a person reads it at a terminal. @returns the exit code of the process
 */
export function reportStartFailure(error: unknown): ExitCode {
  if (process.stderr.isTTY) process.stderr.write(`could not start: ${errorText(error)}\n`);
  else logFailure(error);
  return exitCodeOf(error);
}
