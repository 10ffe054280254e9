import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { Config } from '../config/schema.ts';
import { CommandError, EXIT } from './command-error.ts';
import { optionalConfigOption } from './config-option.ts';
import type { TrialParts } from './mapping-trial.ts';
import { chooseSource } from './source-choice.ts';

interface MapOptions {
  readonly config?: string;
  readonly source?: string;
  readonly json?: boolean;
}

const HELP = `
FILE holds one event, an array of events, or one event per line; - reads standard input. Events of one customer build on each other,
as they would in the relay. Nothing is sent anywhere.

Exit code: 0 all were events (mapped or ignored); 1 something was not an event, or its override failed; 2 wrong usage or configuration.

Examples:
  $ capillary-relay map event.json
  $ capillary-relay map events.ndjson --config relay.yaml --source acme --json`;

const readInput = async (file: string): Promise<string> => {
  if (file === '-') return textOf(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new CommandError(`${file} cannot be read (${code})`, EXIT.usage);
  }
};

const readConfig = async (file: string | undefined): Promise<Config> => {
  if (file === undefined) return (await import('./sample-config.ts')).createSampleConfig();
  const { loadConfig } = await import('../config/load.ts');
  return loadConfig(file, process.env).config;
};

const partsFor = (config: Config, name: string | undefined): Omit<TrialParts, 'now'> => {
  const source = chooseSource(config, name);
  const destination = config.destinations.find((one) => one.name === source.destination);
  // The configuration was refused if it had such a source.
  if (destination === undefined) throw new Error(`the source ${source.name} has no destination`);
  return { source, destination };
};

const map = async (file: string, options: MapOptions): Promise<void> => {
  const parts = partsFor(await readConfig(options.config), options.source);
  const bodies = (await import('./event-bodies.ts')).splitBodies(await readInput(file));
  const { createTrial } = await import('./mapping-trial.ts');
  const { formatTrial } = await import('./mapping-report.ts');
  const trial = createTrial({ ...parts, now: Date.now() });
  for (const [index, body] of bodies.entries()) {
    const result = await trial(body);
    if (result.outcome === 'not-an-event' || result.outcome === 'failed') process.exitCode = EXIT.failed;
    if (options.json === true) console.log(JSON.stringify(result));
    else console.log(`${index === 0 ? '' : '\n'}${formatTrial(result, index + 1)}`);
  }
};

export const registerMap = (program: Command): void => {
  program
    .command('map')
    .description('show what Capillary events become in XDM, and what is left out and why; needs no network')
    .argument('<file>', 'events; - for standard input')
    .addOption(optionalConfigOption('configuration to map with; without one a sample is used (tenant _acme)'))
    .option('-s, --source <name>', 'source whose events these are; needed when there are several')
    .option('--json', 'print one JSON object for each event')
    .addHelpText('after', HELP)
    .action(map);
};
