import type { Command } from 'commander';
import { findConfigOption } from './command-config.ts';
import { CommandError, EXIT } from './command-error.ts';
import { integerBetween, withFilterOptions } from './command-options.ts';
import type { CompareOptions } from './map/compare-mappings.ts';
import type { ShowOptions } from './map/show-events.ts';

interface MapOptions extends CompareOptions, ShowOptions {
  readonly diff?: boolean;
  readonly compare?: string;
}

const HELP = `
FILE contains one event, an array of events, or one event per line; - reads standard input. Events of one customer build
on each other, as in the relay. Nothing is sent. With --json, each line contains the event itself, too.

--from-journal maps the newest events stored by the relay that runs with this configuration, instead of files. It reads
the store of a stopped relay, and asks a running one through its admin API, slowly enough not to disturb it. Neither is
changed. Profile records are assembled from these events only.

--enrich asks the API of the source (api in the configuration) what each event lacks, as a relay with enrich does, and shows
the mapping without and with the answers, what was read by which call, and what it changes. --entities takes the answers
from a file instead, and needs no network: entities as the relay stores them, or bodies of GET /v2/customers/{id} and
GET /v2/transactions/{id}, one or an array or one per line. With --json, read, missing, enriched and changes are added.

Both comparisons show + path: value, - path, ~ path: old → new. They show values, which are personal data.

With --diff, the first two files are configurations, and this version maps the events of the other files, or of
--from-journal, with both. It shows what the second would send differently from the first.

With --compare, the old side is what another version of the relay wrote with map --json. This version maps the same
events, each as if it were received at the same time, and shows what it would send differently. Records of version 0.2.0
contain neither the events nor their times of receipt: name the files that they were made from as well, and expect a
changed timestamp where an event states no time.

Exit code: 0 all were events (mapped or ignored); 1 something was not an event, or its override failed; 2 wrong usage
or configuration. With --diff and --compare: 0 no difference; 1 a difference; 2 the comparison failed.

Examples:
  $ capillary-relay map examples/payload.json
  $ capillary-relay map events.ndjson --config relay.yaml --source acme --json
  $ capillary-relay map bill.json --config relay.yaml --enrich
  $ capillary-relay map bill.json --config relay.yaml --entities answers.json
  $ capillary-relay map --diff relay.yaml changed.yaml events.ndjson
  $ capillary-relay map --diff relay.yaml changed.yaml --from-journal --since 1d
  $ capillary-relay map --from-journal --config relay.yaml --json > before.ndjson   # the old version
  $ capillary-relay map --compare before.ndjson --config relay.yaml                # the new version`;

/** Options that require --from-journal. */
const JOURNAL_OPTIONS = ['since', 'until', 'limit', 'url'] as const;

/** What is wrong with the combination of options and files; undefined if nothing is. */
function faultOf(files: readonly string[], options: MapOptions): string | undefined {
  const { diff = false, compare, fromJournal = false, enrich, entities } = options;
  const journalOption = JOURNAL_OPTIONS.find((name) => options[name] !== undefined);
  if (diff && options.config !== undefined)
    return '--diff expects its two configurations as OLD.yaml NEW.yaml, not as --config';
  if (compare !== undefined && (diff || fromJournal))
    return '--compare cannot be combined with --diff or --from-journal: the records contain the events';
  if (enrich === true || entities !== undefined) {
    const option = enrich === true ? '--enrich' : '--entities';
    if (diff || compare !== undefined || fromJournal)
      return `${option} cannot be combined with --diff, --compare or --from-journal`;
    if (enrich === true && entities !== undefined) return 'specify either --enrich or --entities';
    if (entities === '-' && files.includes('-')) return 'standard input can be read once only';
  }
  if (!fromJournal && journalOption !== undefined) return `--${journalOption} requires --from-journal`;
  if (fromJournal && !diff && files.length > 0) return '--from-journal cannot be combined with files';
  if (files.length === 0 && !fromJournal && compare === undefined)
    return 'name a file with events, or - for standard input';
  return undefined;
}

async function runMap(files: readonly string[], options: MapOptions): Promise<void> {
  const fault = faultOf(files, options);
  if (fault !== undefined) throw new CommandError(fault, EXIT.usage);
  if (options.diff === true)
    await (await import('./map/compare-mappings.ts')).compareMappings(files, options);
  else if (options.compare !== undefined)
    await (await import('./map/compare-records.ts')).compareRecords(options.compare, files, options);
  else await (await import('./map/show-events.ts')).showEvents(files, options);
}

export function registerMap(program: Command): void {
  const command = program
    .command('map')
    .description(
      'show how Capillary events map to XDM, and what is left out and why; needs no network but for --enrich',
    )
    .argument('[file...]', 'files with events; - for standard input')
    .addOption(findConfigOption('configuration to map with; without one, a sample with tenant _acme'))
    .option('-s, --source <name>', 'source of the events; required when there are several')
    .option('--json', 'print one JSON object per event; one object in all with --diff or --compare')
    .option('--enrich', "also map with what Capillary's API says; it calls the API of the source")
    .option('--entities <file>', 'also map with what a file says, instead of the API; - for standard input')
    .option('--diff', 'compare two configurations: map --diff OLD.yaml NEW.yaml FILES…')
    .option(
      '--compare <records>',
      'compare with the output of map --json of another version; - reads standard input',
    )
    .option('--from-journal', 'use the newest stored events instead of files, each with its own source');
  withFilterOptions(command, ['since', 'until'])
    .option(
      '--limit <count>',
      'with --from-journal: maximum number of events, newest first (default: 500)',
      integerBetween(1, 100_000),
    )
    .option(
      '--url <url>',
      "with --from-journal: URL of the running relay's admin port, instead of the configured one",
    )
    .addHelpText('after', HELP)
    .action(runMap);
}
