import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { type FaultRule, FaultRuleError, parseFaultRules } from '../simulator/adobe/fault-script.ts';
import { DEFAULT_VALIDATION_DELAY_MS, DEFAULT_WARM_UP_MS } from '../simulator/adobe/simulator-options.ts';
import { type Simulator, startSimulator } from '../simulator/simulator.ts';
import { durationBetween } from './duration-option.ts';
import { CommandError, EXIT } from './command-error.ts';
import { integerBetween, numberBetween } from './command-options.ts';

interface SimulateOptions {
  readonly port: number;
  readonly host: string;
  readonly tokenTtl: number;
  readonly faults?: string;
  readonly auth: boolean;
  readonly raw?: boolean;
  readonly empty?: boolean;
  readonly warmUp: number;
  readonly validationDelay: number;
  readonly seed: number;
  readonly org: number;
  readonly callsPerMinute: number;
  readonly retryScale: number;
  readonly json?: boolean;
}

const HELP = `
Any client id and secret of Adobe, and any key and secret of Capillary, get a token.
Received records and scripted faults are under /_sim (docs/simulator.md). Stop it with Ctrl-C.

Examples:
  $ capillary-relay simulate --port 9090
  $ capillary-relay simulate --empty --warm-up 5s
  $ capillary-relay simulate --token-ttl 60s --faults outage.json
  $ curl http://127.0.0.1:9090/_sim/stats`;

async function readFaults(file: string): Promise<FaultRule[]> {
  try {
    return parseFaultRules(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (error instanceof FaultRuleError) {
      const issues = error.issues.map((issue) => `  ${issue}`).join('\n');
      throw new CommandError(`${file} cannot be used:\n${issues}`, EXIT.usage);
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${file} cannot be read: ${reason}`, EXIT.usage);
  }
}

async function startOrFail(options: SimulateOptions): Promise<Simulator> {
  const faults = options.faults === undefined ? [] : await readFaults(options.faults);
  try {
    return await startSimulator({
      port: options.port,
      host: options.host,
      tokenTtlMs: options.tokenTtl,
      requireAuth: options.auth,
      dataType: options.raw ? 'raw' : 'xdm',
      empty: options.empty ?? false,
      warmUpMs: options.warmUp,
      validationDelayMs: options.validationDelay,
      seed: options.seed,
      faults,
      capillary: {
        orgId: options.org,
        callsPerMinute: options.callsPerMinute,
        retryScale: options.retryScale,
      },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`cannot listen on ${options.host}:${options.port}: ${reason}`);
  }
}

/** An empty organisation has no inlet yet. */
function printUrls(simulator: Simulator, { json, empty }: SimulateOptions): void {
  const { url, imsUrl, platformUrl, capillaryUrl } = simulator;
  const inletUrl = empty ? undefined : simulator.inletUrl();
  if (json) {
    const urls = { url, imsUrl, inletUrl, platformUrl, capillaryUrl, controlUrl: `${url}/_sim` };
    console.log(JSON.stringify(urls));
    return;
  }
  const lines = [
    `IMS URL    ${imsUrl}`,
    ...(inletUrl === undefined ? [] : [`Inlet URL  ${inletUrl}`]),
    `Platform   ${platformUrl}`,
    `Capillary  ${capillaryUrl}`,
    `Control    ${url}/_sim/landed, /_sim/stats, /_sim/faults, /_sim/platform`,
  ];
  console.log(lines.join('\n'));
}

async function runSimulate(options: SimulateOptions): Promise<void> {
  const simulator = await startOrFail(options);
  const stopSignal = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  printUrls(simulator, options);
  await stopSignal;
  await simulator.close();
}

export function registerSimulate(program: Command): void {
  program
    .command('simulate')
    .description(
      'simulate Adobe and Capillary on this machine: their APIs and a streaming inlet, with faults on demand',
    )
    .option('--port <port>', 'port to listen on; 0 for any free port', integerBetween(0, 65_535), 9_090)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(
      new Option('--token-ttl <duration>', 'lifetime of a token, such as 60s')
        .argParser(durationBetween({ min: '1ms' }))
        .default(86_400_000, '24h'),
    )
    .option('--faults <file>', 'file with faults to simulate: a JSON array of rules')
    .option('--no-auth', 'accept messages without a token')
    .option('--raw', 'accept payloads that are not XDM, as an inlet for Data Prep does')
    .option(
      '--empty',
      'begin with an organisation without objects: only inlets that the platform API made exist',
    )
    .addOption(
      new Option('--warm-up <duration>', 'how long a new or changed dataflow loses its data without notice')
        .argParser(durationBetween({ min: '0s' }))
        .default(DEFAULT_WARM_UP_MS, '5m'),
    )
    .addOption(
      new Option('--validation-delay <duration>', 'until what a dataflow took is in the data lake, or failed')
        .argParser(durationBetween({ min: '0s' }))
        .default(DEFAULT_VALIDATION_DELAY_MS, '2s'),
    )
    .option('--seed <number>', 'random seed of the faults', integerBetween(0, 2 ** 32), 1)
    .option('--org <id>', "id of Capillary's organisation", integerBetween(1, 2 ** 31), 100_737)
    .option(
      '--calls-per-minute <count>',
      "calls that Capillary's API takes from one key per minute; 0 for any number",
      integerBetween(0, 1_000_000),
      0,
    )
    .option(
      '--retry-scale <factor>',
      "factor of the waits between Capillary's attempts to deliver an event, such as 0.01",
      numberBetween(0, 1),
      1,
    )
    .option('--json', 'print the URLs as JSON')
    .addHelpText('after', HELP)
    .action(runSimulate);
}
