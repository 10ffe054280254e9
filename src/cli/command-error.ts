import { CommanderError } from 'commander';

/** What the process ends with: 0 done, 1 it failed or found something missing, 2 wrong usage or configuration. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with one message for the person who typed it, and no stack trace. */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

// Known by its name, so that commands without a configuration do not load the code that reads one.
function isConfigError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ConfigError';
}

/** Exit code of whatever a command threw. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandError) return error.exitCode;
  // Commander ends --help and --version by throwing too, with code 0; all its other ends are wrong usage.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  return isConfigError(error) ? EXIT.usage : EXIT.failed;
}

/** What to print for it; undefined when commander has already said it. */
export function explainError(error: unknown): string | undefined {
  if (error instanceof CommanderError) return undefined;
  if (error instanceof CommandError || isConfigError(error)) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
