import type { Command } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import type { LoadedConfig } from '../config/load-config.ts';
import { adminAddress } from './admin-address.ts';
import { printJson } from './admin-client.ts';
import { EXIT, type ExitCode } from './command-error.ts';
import { configOption, loadCommandConfig } from './command-config.ts';
import { databaseFindings } from './doctor/database-findings.ts';
import { diskFindings, lockHolder, inspectFolder } from './doctor/store-findings.ts';
import { type Finding, fail, ok, warn } from './doctor/finding.ts';
import { countFindings, formatCountedFindings } from './doctor/finding-lines.ts';
import { networkFindings } from './doctor/network-findings.ts';
import { isRelayAt, portFindings } from './doctor/port-findings.ts';
import { notificationFindings } from './doctor/reconciliation-findings.ts';
import { secretFindings } from './doctor/secret-findings.ts';
import { sourceFindings } from './doctor/source-findings.ts';
import { systemFindings } from './doctor/system-findings.ts';

interface DoctorOptions {
  readonly config: string;
  readonly offline?: boolean;
  readonly json?: boolean;
}

const HELP = `
Run it as the relay's user and in its container. It sends no event and does not open the store, so it can run
while the relay is running. Of a store in PostgreSQL it checks the server, TLS, rights, durability, connections and clock.
What exists in AEP (schemas, datasets, dataflows, permissions) is checked by provision verify, the webhook by register plan.
Exit code: 0 nothing failed, perhaps with warnings; 1 something failed; 2 the configuration has problems.

Examples:
  $ capillary-relay doctor --config relay.yaml
  $ capillary-relay doctor --config relay.yaml --offline
  $ capillary-relay doctor --config relay.yaml --json`;

async function loadOrReport(file: string): Promise<LoadedConfig | Finding[]> {
  try {
    return await loadCommandConfig(file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message, fix }) =>
      fail('configuration', path === '' ? `${file} ${message}` : `${path}: ${message}`, fix),
    );
  }
}

/** True when a relay with this configuration runs on this machine. */
async function isRunning({ path, config }: LoadedConfig): Promise<boolean> {
  if (config.store.engine === 'sqlite' && lockHolder(config.store.path) !== undefined) return true;
  return config.admin.port !== 0 && isRelayAt((await adminAddress({ config: path })).url);
}

async function storeFindings(
  { store, egress }: LoadedConfig['config'],
  offline: boolean,
): Promise<Finding[]> {
  if (store.engine === 'postgres') return offline ? [] : databaseFindings(store, egress.ca);
  const { findings, base } = inspectFolder(store.path, store.expect);
  const holder = lockHolder(store.path);
  return [
    ...findings,
    ...(holder === undefined ? [] : [ok('store', `process ${holder} is using it; it was not opened`)]),
    ...(base === undefined ? [] : diskFindings(base, store)),
  ];
}

async function runChecks(loaded: LoadedConfig, offline: boolean): Promise<Finding[]> {
  const { config, path, files } = loaded;
  // The network comes first: fsync blocks the process, which would distort response times.
  const network = offline ? [] : await networkFindings(config, process.env);
  const zones = [...new Set(config.sources.map(({ timezone }) => timezone))];
  return [
    ok('configuration', `${path} can be used`),
    ...loaded.warnings.map((found) => warn('configuration', `${found.path}: ${found.message}`, found.fix)),
    ...sourceFindings(config),
    ...notificationFindings(config),
    ...secretFindings(files, Date.now()),
    ...network,
    ...(await storeFindings(config, offline)),
    ...(await portFindings(config, await isRunning(loaded))),
    ...systemFindings(zones, config.destinations.length),
  ];
}

function exitCodeOf(isLoaded: boolean, failed: number): ExitCode {
  if (!isLoaded) return EXIT.usage;
  return failed > 0 ? EXIT.failed : EXIT.ok;
}

async function runDoctor({ config: file, offline = false, json = false }: DoctorOptions): Promise<void> {
  const loaded = await loadOrReport(file);
  const isLoaded = !Array.isArray(loaded);
  // The machine can be checked without a configuration.
  const findings = isLoaded ? await runChecks(loaded, offline) : [...loaded, ...systemFindings([], 1)];
  const failed = countFindings(findings, 'fail');
  if (json) printJson({ ok: failed === 0, file, findings });
  else console.log(formatCountedFindings(findings));
  process.exitCode = exitCodeOf(isLoaded, failed);
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'check a machine before go-live: secrets, Adobe, Capillary, clock, disk or database, ports, limits; shows how to fix each problem',
    )
    .addOption(configOption())
    .option('--offline', 'skip checks that need the network: tokens, inlet, clock, database')
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', HELP)
    .action(runDoctor);
}
