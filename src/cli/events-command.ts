import type { Command } from 'commander';
import { shortId } from '../capillary/event-id.ts';
import { adminClient, type AdminOptions, printJson, withAdminOptions } from './admin-client.ts';
import type { CountsAnswer, EventAnswer } from './admin-answers.ts';
import {
  type EventFilterOptions,
  type FilterKey,
  filterOf,
  formatNextPage,
  type PageOptions,
  withFilterOptions,
  withPageOptions,
} from './command-options.ts';
import { formatTime } from './time-format.ts';
import { type Column, formatTable } from './table.ts';

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
Examples:
  $ capillary-relay events --state pending,dead --since 2h
  $ capillary-relay events --customer-id 387450112 --json`;

const REPLAY_HELP = `
Works for an event in any settled state. To replay many dead letters at once, use dead-letters replay.

Examples:
  $ capillary-relay events replay 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01
  $ capillary-relay events replay 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01 --as-new`;

/** Columns of every list of events. */
export const EVENT_COLUMNS: readonly Column<EventAnswer>[] = [
  { heading: 'RECEIPT', cell: ({ receipt }) => receipt },
  { heading: 'RECEIVED', cell: ({ receivedAt }) => formatTime(receivedAt) },
  { heading: 'SOURCE', cell: ({ source }) => source },
  { heading: 'EVENT', cell: ({ eventName }) => eventName },
  { heading: 'CUSTOMER', cell: ({ customerId }) => customerId },
  { heading: 'STATE', cell: ({ state }) => state },
  { heading: 'REASON', cell: ({ reason }) => reason },
];

interface EventsAnswer {
  readonly events: readonly EventAnswer[];
  readonly next?: string | null;
}

async function list(options: AdminOptions & EventFilterOptions & PageOptions): Promise<void> {
  const { limit, cursor } = options;
  const client = await adminClient(options);
  const answer = await client.get<EventsAnswer>('/events', { ...filterOf(options, KEYS), limit, cursor });
  if (options.json === true) printJson(answer);
  else if (answer.events.length === 0) console.log('no events');
  else console.log(`${formatTable(answer.events, EVENT_COLUMNS)}${formatNextPage(answer.next)}`);
}

async function replay(receipt: string, options: AdminOptions & { asNew?: boolean }): Promise<void> {
  const client = await adminClient(options);
  const path = `/events/${encodeURIComponent(shortId(receipt))}/replay`;
  const answer = await client.post<CountsAnswer>(path, { asNew: options.asNew === true });
  if (options.json === true) printJson(answer);
  else if (answer['replayed'] === 0) console.log('nothing to replay: the relay already has this event');
  else console.log(`${receipt} is pending again`);
}

export function registerEvents(program: Command): void {
  const events = program
    .command('events')
    .description('list events, newest first, or replay one')
    .addHelpText('after', HELP)
    .action(list);
  withPageOptions(withFilterOptions(withAdminOptions(events), KEYS));
  withAdminOptions(
    events
      .command('replay')
      .description('deliver one event again')
      .argument('<receipt>', 'receipt or event id')
      .option('--as-new', 'use a new _id, so that Adobe Profile treats the corrected event as a new one')
      .addHelpText('after', REPLAY_HELP),
  ).action((receipt: string, _options: unknown, command: Command) =>
    replay(receipt, command.optsWithGlobals()),
  );
}
