import type { Command } from 'commander';
import { type AdminOptions, withAdminOptions } from './admin-address.ts';
import type { EventAnswer } from './admin-answers.ts';
import { adminClient, printJson } from './admin-client.ts';
import { type BulkAction, runBulkAction } from './bulk-action.ts';
import { type EventFilterOptions, type FilterKey, filterOf, withFilter } from './event-filter.ts';
import { EVENT_COLUMNS } from './events.ts';
import { formatRest, type PageOptions, withPage } from './page-option.ts';
import { registerReplayJobs } from './replay-jobs.ts';
import { type SelectionOptions, withSelection } from './selection.ts';
import { type Column, formatTable } from './table.ts';

const KEYS: readonly FilterKey[] = [
  'source',
  'destination',
  'eventName',
  'reason',
  'customerId',
  'since',
  'until',
];

const ACTION = { what: 'dead letters', keys: KEYS };

const REPLAY: BulkAction = {
  ...ACTION,
  path: '/dead-letters/replay',
  verb: 'Replay',
  done: 'replayed',
  alsoDone: ['duplicates'],
};

const DISCARD: BulkAction = { ...ACTION, path: '/dead-letters/discard', verb: 'Discard', done: 'discarded' };

const LIST_HELP = `
Examples:
  $ capillary-relay dead-letters list --reason rejected --since 3d
  $ capillary-relay dead-letters list --source acme --json`;

const REPLAY_HELP = `
Events are mapped anew, with the configuration and the mapping of now. Malformed bodies are read anew.
Replays go beside live traffic and slower. One that is cut short goes on by itself: see dead-letters replays.
Exit code 1 when not all that matched could be replayed.

Examples:
  $ capillary-relay dead-letters replay 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01
  $ capillary-relay dead-letters replay --reason rejected --event-name pointsIssued --dry-run`;

const DISCARD_HELP = `
The events count as ignored from then on and lose their payload; malformed bodies are removed. This cannot be undone.

Examples:
  $ capillary-relay dead-letters discard 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01
  $ capillary-relay dead-letters discard --reason malformed --until 30d`;

/** Adobe's words can be long; the rest is in `explain`. */
const DETAIL_LENGTH = 80;

function shortDetail({ detail = '' }: EventAnswer): string {
  return detail.length > DETAIL_LENGTH ? `${detail.slice(0, DETAIL_LENGTH)}…` : detail;
}

const COLUMNS: readonly Column<EventAnswer>[] = [...EVENT_COLUMNS, { heading: 'DETAIL', cell: shortDetail }];

interface DeadLettersAnswer {
  readonly deadLetters: readonly EventAnswer[];
  readonly next?: string | null;
}

async function list(options: AdminOptions & EventFilterOptions & PageOptions): Promise<void> {
  const query = { ...filterOf(options, KEYS), limit: options.limit, cursor: options.cursor };
  const client = await adminClient(options);
  const answer = await client.get<DeadLettersAnswer>('/dead-letters', query);
  if (options.json === true) printJson(answer);
  else if (answer.deadLetters.length === 0) console.log('no dead letters');
  else console.log(`${formatTable(answer.deadLetters, COLUMNS)}${formatRest(answer.next)}`);
}

export function registerDeadLetters(program: Command): void {
  const group = program
    .command('dead-letters')
    .description(
      'events that Adobe refused for good, and bodies that are no events: list, replay, replays, discard',
    )
    .addHelpText('after', LIST_HELP);
  withPage(withFilter(withAdminOptions(group.command('list')), KEYS))
    .description('list them, newest first')
    .addHelpText('after', LIST_HELP)
    .action(list);
  withSelection(withAdminOptions(group.command('replay')), KEYS)
    .description('send them on their way again')
    .option('--as-new', 'with a new _id, so that Profile at Adobe takes the corrected event as a new one')
    .addHelpText('after', REPLAY_HELP)
    .action((receipts: string[], options: AdminOptions & SelectionOptions & { asNew?: boolean }) =>
      runBulkAction(REPLAY, receipts, options, { asNew: options.asNew === true }),
    );
  registerReplayJobs(group);
  withSelection(withAdminOptions(group.command('discard')), KEYS)
    .description('give them up')
    .addHelpText('after', DISCARD_HELP)
    .action((receipts: string[], options: AdminOptions & SelectionOptions) =>
      runBulkAction(DISCARD, receipts, options),
    );
}
