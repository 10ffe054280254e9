import type { Command } from 'commander';
import { adminClient, type AdminOptions, printJson, withAdminOptions } from './admin-client.ts';
import type { CoverageAnswer } from './admin-answers.ts';
import { type EventFilterOptions, type FilterKey, filterOf, withFilterOptions } from './command-options.ts';
import { formatTime } from './time-format.ts';
import { formatFitting } from './fitting-table.ts';

const KEYS: readonly FilterKey[] = ['source', 'eventName'];

const HELP = `
EXAMINED counts the events of that name in which unread fields were looked for: the first 1,000, then each 16th. UNREAD
counts those of them that contained the field without the mapping reading it. Examples are masked. The counts are held in memory and reset when the relay restarts. An event with the mapping
"generic" is still forwarded with its whole data as text, if its destination has a tenant.
Contacts that more customers than contacts.sharedBy have are listed too, masked; these survive a restart.

Examples:
  $ capillary-relay coverage
  $ capillary-relay coverage --event-name transactionAdded --json`;

function formatFields({ since, events }: CoverageAnswer): string {
  const rows = events.flatMap(({ fields, more, ...event }) => [
    ...fields.map((field) => ({ ...event, ...field })),
    ...(more > 0 ? [{ ...event, path: '(more fields)', count: more, example: '' }] : []),
  ]);
  const total = events.reduce((sum, { events: count }) => sum + count, 0);
  const head = `${total} events examined since ${formatTime(since)}`;
  if (rows.length === 0) return `${head}: no unread fields`;
  const table = formatFitting(rows, [
    { heading: 'SOURCE', cell: ({ source }) => source, leaveOut: 2 },
    { heading: 'EVENT', cell: ({ eventName }) => eventName, cutTo: 12 },
    { heading: 'MAPPING', cell: ({ mapping }) => mapping, leaveOut: 1 },
    { heading: 'UNREAD', cell: ({ count }) => count },
    { heading: 'EXAMINED', cell: ({ events: count }) => count },
    { heading: 'FIELD', cell: ({ path }) => path, cutTo: 30 },
    { heading: 'EXAMPLE', cell: ({ example }) => example, cutTo: 10, leaveOut: 3 },
  ]);
  return `${head}\n\n${table}`;
}

function formatContacts({ sharedContacts, moreSharedContacts }: CoverageAnswer): string {
  if (sharedContacts.length === 0) return '';
  const table = formatFitting(sharedContacts, [
    { heading: 'SOURCE', cell: ({ source }) => source, leaveOut: 1 },
    { heading: 'DESTINATION', cell: ({ destination }) => destination, leaveOut: 2 },
    { heading: 'KIND', cell: ({ kind }) => kind },
    { heading: 'CONTACT', cell: ({ contact }) => contact },
    { heading: 'SINCE', cell: ({ since }) => formatTime(since) },
  ]);
  const more = moreSharedContacts > 0 ? `\n(${moreSharedContacts} more)` : '';
  return `\n\nContacts of too many customers, which are identities of none of them\n\n${table}${more}`;
}

async function runCoverage(options: AdminOptions & EventFilterOptions): Promise<void> {
  const client = await adminClient(options);
  const answer = await client.get<CoverageAnswer>('/coverage', filterOf(options, KEYS));
  if (options.json === true) printJson(answer);
  else console.log(`${formatFields(answer)}${formatContacts(answer)}`);
}

export function registerCoverage(program: Command): void {
  withFilterOptions(withAdminOptions(program.command('coverage')), KEYS)
    .description(
      'payload fields that no mapping reads, with a count and a masked example, and contacts of too many customers',
    )
    .addHelpText('after', HELP)
    .action(runCoverage);
}
