import type { Command } from 'commander';
import type { Config } from '../config/schema.ts';
import { CommandError, EXIT } from './command-error.ts';
import { optionalConfigOption } from './config-option.ts';
import { withFilter } from './event-filter.ts';
import { readInput } from './input-file.ts';
import type { DiffOptions } from './map-diff.ts';
import { wholeNumberFrom } from './number-option.ts';
import { chooseSource } from './source-choice.ts';
import { wayOf } from './way.ts';

interface MapOptions extends DiffOptions {
  readonly config?: string;
  readonly diff?: boolean;
}

const HELP = `
FILE holds one event, an array of events, or one event per line; - reads standard input. Events of one customer build on each other,
as they would in the relay. Nothing is sent anywhere.

With --diff the first two files are configurations, and it shows what the second would send otherwise than the first, for the events of
the other files or, with --from-journal, for the stored events of the relay that runs with the first: + path: value, - path,
~ path: old → new. The values are personal data, and the terminal shows them. --from-journal reads the file of a stopped relay (store.path
and keys of OLD.yaml); a running one it asks through its admin API, slowly so that nobody waits for it. Neither is changed. Profile records are put together
from the compared events alone.

Exit code: 0 all were events (mapped or ignored); 1 something was not an event, or its override failed; 2 wrong usage or configuration.
With --diff: 0 nothing differs; 1 something does; 2 it could not be compared.

Examples:
  $ capillary-relay map event.json
  $ capillary-relay map events.ndjson --config relay.yaml --source acme --json
  $ capillary-relay map --diff relay.yaml changed.yaml events.ndjson
  $ capillary-relay map --diff relay.yaml changed.yaml --from-journal --since 1d`;

/** Options that say something about a comparison only. */
const OF_DIFF = ['fromJournal', 'since', 'until', 'limit', 'url'] as const;

async function readConfig(file: string | undefined): Promise<Config> {
  if (file === undefined) return (await import('./sample-config.ts')).createSampleConfig();
  const { loadConfig } = await import('../config/load.ts');
  return loadConfig(file, process.env).config;
}

async function show(files: readonly string[], options: MapOptions): Promise<void> {
  const config = await readConfig(options.config);
  const way = wayOf(config, chooseSource(config, options.source));
  const { splitBodies } = await import('./event-bodies.ts');
  const { createTrial } = await import('./mapping-trial.ts');
  const { formatTrial } = await import('./mapping-report.ts');
  const trial = createTrial({ ...way, now: Date.now() });
  const bodies = (await Promise.all(files.map(readInput))).flatMap(splitBodies);
  for (const [index, body] of bodies.entries()) {
    const result = await trial(body);
    if (result.outcome === 'not-an-event' || result.outcome === 'failed') process.exitCode = EXIT.failed;
    if (options.json === true) console.log(JSON.stringify(result));
    else console.log(`${index === 0 ? '' : '\n'}${formatTrial(result, index + 1)}`);
  }
}

async function map(files: readonly string[], options: MapOptions): Promise<void> {
  const stray = OF_DIFF.find((name) => options[name] !== undefined);
  if (options.diff === true) {
    if (options.config !== undefined)
      throw new CommandError(
        '--diff takes its two configurations as OLD.yaml NEW.yaml, not with --config',
        EXIT.usage,
      );
    if (options.fromJournal !== true && stray !== undefined)
      throw new CommandError(`--${stray} goes with --from-journal`, EXIT.usage);
    await (await import('./map-diff.ts')).mapDiff(files, options);
    return;
  }
  if (stray !== undefined)
    throw new CommandError('--from-journal and its options go with --diff', EXIT.usage);
  await show(files, options);
}

export function registerMap(program: Command): void {
  const command = program
    .command('map')
    .description('show what Capillary events become in XDM, and what is left out and why; needs no network')
    .argument('<file...>', 'events; - for standard input')
    .addOption(optionalConfigOption('configuration to map with; without one a sample is used (tenant _acme)'))
    .option('-s, --source <name>', 'source whose events these are; needed when there are several')
    .option('--json', 'print one JSON object for each event; with --diff one for all')
    .option('--diff', 'compare two configurations: map --diff OLD.yaml NEW.yaml FILES…')
    .option(
      '--from-journal',
      'with --diff: the newest stored events instead of FILES, each of its own source',
    );
  withFilter(command, ['since', 'until'])
    .option(
      '--limit <count>',
      'with --from-journal: most events, newest first (default: 500)',
      wholeNumberFrom(1, 100_000),
    )
    .option(
      '--url <url>',
      'with --from-journal: admin port of the running relay, instead of that of OLD.yaml',
    )
    .addHelpText('after', HELP)
    .action(map);
}
