import { styleText } from 'node:util';
import type { Command } from 'commander';
import { adminClient, type AdminOptions, printJson, withAdminOptions } from './admin-client.ts';
import { CommandError, EXIT } from './command-error.ts';
import {
  EVENT_KEYS,
  type EventFilterOptions,
  type FilterKey,
  filterOf,
  formatNextPage,
  type PageOptions,
  withFilterOptions,
  withPageOptions,
} from './command-options.ts';
import { type EventsAnswer, followEvents } from './follow-events.ts';
import { followHeading, followLine } from './follow-line.ts';
import { EVENT_COLUMNS } from './listed-event-columns.ts';
import { registerEventReplay } from './event-replay-command.ts';
import { formatFitting, terminalWidth } from './fitting-table.ts';

const KEYS: readonly FilterKey[] = ['state', ...EVENT_KEYS];

const HELP = `
With --follow it shows the newest 10 events, or as many as --limit says, oldest of them first, then every event as it is
accepted and again when its state changes, until Ctrl-C. All filters but --until and those by time of settlement apply; with
--json each event is one line. It survives a restart of the relay.

Examples:
  $ capillary-relay events --state pending,dead --since 2h
  $ capillary-relay events --customer-id 387450112 --json
  $ capillary-relay events --follow --source acme --limit 10
  $ capillary-relay events --follow --state dead --limit 1`;

/** Earlier events that --follow shows first, unless --limit is given. */
const FOLLOW_LIMIT = 10;

type ListOptions = AdminOptions & EventFilterOptions & PageOptions & { readonly follow?: boolean };

async function follow(options: ListOptions, limit: number): Promise<void> {
  if (options.until !== undefined || options.cursor !== undefined)
    throw new CommandError('--follow has no end and no pages: leave out --until and --cursor', EXIT.usage);
  if (options.settledSince !== undefined || options.settledUntil !== undefined)
    throw new CommandError(
      '--follow shows events before they are settled: leave out --settled-since and --settled-until',
      EXIT.usage,
    );
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const json = options.json === true;
  const width = terminalWidth();
  await followEvents({
    client: await adminClient(options),
    filter: filterOf(options, KEYS),
    limit,
    signal: stop.signal,
    begin(count) {
      const earlier = `the newest ${count === 1 ? 'earlier event' : `${count} earlier events`}`;
      console.error(`${count === 0 ? 'no earlier events' : `first ${earlier}`}, then new ones; Ctrl-C ends`);
      if (!json) console.log(styleText('bold', followHeading(width)));
    },
    show: (event) => console.log(json ? JSON.stringify(event) : followLine(event, width)),
    note: (text) => console.error(text),
  });
}

async function list(options: ListOptions, command: Command): Promise<void> {
  if (options.follow === true) {
    const isDefault = command.getOptionValueSource('limit') === 'default';
    return follow(options, isDefault ? FOLLOW_LIMIT : options.limit);
  }
  const { limit, cursor } = options;
  const client = await adminClient(options);
  const answer = await client.get<EventsAnswer>('/events', { ...filterOf(options, KEYS), limit, cursor });
  if (options.json === true) printJson(answer);
  else if (answer.events.length === 0) console.log('no events');
  else console.log(`${formatFitting(answer.events, EVENT_COLUMNS)}${formatNextPage(answer.next)}`);
}

export function registerEvents(program: Command): void {
  const events = program
    .command('events')
    .description('list events, newest first; follow them; replay settled ones')
    .option('-f, --follow', 'keep running: show every event when it is accepted and when its state changes')
    .addHelpText('after', HELP)
    .action(list);
  withPageOptions(withFilterOptions(withAdminOptions(events), KEYS));
  registerEventReplay(events);
}
