import { styleText } from 'node:util';
import type { Command } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { adminAddress } from './admin-address.ts';
import { printJson } from './admin-client.ts';
import { EXIT, type ExitCode } from './command-error.ts';
import { configOption } from './config-option.ts';
import { diskFindings } from './doctor/disk.ts';
import { type Finding, type Level, fail, ok } from './doctor/finding.ts';
import { holderOf, lookAtFolder } from './doctor/folder.ts';
import { networkFindings } from './doctor/network.ts';
import { isRelayAt, portFindings } from './doctor/ports.ts';
import { secretFindings } from './doctor/secrets.ts';
import { systemFindings } from './doctor/system.ts';
import { printable } from './printable.ts';

interface DoctorOptions {
  readonly config: string;
  readonly offline?: boolean;
  readonly json?: boolean;
}

const HELP = `
Run it as the user and in the container of the relay. It sends no event, and may be run beside a relay: the store is not opened.
Exit code: 0 nothing failed, though there may be warnings; 1 something failed; 2 the configuration has problems.

Examples:
  $ capillary-relay doctor --config relay.yaml
  $ capillary-relay doctor --config relay.yaml --offline
  $ capillary-relay doctor --config relay.yaml --json`;

function load(file: string): LoadedConfig | Finding[] {
  try {
    return loadConfig(file, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message, cure }) =>
      fail('configuration', path === '' ? `${file} ${message}` : `${path}: ${message}`, cure),
    );
  }
}

/** True when a relay runs on this configuration here. */
async function isRunning({ path, config }: LoadedConfig): Promise<boolean> {
  if (holderOf(config.store.path) !== undefined) return true;
  return config.admin.port !== 0 && isRelayAt((await adminAddress({ config: path })).url);
}

function storeFindings({ store }: LoadedConfig['config']): Finding[] {
  const { findings, base } = lookAtFolder(store.path);
  const holder = holderOf(store.path);
  return [
    ...findings,
    ...(holder === undefined ? [] : [ok('store', `process ${holder} runs on it; it was left alone`)]),
    ...(base === undefined ? [] : diskFindings(base, store)),
  ];
}

async function examine(loaded: LoadedConfig, offline: boolean): Promise<Finding[]> {
  const { config, path, files } = loaded;
  // The network comes first and alone: fsync holds up the process, and with it the times of the answers.
  const network = offline ? [] : await networkFindings(config.destinations);
  const zones = [...new Set(config.sources.map(({ timezone }) => timezone))];
  return [
    ok('configuration', `${path} can be used`),
    ...secretFindings(files, Date.now()),
    ...network,
    ...storeFindings(config),
    ...(await portFindings(config, await isRunning(loaded))),
    ...systemFindings(zones, config.destinations.length),
  ];
}

const TONES = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

function format(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings
    .map(({ check, level, detail, cure }) => {
      const line = `${styleText(TONES[level], level.padEnd(4))}  ${check.padEnd(width)}  ${printable(detail)}`;
      return cure === undefined ? line : `${line}\n${' '.repeat(width + 8)}cure: ${printable(cure)}`;
    })
    .join('\n');
}

function count(findings: readonly Finding[], level: Level): number {
  return findings.filter((finding) => finding.level === level).length;
}

function exitCodeOf(isLoaded: boolean, failed: number): ExitCode {
  if (!isLoaded) return EXIT.usage;
  return failed > 0 ? EXIT.failed : EXIT.ok;
}

async function doctor({ config: file, offline = false, json = false }: DoctorOptions): Promise<void> {
  const loaded = load(file);
  const isLoaded = !Array.isArray(loaded);
  // Without a configuration the machine can still be looked at.
  const findings = isLoaded ? await examine(loaded, offline) : [...loaded, ...systemFindings([], 1)];
  const failed = count(findings, 'fail');
  if (json) printJson({ ok: failed === 0, file, findings });
  else
    console.log(
      `${format(findings)}\n\n${count(findings, 'ok')} ok, ${count(findings, 'warn')} to look at, ${failed} failed`,
    );
  process.exitCode = exitCodeOf(isLoaded, failed);
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'look at a machine before go-live: secrets, Adobe, clock, disk, ports, limits; each with its cure',
    )
    .addOption(configOption())
    .option('--offline', 'leave out what needs the network: token, inlet, clock')
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', HELP)
    .action(doctor);
}
