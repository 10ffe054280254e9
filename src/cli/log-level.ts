import type { Command } from 'commander';
import { type AdminOptions, withAdminOptions } from './admin-address.ts';
import { adminClient, printJson } from './admin-client.ts';
import { CommandError, EXIT } from './command-error.ts';
import { formatMoment } from './moment.ts';

const HELP = `
Without a level it says which one is in force. A changed level ends with the relay: a restart begins with log.level.

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
  const end = until === undefined ? '' : ` until ${formatMoment(until)}`;
  return `${level}${end} (configured: ${configured})`;
}

async function logLevel(level: string | undefined, options: LogLevelOptions): Promise<void> {
  if (level === undefined && options.for !== undefined)
    throw new CommandError('--for goes with a level, such as log-level debug --for 10m', EXIT.usage);
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
    program.command('log-level').argument('[level]', 'trace, debug, info, warn, error, fatal, silent'),
  )
    .description('how much the running relay logs: show it, or change it for a time')
    .option('--for <time>', 'fall back to the configured level after so long, such as 10m')
    .addHelpText('after', HELP)
    .action(logLevel);
}
