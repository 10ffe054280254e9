import type { Command } from 'commander';
import { type AdminOptions, withAdminOptions } from './admin-address.ts';
import type { CoverageAnswer } from './admin-answers.ts';
import { adminClient, printJson } from './admin-client.ts';
import { type EventFilterOptions, type FilterKey, filterOf, withFilter } from './event-filter.ts';
import { formatMoment } from './moment.ts';
import { formatTable } from './table.ts';

const KEYS: readonly FilterKey[] = ['source', 'eventName'];

const HELP = `
UNREAD is in how many of the OF events of that name the field came and nothing read it. The example is masked. Counted in memory since the
relay was started; the data of an event of mapping generic goes on as text all the same, if its destination has a tenant.

Examples:
  $ capillary-relay coverage
  $ capillary-relay coverage --event-name transactionAdded --json`;

function format({ since, events }: CoverageAnswer): string {
  const rows = events.flatMap(({ fields, more, ...event }) => [
    ...fields.map((field) => ({ ...event, ...field })),
    ...(more > 0 ? [{ ...event, path: '(more fields)', count: more, example: '' }] : []),
  ]);
  const seen = events.reduce((sum, { events: count }) => sum + count, 0);
  const head = `${seen} events since ${formatMoment(since)}`;
  if (rows.length === 0) return `${head}: no field went unread`;
  const table = formatTable(rows, [
    { heading: 'SOURCE', cell: ({ source }) => source },
    { heading: 'EVENT', cell: ({ eventName }) => eventName },
    { heading: 'MAPPING', cell: ({ mapping }) => mapping },
    { heading: 'UNREAD', cell: ({ count }) => count },
    { heading: 'OF', cell: ({ events: count }) => count },
    { heading: 'FIELD', cell: ({ path }) => path },
    { heading: 'EXAMPLE', cell: ({ example }) => example },
  ]);
  return `${head}\n\n${table}`;
}

async function coverage(options: AdminOptions & EventFilterOptions): Promise<void> {
  const client = await adminClient(options);
  const answer = await client.get<CoverageAnswer>('/coverage', filterOf(options, KEYS));
  if (options.json === true) printJson(answer);
  else console.log(format(answer));
}

export function registerCoverage(program: Command): void {
  withFilter(withAdminOptions(program.command('coverage')), KEYS)
    .description(
      'payload fields that no mapping reads, by event name: how often they came, and what they look like',
    )
    .addHelpText('after', HELP)
    .action(coverage);
}
