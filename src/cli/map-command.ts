import type { Command } from 'commander';
import { optionalConfigOption } from './command-config.ts';
import { CommandError, EXIT } from './command-error.ts';
import { integerBetween, withFilterOptions } from './command-options.ts';
import type { CompareOptions } from './map/compare-mappings.ts';
import type { ShowOptions } from './map/show-events.ts';

interface MapOptions extends CompareOptions, ShowOptions {
  readonly diff?: boolean;
}

const HELP = `
FILE contains one event, an array of events, or one event per line; - reads standard input. Events of one customer build
on each other, as in the relay. Nothing is sent.

With --diff, the first two files are configurations. The output shows what the second would send differently from the
first, for the events in the other files or, with --from-journal, for the events stored by the relay that runs with the
first: + path: value, - path, ~ path: old → new. It shows values, which are personal data. --from-journal reads the
store of a stopped relay (store.path and keys of OLD.yaml), and asks a running one through its admin API, slowly enough
not to disturb it. Neither is changed. Profile records are assembled from the compared events only.

Exit code: 0 all were events (mapped or ignored); 1 something was not an event, or its override failed; 2 wrong usage
or configuration. With --diff: 0 no difference; 1 a difference; 2 the comparison failed.

Examples:
  $ capillary-relay map event.json
  $ capillary-relay map events.ndjson --config relay.yaml --source acme --json
  $ capillary-relay map --diff relay.yaml changed.yaml events.ndjson
  $ capillary-relay map --diff relay.yaml changed.yaml --from-journal --since 1d`;

/** Options that require --from-journal. */
const JOURNAL_OPTIONS = ['fromJournal', 'since', 'until', 'limit', 'url'] as const;

async function runMap(files: readonly string[], options: MapOptions): Promise<void> {
  const journalOption = JOURNAL_OPTIONS.find((name) => options[name] !== undefined);
  if (options.diff === true) {
    if (options.config !== undefined)
      throw new CommandError(
        '--diff expects its two configurations as OLD.yaml NEW.yaml, not as --config',
        EXIT.usage,
      );
    if (options.fromJournal !== true && journalOption !== undefined)
      throw new CommandError(`--${journalOption} requires --from-journal`, EXIT.usage);
    await (await import('./map/compare-mappings.ts')).compareMappings(files, options);
    return;
  }
  if (journalOption !== undefined)
    throw new CommandError('--from-journal and its options require --diff', EXIT.usage);
  await (await import('./map/show-events.ts')).showEvents(files, options);
}

export function registerMap(program: Command): void {
  const command = program
    .command('map')
    .description('show how Capillary events map to XDM, and what is left out and why; needs no network')
    .argument('<file...>', 'files with events; - for standard input')
    .addOption(optionalConfigOption('configuration to map with (default: a sample with tenant _acme)'))
    .option('-s, --source <name>', 'source of the events; required when there are several')
    .option('--json', 'print one JSON object per event; with --diff, one object in all')
    .option('--diff', 'compare two configurations: map --diff OLD.yaml NEW.yaml FILES…')
    .option(
      '--from-journal',
      'with --diff: use the newest stored events instead of FILES, each with its own source',
    );
  withFilterOptions(command, ['since', 'until'])
    .option(
      '--limit <count>',
      'with --from-journal: maximum number of events, newest first (default: 500)',
      integerBetween(1, 100_000),
    )
    .option(
      '--url <url>',
      "with --from-journal: URL of the running relay's admin port, instead of the one in OLD.yaml",
    )
    .addHelpText('after', HELP)
    .action(runMap);
}
