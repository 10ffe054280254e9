import { styleText } from 'node:util';
import type { Command } from 'commander';
import { shortId } from '../capillary/event-id.ts';
import { adminClient, type AdminOptions, printJson, withAdminOptions } from './admin-client.ts';
import type { CountsAnswer, EventAnswer } from './admin-answers.ts';
import { CommandError, EXIT } from './command-error.ts';
import {
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
import { formatTime } from './time-format.ts';
import { formatFitting, type FittingColumn, terminalWidth } from './fitting-table.ts';

const KEYS: readonly FilterKey[] = [
  'state',
  'source',
  'destination',
  'eventName',
  'eventId',
  'reason',
  'customerId',
  'since',
  'until',
];

const HELP = `
With --follow it shows the newest 10 events, or as many as --limit says, oldest of them first, then every event as it is
accepted and again when its state changes, until Ctrl-C. All filters but --until apply; with --json each event is one line.
It survives a restart of the relay.

Examples:
  $ capillary-relay events --state pending,dead --since 2h
  $ capillary-relay events --customer-id 387450112 --json
  $ capillary-relay events --follow --source acme --limit 10
  $ capillary-relay events --follow --state dead --limit 1`;

const REPLAY_HELP = `
Works for an event in any settled state. To replay many dead letters at once, use dead-letters replay. Of a source with
enrich, what Capillary's API answered the first time is used again; --refetch asks it again.

Examples:
  $ capillary-relay events replay 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01
  $ capillary-relay events replay 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01 --as-new`;

/** Columns of every list of events. */
export const EVENT_COLUMNS: readonly FittingColumn<EventAnswer>[] = [
  { heading: 'RECEIPT', cell: ({ receipt }) => receipt },
  { heading: 'RECEIVED', cell: ({ receivedAt }) => formatTime(receivedAt), leaveOut: 3 },
  { heading: 'SOURCE', cell: ({ source }) => source, leaveOut: 1 },
  { heading: 'EVENT', cell: ({ eventName }) => eventName, cutTo: 10 },
  { heading: 'CUSTOMER', cell: ({ customerId }) => customerId, leaveOut: 2 },
  { heading: 'STATE', cell: ({ state }) => state },
  { heading: 'REASON', cell: ({ reason }) => reason, cutTo: 10 },
];

/** Earlier events that --follow shows first, unless --limit is given. */
const FOLLOW_LIMIT = 10;

type ListOptions = AdminOptions & EventFilterOptions & PageOptions & { readonly follow?: boolean };

async function follow(options: ListOptions, limit: number): Promise<void> {
  if (options.until !== undefined || options.cursor !== undefined)
    throw new CommandError('--follow has no end and no pages: leave out --until and --cursor', EXIT.usage);
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

export interface ReplayOptions {
  readonly asNew?: boolean;
  readonly refetch?: boolean;
}

/** Help of the option. */
export const REFETCH = "ask Capillary's API again, instead of using what it answered the first time";

/** Fields of the request; an older relay does not know `refetch`. */
export function replayFields({ asNew, refetch }: ReplayOptions): object {
  return { asNew: asNew === true, ...(refetch === true ? { refetch } : {}) };
}

async function replay(receipt: string, options: AdminOptions & ReplayOptions): Promise<void> {
  const client = await adminClient(options);
  const path = `/events/${encodeURIComponent(shortId(receipt))}/replay`;
  const answer = await client.post<CountsAnswer>(path, replayFields(options));
  if (options.json === true) printJson(answer);
  else if (answer['replayed'] === 0) console.log('nothing to replay: the relay already has this event');
  else console.log(`${receipt} is pending again`);
}

export function registerEvents(program: Command): void {
  const events = program
    .command('events')
    .description('list events, newest first; follow them; or replay one')
    .option('-f, --follow', 'keep running: show every event when it is accepted and when its state changes')
    .addHelpText('after', HELP)
    .action(list);
  withPageOptions(withFilterOptions(withAdminOptions(events), KEYS));
  withAdminOptions(
    events
      .command('replay')
      .description('deliver one event again')
      .argument('<receipt>', 'receipt or event id')
      .option('--as-new', 'use a new _id, so that Adobe Profile treats the corrected event as a new one')
      .option('--refetch', REFETCH)
      .addHelpText('after', REPLAY_HELP),
  ).action((receipt: string, _options: unknown, command: Command) =>
    replay(receipt, command.optsWithGlobals()),
  );
}
