import type { Command } from 'commander';
import { stringify } from 'yaml';
import { ConfigError, formatProblems } from '../config/config-error.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import type { Config } from '../config/config-schema.ts';
import { summarize } from '../config/config-summary.ts';
import { configOption, loadCommandConfig } from './command-config.ts';
import { EXIT } from './command-error.ts';
import type { ConnectionCheck } from './connection-check.ts';
import { formatTable } from './table.ts';

interface CheckOptions {
  readonly config: string;
  readonly connect?: boolean;
  readonly json?: boolean;
}

const HELP = `
Exit code: 0 the configuration is valid; 1 a destination could not be reached; 2 the configuration has problems.

Examples:
  $ capillary-relay check --config relay.yaml
  $ capillary-relay check --config relay.yaml --connect`;

function printProblems({ file, problems }: ConfigError, json: boolean): void {
  if (json) console.log(JSON.stringify({ ok: false, file, problems }, undefined, 2));
  else console.log(`${formatProblems(problems, file)}\n\n${file}: problems: ${problems.length}`);
}

async function checkConnections(config: Config): Promise<ConnectionCheck[]> {
  const { checkConnection } = await import('./connection-check.ts');
  return (await Promise.all(config.destinations.map((destination) => checkConnection(destination)))).flat();
}

function printConnections(checks: readonly ConnectionCheck[]): void {
  const table = formatTable(checks, [
    { heading: 'DESTINATION', cell: ({ destination }) => destination },
    { heading: 'CHECK', cell: ({ check }) => check },
    { heading: 'RESULT', cell: ({ ok }) => (ok ? 'ok' : 'FAILED') },
    { heading: 'DETAIL', cell: ({ detail }) => detail },
    { heading: 'FIX', cell: ({ fix }) => fix },
  ]);
  console.log(`\n${table}`);
}

async function runCheck(options: CheckOptions): Promise<void> {
  const json = options.json === true;
  let loaded: LoadedConfig;
  try {
    loaded = await loadCommandConfig(options.config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    printProblems(error, json);
    process.exitCode = EXIT.usage;
    return;
  }
  const summary = summarize(loaded.config);
  if (!json) console.log(`${stringify(summary)}\nOK: ${options.config} can be used`);
  const connections = options.connect === true ? await checkConnections(loaded.config) : undefined;
  const ok = connections?.every((connection) => connection.ok) ?? true;
  if (json)
    console.log(JSON.stringify({ ok, file: options.config, config: summary, connections }, undefined, 2));
  else if (connections !== undefined) printConnections(connections);
  if (!ok) process.exitCode = EXIT.failed;
}

export function registerCheck(program: Command): void {
  program
    .command('check')
    .description('validate the configuration: list its problems, or show it without secrets')
    .addOption(configOption())
    .option('--connect', 'also request a token and connect to the inlet of each destination; sends no event')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(runCheck);
}
