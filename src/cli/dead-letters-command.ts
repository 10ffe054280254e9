import type { Command } from 'commander';
import { adminClient, type AdminOptions, printJson, withAdminOptions } from './admin-client.ts';
import type { EventAnswer, ReplayAnswer } from './admin-answers.ts';
import {
  type BulkAction,
  runBulkAction,
  type SelectionOptions,
  withSelectionOptions,
} from './bulk-action.ts';
import {
  type EventFilterOptions,
  type FilterKey,
  filterOf,
  formatNextPage,
  type PageOptions,
  withFilterOptions,
  withPageOptions,
} from './command-options.ts';
import { EVENT_COLUMNS, REFETCH, replayFields, type ReplayOptions } from './events-command.ts';
import { formatFitting, type FittingColumn } from './fitting-table.ts';
import { formatTime } from './time-format.ts';

const KEYS: readonly FilterKey[] = [
  'source',
  'destination',
  'eventName',
  'reason',
  'customerId',
  'since',
  'until',
];

const ACTION = {
  object: 'dead letter',
  objects: 'dead letters',
  keys: KEYS,
  formatSample: (sample: readonly EventAnswer[]) => formatFitting(sample, EVENT_COLUMNS),
};

const REPLAY: BulkAction = {
  ...ACTION,
  path: '/dead-letters/replay',
  verb: 'Replay',
  doneCount: 'replayed',
  alsoDoneCounts: ['duplicates'],
};

const DISCARD: BulkAction = {
  ...ACTION,
  path: '/dead-letters/discard',
  verb: 'Discard',
  doneCount: 'discarded',
  isFinal: true,
};

const LIST_HELP = `
Examples:
  $ capillary-relay dead-letters list --reason rejected --since 3d
  $ capillary-relay dead-letters list --source acme --json`;

const REPLAY_HELP = `
Events are mapped again with the current configuration; malformed bodies are parsed again. Of a source with enrich, what
Capillary's API answered the first time is used again; --refetch asks it again.
A replay runs alongside live traffic at a lower rate and resumes after a restart: see dead-letters replays.
--dry-run lists the first ten. Exit code 1 if some of the matches could not be replayed; why is listed by receipt.

Examples:
  $ capillary-relay dead-letters replay 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01
  $ capillary-relay dead-letters replay --reason rejected --event-name pointsIssued --dry-run`;

const DISCARD_HELP = `
The events then count as ignored and lose their payload; malformed bodies are deleted. This cannot be undone: it
asks on a terminal, and requires --yes without one.

Examples:
  $ capillary-relay dead-letters discard 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01
  $ capillary-relay dead-letters discard --reason malformed --until 30d --yes`;

const REPLAYS_HELP = `
Running and recent replays, newest first. An interrupted replay resumes automatically.

Examples:
  $ capillary-relay dead-letters replays
  $ capillary-relay dead-letters replays --json`;

/** Adobe's answers can be long; `explain` shows them in full. */
const MAX_DETAIL_LENGTH = 80;

function shortDetail({ detail = '' }: EventAnswer): string {
  return detail.length > MAX_DETAIL_LENGTH ? `${detail.slice(0, MAX_DETAIL_LENGTH)}…` : detail;
}

const COLUMNS: readonly FittingColumn<EventAnswer>[] = [
  ...EVENT_COLUMNS,
  { heading: 'DETAIL', cell: shortDetail, below: 'detail' },
];

interface DeadLettersAnswer {
  readonly deadLetters: readonly EventAnswer[];
  readonly next?: string | null;
}

async function listDeadLetters(options: AdminOptions & EventFilterOptions & PageOptions): Promise<void> {
  const query = { ...filterOf(options, KEYS), limit: options.limit, cursor: options.cursor };
  const client = await adminClient(options);
  const answer = await client.get<DeadLettersAnswer>('/dead-letters', query);
  if (options.json === true) printJson(answer);
  else if (answer.deadLetters.length === 0) console.log('no dead letters');
  else console.log(`${formatFitting(answer.deadLetters, COLUMNS)}${formatNextPage(answer.next)}`);
}

/** The filter of a replay: `dead, source acme, customerId (hidden)`. */
function formatFilter({ filter, narrowedBy }: ReplayAnswer): string {
  return [
    ...Object.entries(filter).map(([part, value]) => `${part} ${[value].flat().join(' ')}`),
    ...narrowedBy.map((part) => `${part} (hidden)`),
  ].join(', ');
}

const REPLAY_COLUMNS: readonly FittingColumn<ReplayAnswer>[] = [
  { heading: 'ID', cell: ({ id }) => id },
  { heading: 'REQUESTED', cell: ({ at }) => formatTime(at) },
  { heading: 'BY', cell: ({ by }) => by, cutTo: 12, leaveOut: 1 },
  { heading: 'AS NEW', cell: ({ asNew }) => (asNew ? 'yes' : '') },
  { heading: 'MATCHED', cell: ({ matched }) => matched },
  { heading: 'REPLAYED', cell: ({ replayed }) => replayed },
  { heading: 'FINISHED', cell: ({ done, finishedAt }) => (done ? formatTime(finishedAt) : 'running') },
  { heading: 'FILTER', cell: formatFilter, below: 'filter' },
];

async function listReplays(options: AdminOptions): Promise<void> {
  const client = await adminClient(options);
  const answer = await client.get<{ readonly replays: readonly ReplayAnswer[] }>('/dead-letters/replays');
  if (options.json === true) printJson(answer);
  else if (answer.replays.length === 0) console.log('no replays');
  else console.log(formatFitting(answer.replays, REPLAY_COLUMNS));
}

export function registerDeadLetters(program: Command): void {
  const group = program
    .command('dead-letters')
    .description('events that could not be delivered, and malformed bodies: list, replay, replays, discard')
    .addHelpText('after', LIST_HELP);
  withPageOptions(withFilterOptions(withAdminOptions(group.command('list')), KEYS))
    .description('list dead letters, newest first')
    .addHelpText('after', LIST_HELP)
    .action(listDeadLetters);
  withSelectionOptions(withAdminOptions(group.command('replay')), KEYS)
    .description('deliver dead letters again')
    .option('--as-new', 'use a new _id, so that Adobe Profile treats the corrected event as a new one')
    .option('--refetch', REFETCH)
    .addHelpText('after', REPLAY_HELP)
    .action((receipts: string[], options: AdminOptions & SelectionOptions & ReplayOptions) =>
      runBulkAction(REPLAY, receipts, options, replayFields(options)),
    );
  withAdminOptions(group.command('replays'))
    .description('list replays: who requested them, when, their filter and progress')
    .addHelpText('after', REPLAYS_HELP)
    .action(listReplays);
  withSelectionOptions(withAdminOptions(group.command('discard')), KEYS)
    .description('discard dead letters')
    .addHelpText('after', DISCARD_HELP)
    .action((receipts: string[], options: AdminOptions & SelectionOptions) =>
      runBulkAction(DISCARD, receipts, options),
    );
}
