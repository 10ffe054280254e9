import type { Command } from 'commander';
import { type AdminOptions, withAdminOptions } from './admin-address.ts';
import type { QuarantinedAnswer } from './admin-answers.ts';
import { adminClient, printJson } from './admin-client.ts';
import { type BulkAction, runBulkAction } from './bulk-action.ts';
import { type EventFilterOptions, type FilterKey, filterOf, withFilter } from './event-filter.ts';
import { formatMoment } from './moment.ts';
import { formatRest, type PageOptions, withPage } from './page-option.ts';
import { type SelectionOptions, withSelection } from './selection.ts';
import { formatTable } from './table.ts';

const KEYS: readonly FilterKey[] = ['source', 'since', 'until'];

const ACTION = { what: 'quarantined requests', keys: KEYS };

const RELEASE: BulkAction = { ...ACTION, path: '/quarantine/release', verb: 'Release', done: 'released' };
const DISCARD: BulkAction = { ...ACTION, path: '/quarantine/discard', verb: 'Discard', done: 'discarded' };

const LIST_HELP = `
Examples:
  $ capillary-relay quarantine list --source acme
  $ capillary-relay quarantine list --since 1d --json`;

const RELEASE_HELP = `
Each is verified again, with the secrets of now; those that pass are taken in as if they had just come. So mend the secret first.
Exit code 1 when some are still refused.

Examples:
  $ capillary-relay quarantine release --source acme --since 6h --dry-run
  $ capillary-relay quarantine release --all`;

const DISCARD_HELP = `
Removes them for good.

Examples:
  $ capillary-relay quarantine discard 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01
  $ capillary-relay quarantine discard --source acme --until 1d`;

interface QuarantineAnswer {
  readonly quarantined: readonly QuarantinedAnswer[];
  readonly next?: string | null;
}

function format(quarantined: readonly QuarantinedAnswer[]): string {
  return formatTable(quarantined, [
    { heading: 'RECEIPT', cell: ({ receipt }) => receipt },
    { heading: 'RECEIVED', cell: ({ receivedAt }) => formatMoment(receivedAt) },
    { heading: 'SOURCE', cell: ({ source }) => source },
    { heading: 'FROM', cell: ({ ip }) => ip },
    { heading: 'BYTES', cell: ({ bytes }) => bytes },
    { heading: 'REFUSED FOR', cell: ({ reasons }) => reasons.join(', ') },
  ]);
}

async function list(options: AdminOptions & EventFilterOptions & PageOptions): Promise<void> {
  const query = { ...filterOf(options, KEYS), limit: options.limit, cursor: options.cursor };
  const client = await adminClient(options);
  const answer = await client.get<QuarantineAnswer>('/quarantine', query);
  if (options.json === true) printJson(answer);
  else if (answer.quarantined.length === 0) console.log('nothing is quarantined');
  else console.log(`${format(answer.quarantined)}${formatRest(answer.next)}`);
}

export function registerQuarantine(program: Command): void {
  const group = program
    .command('quarantine')
    .description('requests whose sender could not be verified: list, release, discard')
    .addHelpText('after', LIST_HELP);
  withPage(withFilter(withAdminOptions(group.command('list')), KEYS))
    .description('list them, newest first')
    .addHelpText('after', LIST_HELP)
    .action(list);
  withSelection(withAdminOptions(group.command('release')), KEYS)
    .description('verify them again and take in those that pass')
    .addHelpText('after', RELEASE_HELP)
    .action((receipts: string[], options: AdminOptions & SelectionOptions) =>
      runBulkAction(RELEASE, receipts, options),
    );
  withSelection(withAdminOptions(group.command('discard')), KEYS)
    .description('remove them')
    .addHelpText('after', DISCARD_HELP)
    .action((receipts: string[], options: AdminOptions & SelectionOptions) =>
      runBulkAction(DISCARD, receipts, options),
    );
}
