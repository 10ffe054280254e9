import type { Command } from 'commander';
import { adminClient, type AdminOptions, printJson, withAdminOptions } from './admin-client.ts';
import type { EventAnswer } from './admin-answers.ts';
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
import { EVENT_COLUMNS } from './listed-event-columns.ts';
import { formatFitting, type FittingColumn } from './fitting-table.ts';
import { listReplays, replaysHelp } from './replay-list.ts';
import { replayFields, type ReplayOptions, withReplayOptions } from './replay-options.ts';

const KEYS: readonly FilterKey[] = [
  'source',
  'destination',
  'eventName',
  'reason',
  'customerId',
  'since',
  'until',
  'settledSince',
  'settledUntil',
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

export function registerDeadLetters(program: Command): void {
  const group = program
    .command('dead-letters')
    .description('events that could not be delivered, and malformed bodies: list, replay, replays, discard')
    .addHelpText('after', LIST_HELP);
  withPageOptions(withFilterOptions(withAdminOptions(group.command('list')), KEYS))
    .description('list dead letters, newest first')
    .addHelpText('after', LIST_HELP)
    .action(listDeadLetters);
  withReplayOptions(withSelectionOptions(withAdminOptions(group.command('replay')), KEYS))
    .description('deliver dead letters again')
    .addHelpText('after', REPLAY_HELP)
    .action((receipts: string[], options: AdminOptions & SelectionOptions & ReplayOptions) =>
      runBulkAction(REPLAY, receipts, options, replayFields(options)),
    );
  withAdminOptions(group.command('replays'))
    .description('list replays: who requested them, when, their filter and progress')
    .addHelpText('after', replaysHelp('dead-letters'))
    .action(listReplays);
  withSelectionOptions(withAdminOptions(group.command('discard')), KEYS)
    .description('discard dead letters')
    .addHelpText('after', DISCARD_HELP)
    .action((receipts: string[], options: AdminOptions & SelectionOptions) =>
      runBulkAction(DISCARD, receipts, options),
    );
}
