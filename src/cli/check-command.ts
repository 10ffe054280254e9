import type { Command } from 'commander';
import { stringify } from 'yaml';
import { ConfigError, type ConfigProblem, formatProblems } from '../config/config-error.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import type { Config } from '../config/config-schema.ts';
import { summarize } from '../config/config-summary.ts';
import { configOption, loadCommandConfig } from './command-config.ts';
import { EXIT } from './command-error.ts';
import type { ConnectionCheck } from './connection-check.ts';
import { formatBytes } from './doctor/finding.ts';
import { formatFitting } from './fitting-table.ts';

interface CheckOptions {
  readonly config: string;
  readonly connect?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly strict?: boolean;
}

const HELP = `
A warning is valid, but probably a mistake. Exit code: 0 the configuration is valid; 1 a destination or the database could not be
reached, or with --strict there are warnings; 2 the configuration has problems.

Examples:
  $ capillary-relay check --config relay.yaml
  $ capillary-relay check --config relay.yaml --connect --quiet
  $ capillary-relay check --config relay.yaml --strict`;

function printProblems({ file, problems }: ConfigError, json: boolean): void {
  if (json) console.log(JSON.stringify({ ok: false, file, problems }, undefined, 2));
  else console.log(`${formatProblems(problems, file)}\n\n${file}: problems: ${problems.length}`);
}

/** `store.maxBytes` is compared with the volume of this machine, which the file does not know. */
async function volumeWarnings({ store }: Config): Promise<ConfigProblem[]> {
  if (store.engine === 'postgres') return [];
  const { bytesBeyondVolume, volumeOf } = await import('./doctor/store-findings.ts');
  const { folder, bytes } = volumeOf(store.path);
  const missing = bytesBeyondVolume(bytes, store);
  if (missing === 0) return [];
  return [
    {
      path: 'store.maxBytes',
      message: `is ${formatBytes(store.maxBytes)}, which with store.minFree is more than the volume of ${folder} on this machine has (${formatBytes(bytes)})`,
      fix: `write a smaller value, or enlarge the volume by ${formatBytes(missing)}`,
    },
  ];
}

type ConnectionRow = Pick<ConnectionCheck, 'destination' | 'ok' | 'detail' | 'fix'> & {
  readonly check: string;
};

/** In the place of a destination. */
const DATABASE = 'store';

/** The findings of `doctor` about the database. */
async function checkDatabase({ store, egress }: Config): Promise<ConnectionRow[]> {
  if (store.engine !== 'postgres') return [];
  const { databaseFindings } = await import('./doctor/database-findings.ts');
  return (await databaseFindings(store, egress.ca)).map(({ check, level, detail, fix }) => ({
    destination: DATABASE,
    check,
    ok: level !== 'fail',
    detail,
    ...(fix === undefined ? {} : { fix }),
  }));
}

async function checkConnections(config: Config): Promise<ConnectionRow[]> {
  const { checkConnection } = await import('./connection-check.ts');
  const { createEgress } = await import('../http/egress.ts');
  const { routesOf } = await import('./egress-routes.ts');
  const egress = createEgress(config.egress, process.env);
  const routes = routesOf(config, egress).map(({ host, way, names }) => ({
    destination: names.join(', '),
    check: 'route',
    ok: true,
    detail: `${host}: ${way}`,
  }));
  const destinations = config.destinations.map((destination) => checkConnection(destination, { egress }));
  return [...routes, ...(await Promise.all([checkDatabase(config), ...destinations])).flat()];
}

function printConnections(checks: readonly ConnectionRow[]): void {
  const table = formatFitting(checks, [
    { heading: 'DESTINATION', cell: ({ destination }) => destination },
    { heading: 'CHECK', cell: ({ check }) => check },
    { heading: 'RESULT', cell: ({ ok }) => (ok ? 'ok' : 'FAILED') },
    { heading: 'DETAIL', cell: ({ detail }) => detail, below: 'detail' },
    { heading: 'FIX', cell: ({ fix }) => fix, below: 'fix' },
  ]);
  console.log(`${table}\n`);
}

function verdict(file: string, warnings: number, failed: ConnectionRow | undefined): string {
  const count = warnings === 0 ? '' : `; warnings: ${warnings}`;
  return failed === undefined
    ? `OK: ${file} can be used${count}`
    : `FAILED: ${file} is valid, but ${failed.destination === DATABASE ? 'the database cannot be used' : 'a destination could not be reached'}${count}`;
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
  const warnings = [...loaded.warnings, ...(await volumeWarnings(loaded.config))];
  if (!json) {
    if (options.quiet !== true) console.log(stringify(summary));
    if (warnings.length > 0) console.log(`${formatProblems(warnings, options.config, 'warning')}\n`);
  }
  const connections = options.connect === true ? await checkConnections(loaded.config) : undefined;
  const failed = connections?.find((connection) => !connection.ok);
  const ok = failed === undefined;
  if (json)
    console.log(
      JSON.stringify({ ok, file: options.config, warnings, config: summary, connections }, undefined, 2),
    );
  else {
    if (connections !== undefined) printConnections(connections);
    console.log(verdict(options.config, warnings.length, failed));
  }
  if (!ok || (options.strict === true && warnings.length > 0)) process.exitCode = EXIT.failed;
}

export function registerCheck(program: Command): void {
  program
    .command('check')
    .description('validate the configuration: list its problems, or show it without secrets')
    .addOption(configOption())
    .option(
      '--connect',
      'also request a token and connect to the inlet of each destination, and to the database; sends no event',
    )
    .option('--strict', 'fail if there are warnings')
    .option('--quiet', 'do not show the configuration: only problems, warnings, connections and the result')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(runCheck);
}
