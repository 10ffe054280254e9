import type { Command } from 'commander';
import { adminClient, type AdminOptions, printJson, withAdminOptions } from './admin-client.ts';
import type { QuarantinedAnswer } from './admin-answers.ts';
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
import { fetchQuarantined, formatQuarantineReport } from './explain/quarantine-report.ts';
import { formatTime } from './time-format.ts';
import { formatFitting } from './fitting-table.ts';

const KEYS: readonly FilterKey[] = ['source', 'since', 'until'];

const ACTION = {
  object: 'quarantined request',
  objects: 'quarantined requests',
  keys: KEYS,
  formatSample: format,
};

const RELEASE: BulkAction = {
  ...ACTION,
  path: '/quarantine/release',
  verb: 'Release',
  doneCount: 'released',
};
const DISCARD: BulkAction = {
  ...ACTION,
  path: '/quarantine/discard',
  verb: 'Discard',
  doneCount: 'discarded',
  isFinal: true,
};

const LIST_HELP = `
Examples:
  $ capillary-relay quarantine list --source acme
  $ capillary-relay quarantine list --since 1d --json`;

const SHOW_HELP = `
Shows who sent the request, which headers came, why it was refused, whether it would pass now, and what to do next. Values
of headers are never shown. The body is personal data that nobody has verified, so it is only shown with --body.

Examples:
  $ capillary-relay quarantine show 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d05
  $ capillary-relay quarantine show 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d05 --body`;

const RELEASE_HELP = `
Verifies each request again with the current secrets, and accepts those that pass as if they had just arrived.
Fix the secret first. Exit code 1 if some are still refused.

Examples:
  $ capillary-relay quarantine release --source acme --since 6h --dry-run
  $ capillary-relay quarantine release --all`;

const DISCARD_HELP = `
Deletes the requests. This cannot be undone: it asks on a terminal, and requires --yes without one.

Examples:
  $ capillary-relay quarantine discard 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01
  $ capillary-relay quarantine discard --source acme --until 1d --yes`;

interface QuarantineAnswer {
  readonly quarantined: readonly QuarantinedAnswer[];
  readonly next?: string | null;
}

/** Headers that say nothing about the sender; `show` lists them too. */
const COMMON_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'connection',
  'content-length',
  'content-type',
  'host',
  'sec-fetch-mode',
  'transfer-encoding',
  'user-agent',
]);

function formatHeaders({ headers }: QuarantinedAnswer): string {
  return headers
    .filter(({ name }) => !COMMON_HEADERS.has(name.toLowerCase()))
    .map(({ name, characters }) => `${name} (${characters})`)
    .join(', ');
}

function format(quarantined: readonly QuarantinedAnswer[]): string {
  return formatFitting(quarantined, [
    { heading: 'RECEIPT', cell: ({ receipt }) => receipt },
    { heading: 'RECEIVED', cell: ({ receivedAt }) => formatTime(receivedAt) },
    { heading: 'SOURCE', cell: ({ source }) => source, cutTo: 12 },
    { heading: 'FROM', cell: ({ ip }) => ip, leaveOut: 2 },
    { heading: 'EVENT', cell: ({ eventName }) => eventName, leaveOut: 3 },
    { heading: 'BYTES', cell: ({ bytes }) => bytes, leaveOut: 1 },
    { heading: 'REASONS', cell: ({ reasons }) => reasons.join(', '), below: 'reasons' },
    { heading: 'HEADERS (CHARACTERS)', cell: formatHeaders, below: 'headers (characters)' },
  ]);
}

async function list(options: AdminOptions & EventFilterOptions & PageOptions): Promise<void> {
  const query = { ...filterOf(options, KEYS), limit: options.limit, cursor: options.cursor };
  const client = await adminClient(options);
  const answer = await client.get<QuarantineAnswer>('/quarantine', query);
  if (options.json === true) printJson(answer);
  else if (answer.quarantined.length === 0) console.log('no quarantined requests');
  else console.log(`${format(answer.quarantined)}${formatNextPage(answer.next)}`);
}

async function show(receipt: string, options: AdminOptions & { body?: boolean }): Promise<void> {
  const client = await adminClient(options);
  const request = await fetchQuarantined(client, receipt, options.body === true);
  if (options.json === true) printJson(request);
  else console.log(formatQuarantineReport(request, options));
}

export function registerQuarantine(program: Command): void {
  const group = program
    .command('quarantine')
    .description('requests that failed verification: list, show, release, discard')
    .addHelpText('after', LIST_HELP);
  withPageOptions(withFilterOptions(withAdminOptions(group.command('list')), KEYS))
    .description('list quarantined requests, newest first')
    .addHelpText('after', LIST_HELP)
    .action(list);
  withAdminOptions(group.command('show'))
    .description('show one quarantined request: its headers, why it was refused, what to do next')
    .argument('<receipt>', 'receipt of the request')
    .option('--body', 'also show the body')
    .addHelpText('after', SHOW_HELP)
    .action(show);
  withSelectionOptions(withAdminOptions(group.command('release')), KEYS)
    .description('verify requests again and accept those that pass')
    .addHelpText('after', RELEASE_HELP)
    .action((receipts: string[], options: AdminOptions & SelectionOptions) =>
      runBulkAction(RELEASE, receipts, options),
    );
  withSelectionOptions(withAdminOptions(group.command('discard')), KEYS)
    .description('delete quarantined requests')
    .addHelpText('after', DISCARD_HELP)
    .action((receipts: string[], options: AdminOptions & SelectionOptions) =>
      runBulkAction(DISCARD, receipts, options),
    );
}
