import type { Command } from 'commander';
import { type AdminOptions, withAdminOptions } from './admin-address.ts';
import type { ReplayAnswer } from './admin-answers.ts';
import { adminClient, printJson } from './admin-client.ts';
import { formatMoment } from './moment.ts';
import { type Column, formatTable } from './table.ts';

const HELP = `
Replays that go on and those that ended last, newest first. A replay that was cut short goes on by itself.

Examples:
  $ capillary-relay dead-letters replays
  $ capillary-relay dead-letters replays --json`;

/** What was asked for: `dead, source acme, customerId (hidden)`. */
function chosen({ filter, narrowedBy }: ReplayAnswer): string {
  return [
    ...Object.entries(filter).map(([part, value]) => `${part} ${[value].flat().join(' ')}`),
    ...narrowedBy.map((part) => `${part} (hidden)`),
  ].join(', ');
}

const COLUMNS: readonly Column<ReplayAnswer>[] = [
  { heading: 'ID', cell: ({ id }) => id },
  { heading: 'ASKED', cell: ({ at }) => formatMoment(at) },
  { heading: 'BY', cell: ({ by }) => by },
  { heading: 'AS NEW', cell: ({ asNew }) => (asNew ? 'yes' : '') },
  { heading: 'MATCHED', cell: ({ matched }) => matched },
  { heading: 'REPLAYED', cell: ({ replayed }) => replayed },
  { heading: 'ENDED', cell: ({ done, finishedAt }) => (done ? formatMoment(finishedAt) : 'goes on') },
  { heading: 'OF', cell: chosen },
];

async function list(options: AdminOptions): Promise<void> {
  const client = await adminClient(options);
  const answer = await client.get<{ readonly replays: readonly ReplayAnswer[] }>('/dead-letters/replays');
  if (options.json === true) printJson(answer);
  else if (answer.replays.length === 0) console.log('no replays');
  else console.log(formatTable(answer.replays, COLUMNS));
}

/** `dead-letters replays` */
export function registerReplayJobs(deadLetters: Command): void {
  withAdminOptions(deadLetters.command('replays'))
    .description('list the replays: who, when, what, how far')
    .addHelpText('after', HELP)
    .action(list);
}
