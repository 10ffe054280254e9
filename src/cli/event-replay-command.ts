import { type Command, InvalidArgumentError, Option } from 'commander';
import { shortId } from '../capillary/event-id.ts';
import { nearest } from '../config/nearest.ts';
import { adminClient, type AdminOptions, printJson, withAdminOptions } from './admin-client.ts';
import type { CountsAnswer } from './admin-answers.ts';
import { type SelectionOptions, selectionOf } from './bulk-action.ts';
import { CommandError, EXIT } from './command-error.ts';
import {
  EVENT_KEYS,
  type EventFilterOptions,
  type FilterKey,
  filterOf,
  filterValue,
  type PageOptions,
  withFilterOptions,
} from './command-options.ts';
import { suggestValues } from './completion/suggested-values.ts';
import { listReplays, replaysHelp } from './replay-list.ts';
import { replayFields, type ReplayOptions, withReplayOptions } from './replay-options.ts';
import { runBulkReplay } from './bulk-replay.ts';

const STATES = ['delivered', 'ignored', 'dead'] as const;

const HELP = `
One receipt or event id is replayed whatever its state, a malformed body included. Several receipts, or the events of a
filter, are those in the states delivered, ignored and dead; for a filter --states says which of them. A filter is given by
its options or as --filter field=value, whose fields are ${EVENT_KEYS.join(', ')}.

--dry-run counts, shows the newest ten, and says what to know before. A filter asks for confirmation on a terminal, and
requires --yes without one. Without --settled-until it covers what was settled when it was requested.

Delivered events are sent again completely. Profile ignores an event whose _id it has: --as-new gives a new one, under which
it counts once more. An event whose payload retention has removed cannot be replayed. A profile record always has what is
known of the customer now. Of a source with enrich, what Capillary's API answered the first time is used again; --refetch
asks it again.

A replay runs alongside live traffic at a lower rate. It continues when this command is stopped, and after a restart of the
relay: see events replays. Exit code 1 if some of the matches could not be replayed.

Examples:
  $ capillary-relay events replay 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01 --as-new
  $ capillary-relay events replay --states delivered --filter destination=acme-aep \\
      --settled-since 2026-01-31T08:00:00Z --settled-until 2026-01-31T09:00:00Z --as-new --dry-run
  $ capillary-relay events replay --states ignored --reason unmapped --since 3d --yes`;

type Options = AdminOptions &
  ReplayOptions &
  SelectionOptions &
  Partial<PageOptions> & {
    readonly states?: string;
    readonly filter?: EventFilterOptions;
    readonly follow?: boolean;
  };

/** `customer-id` and `customerId` name the same field. */
function fieldOf(text: string): FilterKey {
  const camel = text.trim().replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const key = EVENT_KEYS.find((one) => one === camel);
  if (key !== undefined) return key;
  if (camel === 'state' || camel === 'states')
    throw new InvalidArgumentError('The states of the events are given by --states.');
  const meant = nearest(camel, EVENT_KEYS);
  throw new InvalidArgumentError(
    meant === undefined ? `The fields are ${EVENT_KEYS.join(', ')}.` : `Did you mean ${meant}?`,
  );
}

/** Adds `field=value` to the fields before it. */
function readFilter(text: string, before: EventFilterOptions = {}): EventFilterOptions {
  const [field = '', ...rest] = text.split('=');
  const value = rest.join('=').trim();
  const key = fieldOf(field);
  if (value === '') throw new InvalidArgumentError('It must be field=value, such as source=acme.');
  if (before[key] !== undefined) throw new InvalidArgumentError(`It has ${key} twice.`);
  return { ...before, [key]: filterValue(key, value) };
}

/** The fields of both forms. @throws CommandError if one has two values */
function withFilter({ filter = {}, ...options }: Options): Options {
  const twice = EVENT_KEYS.find((key) => filter[key] !== undefined && options[key] !== undefined);
  if (twice !== undefined) throw new CommandError(`${twice} is given twice; give it once`, EXIT.usage);
  return { ...options, ...filter };
}

/** Options of `events` that would seem to bound the replay. */
function refuseListOptions(options: Options, list: Command | null): void {
  const isGiven = list?.getOptionValueSource('limit') === 'cli';
  if (isGiven || options.cursor !== undefined || options.follow === true)
    throw new CommandError(
      'a replay has no pages: leave out --limit, --cursor and --follow, and narrow it by a filter',
      EXIT.usage,
    );
}

async function replayOne(receipt: string, options: Options): Promise<void> {
  const client = await adminClient(options);
  const path = `/events/${encodeURIComponent(shortId(receipt))}/replay`;
  const answer = await client.post<CountsAnswer>(path, replayFields(options));
  if (options.json === true) printJson(answer);
  else if (answer['replayed'] === 0) console.log('nothing to replay: the relay already has this event');
  else console.log(`${receipt} is pending again`);
}

async function replay(receipts: readonly string[], given: Options, list: Command | null): Promise<void> {
  refuseListOptions(given, list);
  const options = withFilter(given);
  const states = options.states ?? options.state;
  const isFiltered = Object.keys(filterOf(options, EVENT_KEYS)).length > 0 || options.all === true;
  const [receipt, ...others] = receipts;
  if (
    receipt !== undefined &&
    others.length === 0 &&
    !isFiltered &&
    states === undefined &&
    options.dryRun !== true
  )
    return replayOne(receipt, options);
  const selection = selectionOf(receipts, options, EVENT_KEYS);
  if ('filter' in selection && states === undefined)
    throw new CommandError(
      `say which events of the filter: --states ${STATES.join(',')}, or some of them`,
      EXIT.usage,
    );
  await runBulkReplay(options, {
    ...selection,
    ...(states === undefined ? {} : { states: states.split(',').map((state) => state.trim()) }),
    ...replayFields(options),
  });
}

/** Adds `replay` and `replays` to the command `events`. */
export function registerEventReplay(events: Command): void {
  const command = events
    .command('replay')
    .description('deliver settled events again: one, several, or those of a filter')
    .argument('[receipts...]', 'receipts; a single one can be an event id')
    .addOption(
      suggestValues(new Option('--states <states>', `comma-separated states: ${STATES.join(', ')}`), {
        load: () => STATES,
        isList: true,
      }),
    )
    .addOption(
      suggestValues(
        new Option('--filter <field=value>', 'a field of the filter; can be repeated').argParser(readFilter),
        { load: () => EVENT_KEYS.map((key) => `${key}=`) },
      ),
    );
  withReplayOptions(withFilterOptions(withAdminOptions(command), EVENT_KEYS))
    .option('--all', 'all events in these states; required without receipts and filters')
    .option('--dry-run', 'only show what would be done')
    .option(
      '-y, --yes',
      'do not ask for confirmation; required without a terminal, unless receipts are given',
    )
    .addHelpText('after', HELP)
    .action((receipts: string[], _options: unknown, self: Command) =>
      replay(receipts, self.optsWithGlobals(), self.parent),
    );
  withAdminOptions(events.command('replays'))
    .description('list replays: who requested them, when, their filter and progress')
    .addHelpText('after', replaysHelp('events'))
    .action((_options: unknown, self: Command) => listReplays(self.optsWithGlobals()));
}
