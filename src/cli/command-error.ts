import { CommanderError } from 'commander';

/**
 * Exit codes of the process. 1 also means that something is missing, 2 also an invalid
 * configuration, 3 that a plan has something to change.
 */
export const EXIT = { ok: 0, failed: 1, usage: 2, changes: 3 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with one message for the user and no stack trace. */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

// Checked by name, so that commands without a configuration do not load the code that reads one.
function isConfigError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ConfigError';
}

/** Errors whose messages say it all, such as `another relay is using ./data`. */
const PLAIN_ERRORS: ReadonlySet<string> = new Set([
  'StoreError',
  'ConnectError',
  'DatabaseError',
  'CommitUnknownError',
  'ListenError',
]);

/** True for an error whose message is for the user: neither its type nor its stack helps. */
export function isExpected(error: unknown): error is Error & { readonly fix?: string } {
  return (
    error instanceof CommandError ||
    isConfigError(error) ||
    (error instanceof Error && PLAIN_ERRORS.has(error.name))
  );
}

/** Exit code for anything that a command throws. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandError) return error.exitCode;
  // Commander also throws for --help and --version, with code 0; everything else is wrong usage.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  return isConfigError(error) ? EXIT.usage : EXIT.failed;
}

/** Text to print for an error; undefined when commander has already printed it. */
export function errorText(error: unknown): string | undefined {
  if (error instanceof CommanderError) return undefined;
  if (isExpected(error))
    return error.fix === undefined ? error.message : `${error.message}; fix: ${error.fix}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
