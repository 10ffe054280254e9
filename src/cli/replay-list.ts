import { adminClient, type AdminOptions, printJson } from './admin-client.ts';
import type { ReplayAnswer } from './admin-answers.ts';
import { formatFitting, type FittingColumn } from './fitting-table.ts';
import { formatTime } from './time-format.ts';

/** @param group the command that has `replays` */
export function replaysHelp(group: string): string {
  return `
Running and recent replays, newest first. An interrupted replay resumes automatically.

Examples:
  $ capillary-relay ${group} replays
  $ capillary-relay ${group} replays --json`;
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

/** Lists the replays, of whichever command. */
export async function listReplays(options: AdminOptions): Promise<void> {
  const client = await adminClient(options);
  const answer = await client.get<{ readonly replays: readonly ReplayAnswer[] }>('/dead-letters/replays');
  if (options.json === true) printJson(answer);
  else if (answer.replays.length === 0) console.log('no replays');
  else console.log(formatFitting(answer.replays, REPLAY_COLUMNS));
}
