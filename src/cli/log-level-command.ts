import { Argument, type Command } from 'commander';
import { adminClient, type AdminOptions, printJson, withAdminOptions } from './admin-client.ts';
import { LOG_LEVELS } from '../telemetry/log-level.ts';
import { CommandError, EXIT } from './command-error.ts';
import { suggestValues } from './completion/suggested-values.ts';
import { formatTime } from './time-format.ts';

const HELP = `
Without a level, it shows the current one. A change lasts until the relay restarts: it then starts with log.level again.

Examples:
  $ capillary-relay log-level
  $ capillary-relay log-level debug --for 10m
  $ capillary-relay log-level info`;

interface LogLevelAnswer {
  readonly level: string;
  readonly configured: string;
  readonly until?: string;
}

interface LogLevelOptions extends AdminOptions {
  readonly for?: string;
}

function format({ level, configured, until }: LogLevelAnswer): string {
  const expiry = until === undefined ? '' : ` until ${formatTime(until)}`;
  return `${level}${expiry} (configured: ${configured})`;
}

async function runLogLevel(level: string | undefined, options: LogLevelOptions): Promise<void> {
  if (level === undefined && options.for !== undefined)
    throw new CommandError('--for requires a level, such as log-level debug --for 10m', EXIT.usage);
  const client = await adminClient(options);
  const answer =
    level === undefined
      ? await client.get<LogLevelAnswer>('/log-level')
      : await client.put<LogLevelAnswer>('/log-level', { level, for: options.for });
  if (options.json === true) printJson(answer);
  else console.log(format(answer));
}

export function registerLogLevel(program: Command): void {
  withAdminOptions(
    program
      .command('log-level')
      .addArgument(suggestValues(new Argument('[level]', LOG_LEVELS.join(', ')), { load: () => LOG_LEVELS })),
  )
    .description('show or change the log level of the running relay')
    .option('--for <time>', 'return to the configured level after this time, such as 10m')
    .addHelpText('after', HELP)
    .action(runLogLevel);
}
